"""CRLs (RFC 6487 section 5)."""

from __future__ import annotations

from rpkival.objects.crl import parse_crl


def fuzz(data: bytes) -> None:
    """One input."""
    parse_crl(data)
