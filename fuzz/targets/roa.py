"""ROAs (RFC 9582), as if all signatures were good: a CA signs what it likes."""

from __future__ import annotations

from rpkival.objects.roa import parse_roa


def fuzz(data: bytes) -> None:
    """One input."""
    parse_roa(data, check=lambda *_: None)
