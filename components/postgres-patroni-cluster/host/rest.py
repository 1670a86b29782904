#!/usr/bin/python3 -B
"""Asks and changes a Patroni member over its REST API (Patroni manual, "Patroni REST API").

  rest.py health              exit 0 when this member's PostgreSQL runs and, on a replica, streams
  rest.py cluster             one line for each member: name, role, state, timeline, lag
  rest.py config check FILE   exit 1 and say what differs between the dynamic configuration and the JSON file
  rest.py config apply FILE   make the dynamic configuration what the file says
"""
import base64
import http.client
import json
import ssl
import sys
import time
import urllib.error
import urllib.request

import yaml

CONFIG = "/etc/patroni/config.yml"
# What operators switch on and off at run time is theirs.
THEIRS = ("pause", "standby_cluster")


class NotYet(OSError):
    """The member has not taken over its new password yet, or does not reach etcd."""


class Member:
    """A member's REST API: this host's, or the one at another member's address."""

    def __init__(self, url=None, name=None, config=CONFIG):
        with open(config, encoding="utf-8") as file:
            self.config = yaml.safe_load(file)
        self.name = name or self.config["name"]
        restapi = self.config["restapi"]
        self.url = url or "https://" + restapi["connect_address"]
        self.context = ssl.create_default_context(cafile=restapi["cafile"])
        self.context.load_cert_chain(restapi["certfile"], restapi["keyfile"])
        login = restapi["authentication"]
        token = base64.b64encode(f"{login['username']}:{login['password']}".encode()).decode()
        self.headers = {"Authorization": "Basic " + token, "Content-Type": "application/json"}

    def ask(self, method, path, body=None, timeout=10):
        """The answer. What a member was told of it takes over in its next round: so long is waited."""
        end = time.monotonic() + 30
        while True:
            try:
                return self.ask_once(method, path, body, timeout)
            except NotYet:
                if time.monotonic() > end:
                    raise
            time.sleep(0.3)

    def ask_once(self, method, path, body, timeout):
        """The answer, as JSON where it is JSON. What Patroni refuses is an error with its own words."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, self.headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout, context=self.context) as answer:
                text = answer.read().decode()
        except urllib.error.HTTPError as error:
            said = error.read().decode().strip()
            kind = NotYet if error.code == 401 else OSError
            raise kind(f"Patroni on {self.name}: {method} {path}: {error.code} {said}") from error
        except http.client.RemoteDisconnected as error:
            # So Patroni answers when it does not reach etcd. What may be done once only is not tried again.
            kind = OSError if method == "POST" else NotYet
            raise kind(f"Patroni on {self.name} does not answer: {error}") from error
        except OSError as error:
            raise OSError(f"Patroni on {self.name} does not answer: {getattr(error, 'reason', error)}") from error
        try:
            return json.loads(text)
        except ValueError:
            return text

    def members(self):
        return self.ask("GET", "/cluster")["members"]


def flat(config, prefix=""):
    """{"a": {"b": 1}} -> {"a.b": 1}"""
    found = {}
    for key, value in config.items():
        if isinstance(value, dict):
            found.update(flat(value, prefix + key + "."))
        elif value is not None:
            found[prefix + key] = value
    return found


def differences(wanted, live):
    wanted, live = flat(wanted), flat(live)
    lines = []
    for key in sorted(set(wanted) | set(live)):
        if key.split(".")[0] in THEIRS:
            continue
        # PostgreSQL's parameters are text to Patroni, whichever way they were typed in.
        if str(wanted.get(key)) != str(live.get(key)):
            lines.append(f"{key} is {shown(live.get(key))}, want {shown(wanted.get(key))}")
    return lines


def shown(value):
    """As it stands in the configuration."""
    return "not set" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def replacement(wanted, live):
    return {**{key: live[key] for key in THEIRS if key in live}, **wanted}


def health(member):
    status = member.ask("GET", "/patroni")
    role = status.get("role")
    if status.get("state") != "running":
        return f"PostgreSQL is {status.get('state')}"
    if role in ("master", "primary"):
        return None
    if status.get("replication_state") not in (None, "streaming"):
        return f"{role} is {status['replication_state']}"
    if not any(m["role"] == "leader" for m in member.members()):
        return "the cluster has no leader"
    return None


def main(words):
    member = Member()
    if words == ["health"]:
        reason = health(member)
        if reason:
            print(reason)
        return 1 if reason else 0
    if words == ["cluster"]:
        for m in member.members():
            print(m["name"], m["role"], m["state"], m.get("timeline", "-"), m.get("lag", "-"))
        return 0
    if len(words) == 3 and words[0] == "config" and words[1] in ("check", "apply"):
        with open(words[2], encoding="utf-8") as file:
            wanted = json.load(file)
        live = member.ask("GET", "/config")
        lines = differences(wanted, live)
        if words[1] == "check":
            print("; ".join(lines), end="")
            return 1 if lines else 0
        if lines:
            member.ask("PUT", "/config", replacement(wanted, live))
        end = time.monotonic() + 60
        # What a member answers is as old as its last round.
        while differences(wanted, member.ask("GET", "/config")):
            if time.monotonic() > end:
                print("Patroni took the configuration, and does not show it after 60 s")
                return 1
            time.sleep(0.2)
        return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (OSError, ValueError) as error:
        print(error)
        sys.exit(1)
