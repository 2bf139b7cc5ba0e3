"""What is known of a feed's health; shown on the status page and in the metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["FeedState", "FeedStatus"]

FeedState: TypeAlias = Literal["connecting", "live", "stale", "down"]
"""`connecting`: not yet heard of. `live`: messages come. `stale`: connected, yet silent for too long. `down`: there is
no connection, and `FeedStatus.error` tells why."""


@dataclass(slots=True)
class FeedStatus:
    """Kept up to date by the feed; read by everybody else.

    `connected_since`, `last_message`: unix seconds, None where it is not connected or never heard anything. `messages`:
    all that came. `routes`: announcements and withdrawals. `malformed`: messages that could not be understood.
    `dropped`: messages that came faster than they were taken. `reconnects`: attempts to connect after the first.
    `error`: one sentence about the last trouble, None where it is over.
    """

    name: str
    url: str
    state: FeedState = "connecting"
    connected_since: float | None = None
    last_message: float | None = None
    messages: int = 0
    routes: int = 0
    malformed: int = 0
    dropped: int = 0
    reconnects: int = 0
    error: str | None = None
