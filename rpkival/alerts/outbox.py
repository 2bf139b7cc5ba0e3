"""The outbox: what is still to be delivered to whom. At least once: an attempt is noted before it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from rpkival.alerts.message import compose
from rpkival.alerts.schedule import Answer, DeliveryState, Outcome
from rpkival.limits import EVENT_RETENTION, WEBHOOK_TIMEOUT
from rpkival.storage import Database, append_event

__all__ = ["Delivery", "DeliveryReport", "Outbox"]

_LEASE = WEBHOOK_TIMEOUT + 5
"""Seconds an attempt is ours. Longer than it can last: only after a crash does another one begin."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one endpoint. `attempts` counts the one at hand."""

    event: int
    endpoint: int
    attempts: int
    message_id: str
    kind: str
    created: float
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """How far a delivery got, for people."""

    message_id: str
    kind: str
    url: str
    state: DeliveryState
    attempts: int
    due: float
    status: int | None
    answer: str | None
    created: float
    finished_at: float | None


class Outbox:
    """Events and their deliveries in the database."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def enqueue(self, kind: str, data: Mapping[str, Any], now: float) -> str:
        """Put an event (`feed.stale`, `payload.held`, ...) in; returns its id. It is safe when this returns.

        Raises `ValueError` for data that no cutting of lists and texts makes small enough.
        """
        compose(kind, now, data)
        return append_event(self.database, kind, data, now)

    def register(self, url: str) -> int:
        """The number of an endpoint. A new one is told what happens from now on, a known one what it has missed."""
        with self.database.transaction():
            self.database.write(
                "INSERT OR IGNORE INTO endpoints (url, told, resting_until)"
                " VALUES (?, (SELECT coalesce(max(number), 0) FROM events), 0)",
                (url,),
            )
            number: int = self.database.rows("SELECT number FROM endpoints WHERE url = ?", (url,))[0]["number"]
        return number

    def spread(self, endpoint: int, now: float) -> None:
        """Make a delivery to this endpoint of each event that it has not been told."""
        news = self.database.rows(
            "SELECT 1 FROM endpoints WHERE number = ? AND disabled_at IS NULL"
            " AND told < (SELECT max(number) FROM events)",
            (endpoint,),
        )
        if not news:
            return
        with self.database.transaction():
            self.database.write(
                "INSERT OR IGNORE INTO deliveries (event, endpoint, state, attempts, due)"
                " SELECT events.number, endpoints.number, 'waiting', 0, ? FROM endpoints"
                " JOIN events ON events.number > told WHERE endpoints.number = ?",
                (now, endpoint),
            )
            self.database.write(
                "UPDATE endpoints SET told = (SELECT max(number) FROM events) WHERE number = ?", (endpoint,)
            )

    def claim(self, endpoint: int, now: float, *, begun: float | None = None) -> Delivery | None:
        """Take the next delivery to an endpoint that is due at `now`; None where there is none.

        It is ours for `_LEASE` from `begun`, when the attempt begins (default `now`).
        """
        with self.database.transaction():
            rows = self.database.rows(
                "SELECT event, endpoint, attempts, events.id, type, created, data FROM deliveries"
                " JOIN events ON events.number = event JOIN endpoints ON endpoints.number = endpoint"
                " WHERE endpoint = ? AND state = 'waiting' AND due <= ? AND resting_until <= ? AND disabled_at IS NULL"
                " ORDER BY due, event LIMIT 1",
                (endpoint, now, now),
            )
            if not rows:
                return None
            row = rows[0]
            self.database.write(
                "UPDATE deliveries SET attempts = attempts + 1, due = ? WHERE event = ? AND endpoint = ?",
                ((now if begun is None else begun) + _LEASE, row["event"], endpoint),
            )
        data = msgspec.json.decode(row["data"])
        return Delivery(row["event"], endpoint, row["attempts"] + 1, row["id"], row["type"], row["created"], data)

    def record(self, delivery: Delivery, answer: Answer, outcome: Outcome, now: float) -> None:
        """Write down how an attempt ended."""
        finished = None if outcome.state == "waiting" else now
        with self.database.transaction():
            self.database.write(
                "UPDATE deliveries SET state = ?, due = ?, status = ?, answer = ?, finished_at = ?"
                " WHERE event = ? AND endpoint = ?",
                (
                    outcome.state,
                    outcome.due,
                    answer.status,
                    answer.text,
                    finished,
                    delivery.event,
                    delivery.endpoint,
                ),
            )
            self.database.write(
                "UPDATE endpoints SET resting_until = max(resting_until, ?),"
                " disabled_at = CASE WHEN ? THEN ? ELSE disabled_at END WHERE number = ?",
                (outcome.resting_until, outcome.disables, now, delivery.endpoint),
            )

    def next_due(self, endpoint: int) -> float | None:
        """When the next delivery to this endpoint is due; None where nothing waits."""
        rows = self.database.rows(
            "SELECT min(max(due, resting_until)) AS due FROM deliveries"
            " JOIN endpoints ON endpoints.number = endpoint"
            " WHERE endpoint = ? AND state = 'waiting' AND disabled_at IS NULL",
            (endpoint,),
        )
        due: float | None = rows[0]["due"]
        return due

    def redeliver(self, id: str, now: float) -> int:  # noqa: A002 - the field's own name
        """Send the event `msg_...`, or all events of the incident `inc_...`, once more; how many deliveries that makes.

        Endpoints that had answered 410 are enabled again by this.
        """
        with self.database.transaction():
            self.database.write(
                "UPDATE endpoints SET disabled_at = NULL WHERE number IN (SELECT endpoint FROM deliveries"
                " JOIN events ON events.number = event WHERE events.id = ? OR json_extract(data, '$.id') = ?)",
                (id, id),
            )
            return self.database.write(
                "UPDATE deliveries SET state = 'waiting', attempts = 0, due = ?, finished_at = NULL"
                " WHERE event IN (SELECT number FROM events WHERE id = ? OR json_extract(data, '$.id') = ?)",
                (now, id, id),
            )

    def reports(self, *, limit: int = 50, incident: str | None = None) -> list[DeliveryReport]:
        """The newest deliveries first; of one incident if asked."""
        rows = self.database.rows(
            "SELECT events.id AS message_id, type AS kind, url, state, attempts, due, status, answer, created,"
            " finished_at FROM deliveries JOIN events ON events.number = event"
            " JOIN endpoints ON endpoints.number = endpoint WHERE ? IS NULL OR json_extract(data, '$.id') = ?"
            " ORDER BY event DESC, endpoint LIMIT ?",
            (incident, incident, limit),
        )
        return [DeliveryReport(**row) for row in rows]

    def prune(self, now: float) -> None:
        """Drop what is older than `EVENT_RETENTION` and no longer waits.

        The newest event stays, since a number that is used again would look like one that was told.
        """
        before = now - EVENT_RETENTION
        with self.database.transaction():
            self.database.write(
                "DELETE FROM deliveries WHERE state != 'waiting' AND event IN"
                " (SELECT number FROM events WHERE created < ? AND number < (SELECT max(number) FROM events))",
                (before,),
            )
            self.database.write(
                "DELETE FROM events WHERE created < ? AND number < (SELECT max(number) FROM events)"
                " AND number NOT IN (SELECT event FROM deliveries)",
                (before,),
            )
