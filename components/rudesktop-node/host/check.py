#!/usr/bin/python3 -B
"""Whether this node reaches what RuDesktop's nodes share, by the files that RuDesktop itself reads.

  check.py                      PostgreSQL and Redis: log in, and measure the round trip
  check.py throughput           the same, and how much goes through; it loads both for about a second
  check.py postgres | redis     one of the two
  check.py identity             keyed digests of what has to be the same on every node
  check.py mark|marked NODE     leave this node's digests in Redis; exit 1 if it has not
  check.py agree NODE…          the digests that these nodes have left in Redis are this node's

What is slower than RuDesktop asks for is a line that begins with "warning:". The exit code is 1 when something fails.
"""
import hashlib
import hmac
import os
import re
import socket
import statistics
import subprocess
import sys
import time
import tomllib
from urllib.parse import unquote, urlsplit

VARIABLES = "/etc/default/rudesktop"
RELAY = "/etc/rudesktop-relay.toml"
DIGEST_KEY = "/etc/hastack/rudesktop-digest.key"
MARKS = "hastack:rudesktop:nodes"

MOST_MILLISECONDS = 1.0
LEAST_GBIT_PER_SECOND = 1.0
ROUNDS = 21
MIB = 1024 * 1024
BULK_MIB = 64


class Failed(Exception):
    """What does not work, for the operator."""


def variables():
    """As the shell reads them; systemd reads the same."""
    printed = subprocess.run(
        ["sh", "-euc", f"set -a; . {VARIABLES}; exec env -0"], env={"PATH": os.defpath}, capture_output=True, check=False
    )
    if printed.returncode:
        raise Failed(f"{VARIABLES} cannot be read: {printed.stderr.decode().strip()}")
    return dict(pair.split("=", 1) for pair in printed.stdout.decode().split("\0") if pair)


def value(settings, name):
    if not settings.get(name):
        raise Failed(f"{name} is missing in {VARIABLES}")
    return settings[name]


def redis_server():
    with open(RELAY, "rb") as file:
        found = tomllib.load(file).get("redis_server")
    if not found:
        raise Failed(f"redis_server is missing in {RELAY}")
    return found


class Postgres:
    def __init__(self, settings):
        self.where = f"PostgreSQL at {value(settings, 'POSTGRES_HOST')}:{value(settings, 'POSTGRES_PORT')}"
        self.user = value(settings, "POSTGRES_USER")
        self.mode = value(settings, "POSTGRES_SSL_MODE")
        # Not in the command line, which everybody on the host can read.
        self.environment = {
            "PATH": os.defpath,
            "PGHOST": settings["POSTGRES_HOST"],
            "PGPORT": settings["POSTGRES_PORT"],
            "PGDATABASE": value(settings, "POSTGRES_DB"),
            "PGUSER": self.user,
            "PGPASSWORD": value(settings, "POSTGRES_PASSWORD"),
            "PGSSLMODE": self.mode,
            "PGCONNECT_TIMEOUT": "5",
            "PGOPTIONS": "",
        }
        if self.mode == "verify-ca":
            self.environment["PGSSLROOTCERT"] = value(settings, "POSTGRES_CA_FILE")

    def milliseconds(self, *statements):
        """How long each takes on one connection."""
        text = "\\o /dev/null\n\\timing on\n" + "".join(f"{statement};\n" for statement in statements)
        command = ["psql", "-XAt", "-v", "ON_ERROR_STOP=1", "-f", "-"]
        done = subprocess.run(command, input=text, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed(f"{self.where}: {done.stderr.strip()}")
        return [float(found) for found in re.findall(r"^Time: ([\d.]+) ms", done.stdout, re.M)]

    def login(self):
        times = self.milliseconds(*["SELECT 1"] * ROUNDS)
        verified = "its certificate verified" if self.mode == "verify-ca" else "its certificate not verified"
        return f"{self.where}: logged in as {self.user} over TLS, {verified}", statistics.median(times)

    def gbit_per_second(self):
        rows = BULK_MIB * MIB // 8192
        copy = f"COPY (SELECT repeat('x', 8192) FROM generate_series(1, {rows})) TO STDOUT"
        (took,) = self.milliseconds(copy)
        return BULK_MIB * MIB * 8 / 1e9 / (took / 1000)


class Redis:
    def __init__(self, url):
        parts = urlsplit(url)
        self.where = f"Redis at {parts.hostname}:{parts.port}"
        try:
            self.socket = socket.create_connection((parts.hostname, parts.port), timeout=5)
        except OSError as error:
            raise Failed(f"{self.where}: {error}") from error
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.answers = self.socket.makefile("rb")
        user = [unquote(parts.username)] if parts.username else []
        self.ask("AUTH", *user, unquote(parts.password or ""))

    def ask(self, *words):
        """One command and its answer (RESP2, redis.io: protocol specification)."""
        encoded = [word if isinstance(word, bytes) else word.encode() for word in words]
        message = b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)
        try:
            self.socket.sendall(message)
            return self.answer(words[0])
        except OSError as error:
            raise Failed(f"{self.where}: {words[0]}: {error}") from error

    def answer(self, command):
        line = self.answers.readline().rstrip(b"\r\n")
        kind, rest = line[:1], line[1:].decode()
        if kind == b"$":
            if rest == "-1":
                return None
            return self.answers.read(int(rest) + 2)[:-2]
        if kind in (b"+", b":"):
            return rest
        raise Failed(f"{self.where}: {command}: {rest or 'the connection was closed'}")

    def login(self):
        times = []
        for _ in range(ROUNDS):
            begin = time.perf_counter()
            self.ask("PING")
            times.append((time.perf_counter() - begin) * 1000)
        return f"{self.where}: PING answered", statistics.median(times)

    def gbit_per_second(self):
        payload = b"x" * MIB
        begin = time.perf_counter()
        for _ in range(BULK_MIB):
            self.ask("ECHO", payload)
        # There and back, one after the other.
        return 2 * BULK_MIB * MIB * 8 / 1e9 / (time.perf_counter() - begin)


def report(service, with_throughput):
    said, milliseconds = service.login()
    print(f"{said}, round trip {milliseconds:.2f} ms")
    if milliseconds > MOST_MILLISECONDS:
        print(f"warning: {service.where}: the round trip takes {milliseconds:.2f} ms; RuDesktop asks for less than 1 ms")
    if with_throughput:
        gbit = service.gbit_per_second()
        print(f"{service.where}: {gbit:.2f} Gbit/s; the network has this at least: both ends and TLS are part of it")
        if gbit < LEAST_GBIT_PER_SECOND:
            print(f"warning: {service.where}: {gbit:.2f} Gbit/s came through; RuDesktop asks for a network of 1 Gbit/s")


def identity(settings):
    """A word for each value; without the key it tells nothing of it."""
    with open(DIGEST_KEY, "rb") as file:
        key = file.read()
    values = {name: value(settings, name) for name in ("SECRET_KEY", "REDIS_URL", "RELAY_ARGS")}
    values["redis_server"] = redis_server()
    return " ".join(
        f"{name}={hmac.new(key, f'{name}={found}'.encode(), hashlib.sha256).hexdigest()[:12]}"
        for name, found in values.items()
    )


def disagreements(own, redis, nodes):
    for node in nodes:
        left = redis.ask("HGET", MARKS, node)
        if left is None:
            yield f"{node} has left nothing in the Redis that this node uses: do both use the same one?"
            continue
        differing = [pair.split("=")[0] for pair in set(own.split()) - set(left.decode().split())]
        if differing:
            yield f"{node} has another {', '.join(sorted(differing))}"


def main(command="all", *names):
    settings = variables()
    url = value(settings, "REDIS_URL")
    if command in ("all", "throughput"):
        report(Postgres(settings), command == "throughput")
        report(Redis(url), command == "throughput")
    elif command == "postgres":
        report(Postgres(settings), False)
    elif command == "redis":
        if redis_server() != url:
            raise Failed(f"redis_server in {RELAY} and REDIS_URL in {VARIABLES} are not the same")
        report(Redis(url), False)
    elif command == "identity":
        print(identity(settings))
    elif command == "mark":
        Redis(url).ask("HSET", MARKS, names[0], identity(settings))
    elif command == "marked":
        left = Redis(url).ask("HGET", MARKS, names[0])
        if left is None or left.decode() != identity(settings):
            raise Failed("what this node has left there is missing, or old")
    elif command == "agree":
        found = list(disagreements(identity(settings), Redis(url), names))
        if found:
            raise Failed("; ".join(found))
    else:
        print(__doc__, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (Failed, OSError, tomllib.TOMLDecodeError) as error:
        print(error)
        sys.exit(1)
