#!/usr/bin/python3 -B
"""HTTPS on port 4430.

GET  /               the login page
GET  /health         200 when the database answers, else 503
POST /api/login      {"user", "password"} -> {"session"}, also as a cookie
GET  /api/session    whose session it is, where it was made, who serves it
GET  /api/users      ?name=NAME[&wait=SECONDS]: users of this name, from the database, which takes so long over it
GET  /ws             a WebSocket that stays open and repeats what it is told
"""
import os
import socket
import ssl
from urllib.parse import urlsplit

import psycopg2
from aiohttp import WSMsgType, web

import settings
from sessions import DataProtection
from users import Users

NODE = socket.gethostname()
COOKIE = "WorksPad.Session"
routes = web.RouteTableDef()


@routes.get("/")
async def page(_):
    text = f"<!doctype html><title>WorksPad</title><h1>WorksPad @VERSION@ on {NODE}</h1><form>user, password</form>"
    return web.Response(text=text, content_type="text/html")


@routes.get("/health")
async def health(request):
    try:
        await request.app["users"].ask("SELECT 1")
    except psycopg2.Error as error:
        return web.json_response({"node": NODE, "database": str(error).strip()}, status=503)
    return web.json_response({"node": NODE, "database": "ok"})


@routes.post("/api/login")
async def login(request):
    given = await request.json()
    if not await request.app["users"].knows(given["user"], given["password"]):
        raise web.HTTPUnauthorized(text="wrong user or password")
    token = request.app["protection"].protect({"user": given["user"], "madeOn": NODE})
    response = web.json_response({"session": token})
    response.set_cookie(COOKIE, token, httponly=True, secure=True, samesite="Strict")
    return response


@routes.get("/api/session")
async def session(request):
    return web.json_response({**session_of(request), "servedBy": NODE})


@routes.get("/api/users")
async def users(request):
    session_of(request)
    found = await request.app["users"].named(request.query["name"], float(request.query.get("wait", "0")))
    return web.json_response({"users": found, "servedBy": NODE})


@routes.get("/ws")
async def repeat(request):
    session_of(request)
    websocket = web.WebSocketResponse(heartbeat=20)
    await websocket.prepare(request)
    request.app["sockets"].add(websocket)
    await websocket.send_json({"node": NODE})
    async for message in websocket:
        if message.type == WSMsgType.TEXT:
            await websocket.send_str(message.data)
    request.app["sockets"].discard(websocket)
    return websocket


def session_of(request):
    found = request.app["protection"].unprotect(request.cookies.get(COOKIE, ""))
    if found is None:
        raise web.HTTPUnauthorized(text="no session, or one that this node cannot read")
    return found


@web.middleware
async def unavailable(request, handler):
    """What the database cannot answer now is tried again elsewhere, or later."""
    try:
        return await handler(request)
    except psycopg2.OperationalError as error:
        raise web.HTTPServiceUnavailable(text=str(error)) from error


def say_ready(_):
    """Tells systemd, see sd_notify(3); called when the port is open."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"].replace("@", "\0", 1))


async def say_goodbye(app):
    for websocket in set(app["sockets"]):
        await websocket.close(code=1001, message=b"the node goes away")


def main():
    found = settings.read()
    kestrel, protection = found["Kestrel"], found["DataProtection"]
    app = web.Application(middlewares=[unavailable])
    app["users"] = Users(settings.libpq(found["ConnectionStrings"]["WorksPadDatabase"]))
    app["protection"] = DataProtection(protection["Certificate"], protection["Key"])
    app["sockets"] = set()
    app["users"].prepare()
    app.add_routes(routes)
    app.on_shutdown.append(say_goodbye)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(kestrel["Certificate"]["Path"], kestrel["Certificate"]["KeyPath"])
    port = urlsplit(kestrel["Url"].replace("*", "0.0.0.0")).port
    web.run_app(app, port=port, ssl_context=tls, print=say_ready, access_log=None, shutdown_timeout=5)


main()
