#!/usr/bin/python3 -B
"""Writes the settings of the services.

configure.py install    four answers on standard input: host with port, database, user, password
configure.py upgrade    adds the keys that a new version knows; the others stay
"""
import json
import os
import re
import shutil
import sys
import uuid

ROOT = "/opt/workspad"
VERSION = "@VERSION@"
GATEWAY = f"{ROOT}/GatewayService/appsettings.json"
ADMIN_API = f"{ROOT}/AdminApiService/appsettings.json"

GATEWAY_SETTINGS = """\
{
  // Settings of the gateway. A comment is no error here.
  "Logging": { "LogLevel": { "Default": "Information" } },
  "InstallationId": "%(id)s",
  "Kestrel": {
    "Url": "https://*:4430",
    "Certificate": { "Path": "/opt/workspad/certificates/server.crt", "KeyPath": "/opt/workspad/certificates/server.key" }
  },
  "DataProtection": {
    "Certificate": "/opt/workspad/certificates/dataprotection.crt",
    "Key": "/opt/workspad/certificates/dataprotection.key"
  },
  "ConnectionStrings": {
    "WorksPadDatabase": %(database)s
  }
}
"""

ADMIN_API_SETTINGS = """\
{
  "ConnectionStrings": { "WorksPadDatabase": %(database)s }
}
"""


def write(path, text):
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o640)
        file.write(text)
    shutil.chown(f"{path}.new", "root", "workspad")
    os.rename(f"{path}.new", path)


def install(host, name, user, password):
    quoted = password.replace("'", "''")
    database = f"Host={host};Database={name};User Id={user};Password='{quoted}';"
    values = {"id": uuid.uuid4(), "database": json.dumps(database, ensure_ascii=False)}
    write(ADMIN_API, ADMIN_API_SETTINGS % values)
    write(GATEWAY, GATEWAY_SETTINGS % values)


def upgrade():
    with open(GATEWAY, encoding="utf-8") as file:
        settings = json.loads(re.sub(r"^\s*//.*$", "", file.read(), flags=re.M))
    if VERSION == "1.1":
        settings.setdefault("Features", {"Preview": True})
    write(GATEWAY, json.dumps(settings, indent=2, ensure_ascii=False) + "\n")


if sys.argv[1] == "install":
    install(*sys.stdin.read().rstrip("\n").split("\n"))
else:
    upgrade()
