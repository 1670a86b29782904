#!/usr/bin/python3 -B
"""Takes a member that was set up by hand over, while its PostgreSQL runs on.

  adopt.py theirs     exit 0 if the Patroni that runs here was started by hand
  adopt.py pause      Patroni makes no failover any more, and PostgreSQL goes on when Patroni stops
  adopt.py paused     exit 1 and say so if that is not so
  adopt.py known      exit 1 and say so if etcd does not know the cluster
  adopt.py announce   tell etcd of the cluster, and that it is in pause: so nobody is promoted before its leader is back
  adopt.py resume     end the pause
"""
import base64
import json
import os
import ssl
import subprocess
import sys
import time
import urllib.request

CONFIG = "/etc/patroni/config.yml"
# There from the pause to its end: where the Patroni that was set up by hand answers. An operator's own pause leaves none.
MARK = "/etc/patroni/adopting.json"
WAIT = 60


def command_line():
    """Of the Patroni that runs here; nothing where none does."""
    show = ["systemctl", "show", "--property=MainPID", "--value", "patroni"]
    pid = subprocess.run(show, check=True, capture_output=True, text=True).stdout.strip()
    if pid in ("", "0"):
        return []
    with open(f"/proc/{pid}/cmdline", encoding="utf-8") as file:
        return file.read().rstrip("\0").split("\0")


def theirs():
    words = command_line()
    return bool(words) and not any(word.startswith("/usr/local/lib/hastack/") for word in words)


def ask(rest, method, path, body=None):
    headers = {"Content-Type": "application/json", **rest["headers"]}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(rest["url"] + path, data, headers, method=method)
    # It is this host's own address; its certificate may be anybody's.
    with urllib.request.urlopen(request, timeout=10, context=ssl._create_unverified_context()) as answer:
        text = answer.read().decode()
    return json.loads(text) if text.startswith("{") else text


def is_paused(rest):
    return bool(ask(rest, "GET", "/patroni").get("pause"))


def pause():
    import yaml

    with open(command_line()[-1], encoding="utf-8") as file:
        restapi = yaml.safe_load(file)["restapi"]
    rest = {"url": ("https://" if restapi.get("certfile") else "http://") + restapi["connect_address"], "headers": {}}
    login = restapi.get("authentication")
    if login:
        token = base64.b64encode(f"{login['username']}:{login['password']}".encode()).decode()
        rest["headers"] = {"Authorization": "Basic " + token}
    with open(os.open(MARK, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(rest, file)
    until(lambda: is_paused(rest), lambda: ask(rest, "PATCH", "/config", {"pause": True}), "Patroni is not in pause")


def until(done, change, otherwise):
    """Members change the same configuration at the same moment: Patroni refuses who comes second, and that is no error."""
    end = time.monotonic() + WAIT
    while not done():
        try:
            change()
            refused = ""
        except OSError as error:
            refused = f": {error}"
        if time.monotonic() > end:
            raise OSError(f"{otherwise} after {WAIT} s{refused}")
        time.sleep(0.5)


def marked():
    with open(MARK, encoding="utf-8") as file:
        return json.load(file)


def store():
    """The new etcd, as Patroni itself asks it."""
    import yaml

    sys.path.pop(0)  # the program patroni.py is beside this one
    from patroni.dcs import get_dcs

    with open(CONFIG, encoding="utf-8") as file:
        config = yaml.safe_load(file)
    dynamic = config["bootstrap"]["dcs"]
    times = {key: dynamic[key] for key in ("ttl", "loop_wait", "retry_timeout")}
    return config, get_dcs({**config, **times, "patronictl": True})


def unknown():
    _, dcs = store()
    cluster = dcs.get_cluster()
    return None if cluster.initialize and cluster.config else "etcd does not know the cluster yet"


def announce():
    config, dcs = store()
    if not dcs.get_cluster().config:
        # Replicas cannot log in before their role has its new password, and a leader that waited for one of them could never
        # give it one. Whether the cluster is synchronous is said later, with its other parameters.
        first = {"pause": True, "synchronous_mode": False}
        dcs.set_config_value(json.dumps({**config["bootstrap"]["dcs"], **first}))
    control = [config["postgresql"]["bin_dir"] + "/pg_controldata", "-D", config["postgresql"]["data_dir"]]
    printed = subprocess.run(control, check=True, capture_output=True, text=True, env={"LC_ALL": "C"}).stdout
    fields = dict(line.split(":", 1) for line in printed.splitlines() if ":" in line)
    if not dcs.get_cluster().initialize:
        dcs.initialize(create_new=True, sysid=fields["Database system identifier"].strip())


def resume():
    from rest import Member

    member = Member()
    until(
        lambda: not member.ask("GET", "/patroni").get("pause"),
        lambda: member.ask("PATCH", "/config", {"pause": None}),
        "Patroni is still in pause",
    )
    os.unlink(MARK)


def main(word):
    if word == "theirs":
        return None if theirs() else "no Patroni that was started by hand runs here"
    if word == "paused":
        return None if os.path.exists(MARK) and is_paused(marked()) else "Patroni is not in pause"
    if word == "known":
        return unknown()
    return {"pause": pause, "announce": announce, "resume": resume}[word]()


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in ("theirs", "pause", "paused", "known", "announce", "resume"):
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    try:
        reason = main(sys.argv[1])
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        reason = str(error)
    if reason:
        print(reason)
    sys.exit(1 if reason else 0)
