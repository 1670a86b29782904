"""appsettings.json, and the connection string in it as Npgsql reads it."""
import json
import re
import sys

FILE = "/opt/workspad/GatewayService/appsettings.json"

# Keyword of Npgsql -> parameter of libpq. An unknown keyword is an error there as here.
KEYWORDS = {
    "host": "host",
    "server": "host",
    "port": "port",
    "database": "dbname",
    "username": "user",
    "user id": "user",
    "password": "password",
    "ssl mode": "sslmode",
    "root certificate": "sslrootcert",
    "maximum pool size": None,
    "timeout": "connect_timeout",
}
SSL_MODES = {"VerifyFull": "verify-full", "VerifyCA": "verify-ca"}
PAIR = re.compile(r"\s*([^=;]+?)\s*=\s*('(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|[^;'\"]*)\s*(?:;|\Z)", re.S)


def fail(message):
    print(message, file=sys.stderr, flush=True)
    sys.exit(1)


def read():
    """With comments, as the configuration of ASP.NET Core allows them."""
    with open(FILE, encoding="utf-8-sig") as file:
        return json.loads(re.sub(r"^\s*//.*$", "", file.read(), flags=re.M))


def libpq(connection_string):
    """The same connection in libpq's words."""
    found = {"port": "5432"}
    position = 0
    while position < len(connection_string.rstrip().rstrip(";")):
        pair = PAIR.match(connection_string, position)
        if not pair:
            fail(f"{FILE}: the connection string cannot be read at character {position + 1}")
        position = pair.end()
        keyword, value = pair[1].lower(), pair[2]
        if value[:1] in ("'", '"'):
            value = value[1:-1].replace(value[0] * 2, value[0])
        if keyword not in KEYWORDS:
            fail(f"{FILE}: the connection string has an unknown keyword: {pair[1]}")
        if KEYWORDS[keyword]:
            found[KEYWORDS[keyword]] = value
    host, colon, port = found["host"].rpartition(":")
    if colon and "]" not in port and ":" not in host:
        found.update(host=host, port=port)
    mode = found.get("sslmode", "Prefer")
    found["sslmode"] = SSL_MODES.get(mode, mode.lower())
    return found
