#!/usr/bin/python3 -B
"""Web page and JSON API on 127.0.0.1:8000.

GET  /               the web page
GET  /health         200 when PostgreSQL and Redis answer, else 503 and which does not
POST /api/login      {"user", "password"} -> {"session"}, also as a cookie
POST /api/logout
GET  /api/session    whose session it is, where it was made, who serves it
GET  /api/devices    the user's devices, and the node that each is connected to
POST /api/devices    {"id"}
GET  /ws             a WebSocket that stays open and repeats what it is told
"""
import psycopg2
import redis
from aiohttp import WSMsgType, web

import shared
from database import Database
from process import NODE, open_websocket, serve, setting

PORT = 8000
routes = web.RouteTableDef()


@routes.get("/")
async def page(_):
    return web.Response(text=f"<!doctype html><title>RuDesktop</title><h1>RuDesktop on {NODE}</h1>", content_type="text/html")


@routes.get("/health")
async def health(request):
    state = {}
    for name, question in (("postgres", request.app["database"].ask("SELECT 1")), ("redis", request.app["store"].ping())):
        try:
            await question
            state[name] = "ok"
        except (psycopg2.Error, redis.RedisError, OSError) as error:
            state[name] = str(error).strip()
    healthy = all(value == "ok" for value in state.values())
    return web.json_response({"node": NODE, **state}, status=200 if healthy else 503)


@routes.post("/api/login")
async def login(request):
    given = await request.json()
    if not await request.app["database"].knows(given["user"], given["password"]):
        raise web.HTTPUnauthorized(text="wrong user or password")
    token = await request.app["sessions"].open(given["user"])
    response = web.json_response({"session": token})
    response.set_cookie("session", token, httponly=True, secure=True, samesite="Strict")
    return response


@routes.post("/api/logout")
async def logout(request):
    await session_of(request)
    await request.app["sessions"].close(token_of(request))
    return web.Response(status=204)


@routes.get("/api/session")
async def session(request):
    return web.json_response({**await session_of(request), "servedBy": NODE})


@routes.get("/api/devices")
async def devices(request):
    user = (await session_of(request))["user"]
    rows = await request.app["database"].ask("SELECT id FROM devices WHERE owner = %s ORDER BY id", user)
    places = [await request.app["store"].get(f"device:{identifier}") for (identifier,) in rows]
    return web.json_response([{"id": row[0], "connectedTo": place} for row, place in zip(rows, places)])


@routes.post("/api/devices")
async def add_device(request):
    user = (await session_of(request))["user"]
    given = await request.json()
    query = "INSERT INTO devices VALUES (%s, %s) ON CONFLICT DO NOTHING"
    await request.app["database"].ask(query, given["id"], user)
    return web.Response(status=204)


@routes.get("/ws")
async def repeat(request):
    await session_of(request)
    websocket = await open_websocket(request)
    await websocket.send_json({"node": NODE})
    async for message in websocket:
        if message.type == WSMsgType.TEXT:
            await websocket.send_str(message.data)
    request.app["sockets"].discard(websocket)
    return websocket


def token_of(request):
    return request.cookies.get("session") or request.headers.get("Authorization", "").removeprefix("Bearer ")


async def session_of(request):
    found = await request.app["sessions"].find(token_of(request))
    if found is None:
        raise web.HTTPUnauthorized(text="no such session")
    return found


@web.middleware
async def unavailable(request, handler):
    """What the shared services cannot answer now is tried again elsewhere, or later."""
    try:
        return await handler(request)
    except (psycopg2.OperationalError, redis.RedisError, OSError) as error:
        raise web.HTTPServiceUnavailable(text=str(error)) from error


def main():
    app = web.Application(middlewares=[unavailable])
    app["database"] = Database()
    app["store"] = shared.connect(setting("REDIS_URL"))
    app["sessions"] = shared.Sessions(app["store"], setting("SECRET_KEY"))
    app["database"].prepare()
    app.add_routes(routes)
    serve(app, PORT)


main()
