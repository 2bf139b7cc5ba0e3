"""RIS Live's messages: what cannot be understood is counted, and nothing raises."""

from __future__ import annotations

from feeds.ris_message import decode_messages


def fuzz(data: bytes) -> None:
    """One input."""
    decode_messages([data])
