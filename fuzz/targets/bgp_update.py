"""BGP UPDATEs of the lab's routers (RFC 4271, 4760, 6793)."""

from __future__ import annotations

from feeds.bgp_update import Update


def fuzz(data: bytes) -> None:
    """One input."""
    Update.decode(data)
