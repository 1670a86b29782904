"""What the processes of the stand-in share: settings from the environment, systemd, serving."""
import os
import socket
import sys

from aiohttp import web

NODE = socket.gethostname()


def fail(message):
    print(message, file=sys.stderr, flush=True)
    sys.exit(1)


def setting(name, allowed=None):
    """A variable of /etc/default/rudesktop, which has to be there."""
    value = os.environ.get(name, "")
    if not value:
        fail(f"{name} is missing in /etc/default/rudesktop")
    if allowed and value not in allowed:
        fail(f"{name}: {value!r} in /etc/default/rudesktop is none of {', '.join(allowed)}")
    return value


def say_ready(_):
    """Tells systemd, see sd_notify(3); called when the port is open."""
    path = os.environ.get("NOTIFY_SOCKET")
    if path:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.sendto(b"READY=1", path.replace("@", "\0", 1))


def serve(app, port):
    """Until SIGTERM; open WebSockets are told that this node goes away."""
    app["sockets"] = set()
    app.on_shutdown.append(say_goodbye)
    web.run_app(app, host="127.0.0.1", port=port, print=say_ready, access_log=None, shutdown_timeout=5)


async def say_goodbye(app):
    for websocket in set(app["sockets"]):
        await websocket.close(code=1001, message=b"the node goes away")


async def open_websocket(request):
    websocket = web.WebSocketResponse(heartbeat=20)
    await websocket.prepare(request)
    request.app["sockets"].add(websocket)
    return websocket
