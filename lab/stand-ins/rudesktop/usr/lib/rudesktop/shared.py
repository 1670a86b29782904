"""What all nodes share in Redis: sessions, and which device is connected where."""
import hashlib
import hmac
import json
import secrets

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from process import NODE, fail


def connect(url):
    """One more try where a connection broke while nothing was asked of it."""
    try:
        return redis.asyncio.from_url(
            url,
            socket_timeout=3,
            socket_connect_timeout=3,
            retry=Retry(NoBackoff(), 1),
            retry_on_error=[redis.ConnectionError],
            decode_responses=True,
        )
    except ValueError as error:
        fail(f"the address of Redis is wrong: {error}")


class Sessions:
    LIFETIME = 24 * 3600

    def __init__(self, store, secret_key):
        self.store = store
        self.key = secret_key.encode()

    def signature(self, identifier):
        return hmac.new(self.key, identifier.encode(), hashlib.sha256).hexdigest()

    async def open(self, user):
        identifier = secrets.token_hex(16)
        await self.store.setex(f"session:{identifier}", self.LIFETIME, json.dumps({"user": user, "madeOn": NODE}))
        return f"{identifier}.{self.signature(identifier)}"

    async def find(self, token):
        """The session, or None: nobody has made it, it is over, or it was signed with another SECRET_KEY."""
        identifier, _, signature = token.partition(".")
        if not hmac.compare_digest(signature, self.signature(identifier)):
            return None
        stored = await self.store.get(f"session:{identifier}")
        return json.loads(stored) if stored else None

    async def close(self, token):
        await self.store.delete(f"session:{token.partition('.')[0]}")
