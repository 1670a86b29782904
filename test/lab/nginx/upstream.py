"""A server behind the balancer: upstream.py NODE PORT, with its certificate in /etc/upstream/.

/health   200, or 503 while /run/upstream.unready is there
/dies     closes the connection without an answer, once it has read the request
/slow     answers after two seconds
anything  the node's name and the request's headers as JSON; with `Upgrade`, every byte comes back

Every request but those for its health becomes a line `METHOD PATH` of /run/upstream.requests.
"""

import asyncio
import json
import os
import ssl
import sys

NODE, PORT = sys.argv[1], int(sys.argv[2])


async def serve(reader, writer):
    try:
        await answer(reader, writer)
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def answer(reader, writer):
    request, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, path, _ = request.split(" ")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines if line)}
    await reader.readexactly(int(headers.get("content-length", 0)))
    if path == "/health":
        return await send(writer, "503 Service Unavailable" if os.path.exists("/run/upstream.unready") else "200 OK", {})
    with open("/run/upstream.requests", "a", encoding="utf-8") as log:
        log.write(f"{method} {path}\n")
    if path == "/dies":
        return None
    if headers.get("upgrade") == "websocket":
        return await echo(reader, writer)
    if path == "/slow":
        await asyncio.sleep(2)
    return await send(writer, "200 OK", {"node": NODE, "headers": headers})


async def send(writer, status, body):
    text = json.dumps(body).encode()
    writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n".encode() + text)
    await writer.drain()


async def echo(reader, writer):
    writer.write(f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Node: {NODE}\r\n\r\n".encode())
    while data := await reader.read(1024):
        writer.write(data)
        await writer.drain()


async def main():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain("/etc/upstream/server.crt", "/etc/upstream/server.key")
    async with await asyncio.start_server(serve, "0.0.0.0", PORT, ssl=context) as server:
        await server.serve_forever()


asyncio.run(main())
