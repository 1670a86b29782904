"""Users in PostgreSQL."""
import asyncio
import hashlib
import hmac
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg2

from settings import fail

TABLES = """
SELECT pg_advisory_xact_lock(7215);
CREATE TABLE IF NOT EXISTS users (name text PRIMARY KEY, salt bytea NOT NULL, verifier bytea NOT NULL);
"""


def verifier(password, salt):
    return hashlib.scrypt(password.encode(), salt=salt, n=1024, r=8, p=1)


# As long as Npgsql waits for an answer of a server that is gone without a word.
LIVENESS = {"connect_timeout": "3", "keepalives_idle": "15", "keepalives_interval": "5", "keepalives_count": "3"}


class Users:
    def __init__(self, login):
        self.login = {**LIVENESS, **login}
        self.local = threading.local()
        self.threads = ThreadPoolExecutor(8)

    def prepare(self):
        """The table and the first user, admin with the password admin; ends the process if that cannot be done."""
        try:
            self.run(TABLES)
            if not self.run("SELECT FROM users LIMIT 1"):
                salt = os.urandom(16)
                query = "INSERT INTO users VALUES ('admin', %s, %s) ON CONFLICT DO NOTHING"
                self.run(query, salt, verifier("admin", salt))
        except psycopg2.Error as error:
            fail(f"PostgreSQL: {error}")

    async def ask(self, query, *values):
        return await asyncio.get_running_loop().run_in_executor(self.threads, self.run, query, *values)

    def run(self, query, *values):
        """One transaction. A connection that broke while nothing was asked of it is replaced, once."""
        kept = getattr(self.local, "connection", None)
        try:
            return self.transaction(kept or self.connect(), query, values)
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            self.local.connection = None
            if not kept:
                raise
            return self.transaction(self.connect(), query, values)

    def connect(self):
        self.local.connection = psycopg2.connect(**self.login)
        return self.local.connection

    def transaction(self, connection, query, values):
        with connection, connection.cursor() as cursor:
            cursor.execute(query, values)
            return cursor.fetchall() if cursor.description else []

    async def named(self, name, seconds):
        query = "SELECT pg_sleep(%s); SELECT name FROM users WHERE name = %s"
        return [user for user, in await self.ask(query, seconds, name)]

    async def knows(self, user, password):
        for salt, wanted in await self.ask("SELECT salt, verifier FROM users WHERE name = %s", user):
            return hmac.compare_digest(verifier(password, bytes(salt)), bytes(wanted))
        return False
