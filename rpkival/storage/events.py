"""The outbox's inner end: what there is to tell, written in the same transaction as what it tells of."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import msgspec

from rpkival.storage.database import Database

__all__ = ["append_event"]


def append_event(database: Database, kind: str, data: Mapping[str, Any], now: float) -> str:
    """Write an event (`kind` as `incident.opened`) to be told to every endpoint; returns its id.

    Call it inside `database.transaction()` together with the change it tells of: then neither exists without the other.
    """
    identifier = f"msg_{secrets.token_hex(16)}"
    database.write(
        "INSERT INTO events (id, type, created, data) VALUES (?, ?, ?, ?)",
        (identifier, kind, now, msgspec.json.encode(data).decode()),
    )
    return identifier
