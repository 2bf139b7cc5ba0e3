"""What publication points and trees of them came to is kept, and not found out again while inputs and interval hold."""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from rpkival.limits import MAX_TREE_AGE_SECONDS
from rpkival.objects.record import Record
from rpkival.validation.code_version import code_version
from rpkival.validation.issuer import Issuer
from rpkival.validation.known_tree import Revisions
from rpkival.validation.publication_point import PublicationPoint
from rpkival.validation.tree import Tree

__all__ = ["KeptTree", "Memo", "Remembered"]


class Memo(Protocol):
    """Records by key, on disk or not; one that is damaged is one that is not there."""

    def get(self, key: bytes) -> bytes | None:
        """The record of this key."""

    def put(self, key: bytes, record: bytes) -> None:
        """Keep a record."""

    def forget_unused(self, keys: frozenset[bytes]) -> None:
        """Forget all records but those of `keys`."""


@dataclass(frozen=True, slots=True)
class KeptTree(Record):
    """A tree as of certain revisions of its repositories and so many acceptances.

    `walked` is when each of its points was last looked at, in unix seconds.
    """

    tree: Tree
    revisions: Revisions
    acceptances: int
    walked: int


class Remembered:
    """What one run knows of the runs before, through a memo: publication points, and whole trees of them.

    When the chain above a point ends is no part of it: CAs above renew their manifests every few hours, which moves
    when things expire and nothing else. Without a memo, nothing is known.
    """

    def __init__(self, memo: Memo | None, *, strict: bool = False) -> None:
        self._memo = memo
        self._version = b"" if memo is None else code_version() + b" strict" * strict
        self._used: set[bytes] = set()

    def identity(self, issuer: Issuer) -> bytes:
        """What makes the same of the same manifest, a digest."""
        chain = b"".join(issuer.chain)  # of 20 octets each
        anchor = issuer.trust_anchor.encode()
        return _digest(b"\0".join((self._version, anchor, issuer.decisive, chain)))

    def get(self, identity: bytes, manifest: bytes, now: int) -> PublicationPoint | None:
        """What is known of the point with the manifest of this digest at `now` (unix seconds)."""
        point = self._record(_digest(identity, manifest))
        return point if isinstance(point, PublicationPoint) and point.valid_from <= now <= point.valid_until else None

    def put(self, identity: bytes, manifest: bytes, point: PublicationPoint) -> None:
        """Keep a point, if it would come to the same again."""
        if self._memo is not None and point.repeatable:
            key = _digest(identity, manifest)
            self._used.add(key)
            self._memo.put(key, pickle.dumps(point, pickle.HIGHEST_PROTOCOL))

    def tree(self, root: Issuer, now: int) -> KeptTree | None:
        """What the trust anchor led to the last time, unless it is time for another look at each of its points."""
        kept = self._record(self._tree_key(root))
        return kept if isinstance(kept, KeptTree) and 0 <= now - kept.walked < MAX_TREE_AGE_SECONDS else None

    def put_tree(self, root: Issuer, kept: KeptTree) -> None:
        """Keep what the trust anchor led to."""
        if self._memo is not None:
            self._memo.put(self._tree_key(root), pickle.dumps(kept, pickle.HIGHEST_PROTOCOL))

    def forget_unused(self, trees: Iterable[Tree]) -> None:
        """After a whole run: what neither it nor these, its trees, needed is of objects that are gone."""
        if self._memo is None:
            return
        keys = set(self._used)
        for tree in trees:
            identities, manifests = tree.rows["identity"].tolist(), tree.rows["manifest"].tolist()
            keys.update(_digest(*row) for row in zip(identities, manifests, strict=True))
        self._memo.forget_unused(frozenset(keys))

    def _tree_key(self, root: Issuer) -> bytes:
        return _digest(b"tree", self.identity(root))

    def _record(self, key: bytes) -> object:
        if self._memo is None:
            return None
        record = self._memo.get(key)
        self._used.add(key)
        return None if record is None else pickle.loads(record)  # noqa: S301 - we wrote it, and it was found whole


def _digest(*parts: bytes) -> bytes:
    return sha256(b"".join(parts)).digest()
