"""Sessions are in a cookie alone, protected with the data-protection certificate: who has another one cannot read it."""
import base64
import hashlib
import hmac
import json
import os
import subprocess


def public_key(*command):
    return subprocess.run(["openssl", *command], check=True, capture_output=True).stdout


class DataProtection:
    def __init__(self, certificate, key):
        if public_key("x509", "-in", certificate, "-noout", "-pubkey") != public_key("pkey", "-in", key, "-pubout"):
            raise ValueError(f"{key} is not the key of {certificate}")
        with open(key, "rb") as file:
            self.key = hashlib.sha256(file.read()).digest()

    def stream(self, nonce, length):
        return hashlib.shake_256(self.key + nonce).digest(length)

    def protect(self, session):
        plain = json.dumps(session).encode()
        nonce = os.urandom(16)
        hidden = nonce + bytes(a ^ b for a, b in zip(plain, self.stream(nonce, len(plain))))
        return base64.urlsafe_b64encode(hidden + hmac.digest(self.key, hidden, "sha256")).decode()

    def unprotect(self, token):
        """The session, or None: it was protected with another certificate, or by nobody."""
        try:
            raw = base64.urlsafe_b64decode(token)
        except ValueError:
            return None
        hidden, signature = raw[:-32], raw[-32:]
        if not hmac.compare_digest(signature, hmac.digest(self.key, hidden, "sha256")):
            return None
        nonce, body = hidden[:16], hidden[16:]
        return json.loads(bytes(a ^ b for a, b in zip(body, self.stream(nonce, len(body)))))
