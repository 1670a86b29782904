#!/usr/bin/python3 -B
"""outside.py <LIST: whether this host reaches the systems outside that WorksPad works with.

A line of the list is KIND HOST PORT [PATH] PURPOSE…: `tcp` connects, `tls` shakes hands, `https` asks for PATH. Nothing
is changed, and nobody logs in. What does not answer is a line that begins with "warning:"; the exit code is 0.
"""
import http.client
import socket
import ssl
import sys
import time
from concurrent.futures import ThreadPoolExecutor

PATIENCE = 5


def anybody():
    """Whether it answers is asked here, not who it is: that is for those who log in."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def ask(kind, host, port, path):
    if kind == "https":
        connection = http.client.HTTPSConnection(host, port, timeout=PATIENCE, context=anybody())
        connection.request("GET", path)
        status = connection.getresponse().status
        # Without a login 401 is the right answer.
        if status >= 500 or status == 404:
            raise OSError(f"{path} answers with status {status}")
        return f"{path} answers with status {status}"
    with socket.create_connection((host, port), PATIENCE) as connection:
        if kind == "tls":
            with anybody().wrap_socket(connection, server_hostname=host) as secured:
                return f"answers with {secured.version()}"
    return "answers"


def look(line):
    kind, host, port, *rest = line.split()
    path = rest.pop(0) if kind == "https" else ""
    where = f"{' '.join(rest)} at {host}:{port}"
    begin = time.perf_counter()
    try:
        said = ask(kind, host, int(port), path)
    except (OSError, http.client.HTTPException) as error:
        return f"warning: {where} is not to be had: {error}"
    return f"{where}: {said}, {(time.perf_counter() - begin) * 1000:.0f} ms"


if __name__ == "__main__":
    lines = [line for line in sys.stdin.read().splitlines() if line]
    with ThreadPoolExecutor(16) as threads:
        for said in threads.map(look, lines):
            print(said)
