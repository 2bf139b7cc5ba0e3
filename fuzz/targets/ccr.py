"""Canonical cache representations (draft-ietf-sidrops-rpki-ccr), as if all hashes in them were right."""

from __future__ import annotations

from types import SimpleNamespace
from unittest.mock import patch

from rpkival.objects import ccr


class _Right(bytes):
    """A digest that is always the one that was wanted."""

    def __eq__(self, _other: object) -> bool:
        return True

    def __ne__(self, _other: object) -> bool:
        return False

    def __hash__(self) -> int:
        return 0


_ALWAYS_RIGHT = SimpleNamespace(sha256=lambda _: SimpleNamespace(digest=lambda: _Right(32)))


def fuzz(data: bytes) -> None:
    """One input. What is read can be written, and is the same then."""
    with patch.object(ccr, "hashlib", _ALWAYS_RIGHT):
        read = ccr.parse_ccr(data)
    assert ccr.parse_ccr(ccr.write_ccr(read)) == read
