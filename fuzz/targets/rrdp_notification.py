"""RRDP notification files (RFC 8182 section 3.5.1)."""

from __future__ import annotations

from rpkival.repository.rrdp_xml import read_notification


def fuzz(data: bytes) -> None:
    """One input."""
    read_notification("fuzz", data)
