#!/usr/bin/python3 -B
"""HTTPS on port 443: /EWS/Exchange.asmx asks for a login, everything else is not found."""
import http.server
import ssl


class Login(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        wanted = self.path.lower() == "/ews/exchange.asmx"
        self.send_response(401 if wanted else 404)
        if wanted:
            self.send_header("WWW-Authenticate", "Negotiate")
            self.send_header("WWW-Authenticate", "NTLM")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET


def main():
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain("/etc/exchange.pem")
    server = http.server.ThreadingHTTPServer(("", 443), Login)
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.serve_forever()


main()
