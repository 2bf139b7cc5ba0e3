"""Trust anchor locators (RFC 8630)."""

from __future__ import annotations

from rpkival.objects.tal import parse_tal


def fuzz(data: bytes) -> None:
    """One input."""
    parse_tal(data, "fuzz")
