"""Trust anchor keys (RFC 9691), as if all signatures were good."""

from __future__ import annotations

from rpkival.objects.trust_anchor_key import parse_tak


def fuzz(data: bytes) -> None:
    """One input."""
    parse_tak(data, check=lambda *_: None)
