#!/usr/bin/python3 -B
"""LDAP (389), Kerberos (88) and LDAPS (636): connections are accepted, read to their end, and never answered."""
import socketserver
import ssl
import threading

PLAIN, SECURED = (389, 88), 636


class Silent(socketserver.StreamRequestHandler):
    def handle(self):
        while self.rfile.read(1):
            pass


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


class SecuredServer(Server):
    """Shakes hands in the connection's own thread."""

    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)

    def finish_request(self, request, client_address):
        with self.tls.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)


def main():
    SecuredServer.tls.load_cert_chain("/etc/active-directory.pem")
    for port in PLAIN:
        threading.Thread(target=Server(("", port), Silent).serve_forever, daemon=True).start()
    SecuredServer(("", SECURED), Silent).serve_forever()


main()
