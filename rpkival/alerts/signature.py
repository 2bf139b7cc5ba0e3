"""Standard Webhooks signatures: HMAC-SHA256 over id, time and body."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rpkival.errors import UsageError
from rpkival.limits import MAX_SECRET_BYTES, MIN_SECRET_BYTES

__all__ = ["Secret", "read_secrets", "sign"]

_PREFIX = "whsec_"


@dataclass(frozen=True, slots=True)
class Secret:
    """A shared secret; its `repr` does not show it."""

    key: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Secret:
        """Read `whsec_` and base64. Raises `UsageError`, which never repeats the text."""
        encoded = text.strip()
        if not encoded.startswith(_PREFIX):
            raise UsageError("A webhook secret must begin with whsec_; make one with: openssl rand -base64 32.")
        encoded = encoded.removeprefix(_PREFIX)
        try:
            key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
        except (binascii.Error, ValueError):
            raise UsageError("A webhook secret must be base64 after whsec_; this one is not.") from None
        if not MIN_SECRET_BYTES <= len(key) <= MAX_SECRET_BYTES:
            raise UsageError(
                f"A webhook secret must have {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} bytes; this one has {len(key)}."
            )
        return cls(key)

    @classmethod
    def new(cls) -> Secret:
        """A random one."""
        return cls(secrets.token_bytes(32))

    def text(self) -> str:
        """As receivers and secret files have it."""
        return _PREFIX + base64.b64encode(self.key).decode()


def read_secrets(path: Path) -> tuple[Secret, ...]:
    """The secrets of a file, one a line: the one in use, and while rotating also the next. Raises `UsageError`."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise UsageError(f"The secret file {path} cannot be read: {reason}.") from error
    found = tuple(Secret.parse(line) for line in text.splitlines() if line.strip())
    if not found:
        raise UsageError(f"The secret file {path} is empty; write a line whsec_... into it.")
    return found


def sign(keys: Sequence[Secret], message_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` header: one `v1` signature for each secret, so that receivers may hold either."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    digests = (hmac.digest(secret.key, signed, hashlib.sha256) for secret in keys)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)
