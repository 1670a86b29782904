#!/usr/bin/python3 -B
"""Relay and rz: devices connect by WebSocket to 127.0.0.1:21117 and are registered in Redis while they stay.

relay.py -C FILE    redis_server is read from FILE, everything else from /etc/rudesktop/*.toml

GET /relay/         a device says {"id": …} first, and is told which node it is connected to
"""
import argparse
import asyncio
import glob
import sys
import tomllib

from aiohttp import WSMsgType, web

import shared
from process import NODE, fail, open_websocket, serve

PORT = 21117


def read(path):
    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError) as error:
        fail(f"{path}: {error}")


async def hold(request):
    websocket = await open_websocket(request)
    key = f"device:{(await websocket.receive_json())['id']}"
    registration = asyncio.create_task(stay_registered(request.app, key))
    await websocket.send_json({"node": NODE})
    async for message in websocket:
        if message.type == WSMsgType.TEXT:
            await websocket.send_str(message.data)
    registration.cancel()
    request.app["sockets"].discard(websocket)
    # It may be connected to another node by now.
    if await request.app["store"].get(key) == NODE:
        await request.app["store"].delete(key)
    return websocket


async def stay_registered(app, key):
    while True:
        try:
            await app["store"].setex(key, app["expiry"], NODE)
        except shared.redis.RedisError as error:
            print(f"{key}: {error}", file=sys.stderr, flush=True)
        await asyncio.sleep(app["expiry"] / 3)


async def ask_redis(app):
    try:
        await app["store"].ping()
    except (shared.redis.RedisError, OSError) as error:
        fail(f"Redis: {error}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-C", dest="file", required=True)
    file = parser.parse_args().file
    server = read(file).get("redis_server") or fail(f"{file}: redis_server is missing")
    settings = {}
    for path in sorted(glob.glob("/etc/rudesktop/*.toml")):
        settings.update(read(path))
    app = web.Application()
    app["store"] = shared.connect(server)
    app["expiry"] = settings.get("expiry", 30)
    app.on_startup.append(ask_redis)
    app.add_routes([web.get("/relay/", hold)])
    serve(app, PORT)


main()
