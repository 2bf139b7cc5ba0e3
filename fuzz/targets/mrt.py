"""MRT files (RFC 6396): updates, tables, whatever lies between."""

from __future__ import annotations

from io import BytesIO

from feeds.mrt.reader import read_mrt


def fuzz(data: bytes) -> None:
    """One input."""
    for _ in read_mrt(BytesIO(data)):
        pass
