#!/usr/bin/python3 -B
"""Says as JSON which Patroni and PostgreSQL run on this host, or why that cannot be said, or that an interrupted takeover
(adopt.py) is to go on. Changes nothing."""
import json
import os
import re
import ssl
import subprocess
import sys
import urllib.request


class Unknown(Exception):
    """Why it cannot be said what runs here."""


def command(*words):
    # As postgres, and where postgres may be.
    done = subprocess.run(words, capture_output=True, text=True, cwd="/", env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"})
    if done.returncode != 0:
        raise Unknown(f"{words[0]} failed: {done.stderr.strip()}")
    return done.stdout


def running_config():
    """The configuration that the running Patroni was started with."""
    pid = command("systemctl", "show", "--property=MainPID", "--value", "patroni").strip()
    if pid in ("", "0"):
        raise Unknown("no Patroni runs here as patroni.service: start the cluster that is to be taken over")
    with open(f"/proc/{pid}/cmdline", encoding="utf-8") as file:
        words = file.read().rstrip("\0").split("\0")
    return words[-1]


def rest_of(config):
    restapi = config.get("restapi", {})
    return ("https://" if restapi.get("certfile") else "http://") + restapi.get("connect_address", "127.0.0.1:8008")


def ask(base, path):
    # It is this host's own address; its certificate may be anybody's.
    with urllib.request.urlopen(base + path, timeout=5, context=ssl._create_unverified_context()) as answer:
        return json.load(answer)


def query(database, sql):
    printed = command("runuser", "-u", "postgres", "--", "psql", "-XAtqw", "-d", database, "-c", sql)
    return json.loads(printed or "null")


ROLES = """SELECT coalesce(json_agg(json_build_object('name', rolname, 'verifier', rolpassword) ORDER BY rolname), '[]')
  FROM pg_authid WHERE rolcanlogin"""
DATABASES = """SELECT coalesce(json_agg(json_build_object('name', datname, 'owner', pg_get_userbyid(datdba), 'bytes', pg_database_size(oid)) ORDER BY datname), '[]')
  FROM pg_database WHERE datallowconn AND datname NOT IN ('postgres', 'template1')"""


def found():
    if os.path.exists("/etc/patroni/adopting.json"):
        return {"underway": True}
    try:
        import yaml
    except ImportError:
        raise Unknown("Patroni is not installed here: there is nothing to take over")
    path = running_config()
    with open(path, encoding="utf-8") as file:
        config = yaml.safe_load(file)
    postgresql = config["postgresql"]
    users = postgresql.get("authentication", {})
    data = postgresql["data_dir"]
    rest = rest_of(config)
    with open(data + "/PG_VERSION", encoding="utf-8") as file:
        version = int(file.read())
    control = command(f"/usr/lib/postgresql/{version}/bin/pg_controldata", "-D", data)
    controlled = dict(re.findall(r"^(.*?): +(.*)$", control, re.M))
    with open(data + "/pg_hba.conf", encoding="utf-8") as file:
        hba = [line.strip() for line in file if line.strip() and not line.startswith("#")]
    return {
        "config": path,
        "scope": config.get("scope"),
        "namespace": "/" + config.get("namespace", "service").strip("/") + "/",
        "name": config.get("name"),
        "store": next((kind for kind in ("etcd3", "etcd", "consul", "zookeeper", "raft", "kubernetes") if kind in config), "none"),
        "superuser": users.get("superuser", {}).get("username"),
        "replication": users.get("replication", {}).get("username"),
        "data": os.path.realpath(data),
        "version": version,
        "identifier": controlled["Database system identifier"],
        "checksums": controlled["Data page checksum version"] != "0",
        "hba": hba,
        "members": [{"name": m["name"], "role": m["role"], "state": m["state"]} for m in ask(rest, "/cluster")["members"]],
        "parameters": ask(rest, "/config").get("postgresql", {}).get("parameters", {}),
        "roles": query("postgres", ROLES),
        "databases": query("postgres", DATABASES),
    }


try:
    print(json.dumps(found()))
except (Unknown, OSError, KeyError, ValueError) as error:
    reason = str(error) if not isinstance(error, KeyError) else f"its Patroni's configuration has no {error}"
    print(json.dumps({"unknown": reason}))
