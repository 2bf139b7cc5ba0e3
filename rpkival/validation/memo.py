"""What a publication point came to is kept, and not judged again while its inputs and its interval hold."""

from __future__ import annotations

import hashlib
import pickle
from typing import Protocol

from rpkival import __version__
from rpkival.validation.issuer import Issuer
from rpkival.validation.publication_point import PublicationPoint

__all__ = ["MEMO_VERSION", "Memo", "Remembered"]

MEMO_VERSION = f"{__version__} 6"
"""The last number is to be raised with every change between releases that makes something else of the same objects."""


class Memo(Protocol):
    """Records by key, on disk or not; one that is damaged is one that is not there."""

    def get(self, key: bytes) -> bytes | None:
        """The record of this key."""

    def put(self, key: bytes, record: bytes) -> None:
        """Keep a record."""

    def forget_unused(self, keys: frozenset[bytes]) -> None:
        """Forget all records but those of `keys`."""


class Remembered:
    """Publication points of one run, through a memo.

    When the chain above a point ends is no part of it: CAs above renew their manifests every few hours, which moves
    when things expire and nothing else.
    """

    def __init__(self, memo: Memo, *, strict: bool = False) -> None:
        self._memo = memo
        self._version = f"{MEMO_VERSION}{' strict' * strict}".encode()
        self._used: set[bytes] = set()

    def get(self, issuer: Issuer, manifest: bytes, now: int) -> PublicationPoint | None:
        """What is known of the point with the manifest of this digest at `now` (unix seconds)."""
        key = self._key(issuer, manifest)
        record = self._memo.get(key)
        if record is None:
            return None
        point = pickle.loads(record)  # noqa: S301 - we wrote it, and the memo has checked that it is whole
        if not (isinstance(point, PublicationPoint) and point.valid_from <= now <= point.valid_until):
            return None
        self._used.add(key)
        return point

    def put(self, issuer: Issuer, manifest: bytes, point: PublicationPoint) -> None:
        """Keep a point, if it would come to the same again."""
        if point.repeatable:
            key = self._key(issuer, manifest)
            self._used.add(key)
            self._memo.put(key, pickle.dumps(point, pickle.HIGHEST_PROTOCOL))

    def forget_unused(self) -> None:
        """After a whole run: what it did not need is of objects that are gone."""
        self._memo.forget_unused(frozenset(self._used))

    def _key(self, issuer: Issuer, manifest: bytes) -> bytes:
        chain = b"".join(issuer.chain)  # of 20 octets each
        anchor = issuer.trust_anchor.encode()
        return hashlib.sha256(b"\0".join((self._version, anchor, issuer.decisive, manifest, chain))).digest()
