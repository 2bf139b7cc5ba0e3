"""Incidents in the database: cases as the monitor keeps them, incidents as others read them."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import msgspec

from feeds.route_batch import Peer
from rpkival.limits import MAX_UNSETTLED_INCIDENTS
from rpkival.monitor.case import RETURN_WINDOW, Case, Lifecycle, Route, Sighting
from rpkival.monitor.incidents import Incident, IncidentState
from rpkival.storage import Database, append_event

__all__ = ["IncidentStore"]


class IncidentStore:
    """Reading is for everybody; `save` and `unsettled` are the monitor's."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def list(
        self, *, state: IncidentState | None = None, limit: int = 50, before: str | None = None
    ) -> builtins.list[Incident]:
        """The newest incidents first; `before` is the id of the last one of the page before."""
        states = ("open", "resolved") if state is None else (state, state)
        rows = self.database.rows(
            "SELECT detail, acknowledged_at FROM incidents WHERE state IN (?, ?) AND id < ? ORDER BY id DESC LIMIT ?",
            (*states, before or "~", limit),
        )
        return [_incident(row) for row in rows]

    def get(self, id: str) -> Incident | None:  # noqa: A002 - the field's own name
        """One incident, None where there is no such."""
        rows = self.database.rows(
            "SELECT detail, acknowledged_at FROM incidents WHERE id = ? AND state != 'pending'", (id,)
        )
        return _incident(rows[0]) if rows else None

    def counts(self) -> dict[str, int]:
        """How many incidents there are in each state: `{"open": 1, "resolved": 5}`."""
        rows = self.database.rows("SELECT state, count(*) AS n FROM incidents GROUP BY state")
        return {"open": 0, "resolved": 0} | {row["state"]: row["n"] for row in rows if row["state"] != "pending"}

    def acknowledge(self, id: str, now: float) -> bool:  # noqa: A002 - the field's own name
        """Note that somebody looks after it; False where there is no such incident."""
        sql = "UPDATE incidents SET acknowledged_at = coalesce(acknowledged_at, ?) WHERE id = ? AND state != 'pending'"
        return self.database.write(sql, (now, id)) > 0

    def tell(self, kind: str, incident: Incident, now: float) -> None:
        """Put an event in the outbox; inside the transaction that saves what it tells of."""
        append_event(self.database, kind, incident.as_data(), now)

    def save(self, case: Case, incident: Incident) -> None:
        """Write a case as it is now, with the sightings that changed; an acknowledgement stays as it is."""
        # The monitor is the only writer of all columns but acknowledged_at.
        self.database.write(
            "INSERT INTO incidents (id, kind, state, severity, prefix, origin, first_seen, last_seen, resolved_at,"
            " detail, lifecycle) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, state = excluded.state,"
            " severity = excluded.severity, first_seen = excluded.first_seen, last_seen = excluded.last_seen,"
            " resolved_at = excluded.resolved_at, detail = excluded.detail, lifecycle = excluded.lifecycle",
            (
                incident.id,
                incident.kind,
                case.lifecycle.state,
                incident.severity,
                incident.prefix,
                incident.observed.origin,
                incident.first_seen,
                incident.last_seen,
                incident.resolved_at,
                _text(incident),
                _text(case.lifecycle),
            ),
        )
        self.database.write_many(
            "INSERT OR REPLACE INTO sightings (incident, collector, peer, peer_asn, path_id, path, seen_at, active)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [_sighting_row(case.id, route, case.sightings[route]) for route in case.unsaved],
        )

    def forget(self, case: Case) -> None:
        """Drop the sightings of a case that is over, and the case itself if it never became an incident."""
        self.database.write("DELETE FROM sightings WHERE incident = ?", (case.id,))
        self.database.write("DELETE FROM incidents WHERE id = ? AND state = 'pending'", (case.id,))

    def unsettled(self) -> Iterable[Case]:
        """The cases that may still change, as they were last saved: the monitor's memory after a restart.

        Those that ended while nobody looked are closed for good: their sightings go.
        """
        self.database.write(
            "DELETE FROM sightings WHERE incident IN (SELECT id FROM incidents WHERE state = 'resolved'"
            " AND resolved_at < (SELECT max(resolved_at) FROM incidents) - ?)",
            (RETURN_WINDOW,),
        )
        rows = self.database.rows(
            "SELECT id, detail, lifecycle FROM incidents WHERE state != 'resolved' OR resolved_at >="
            " (SELECT max(resolved_at) FROM incidents) - ? ORDER BY id DESC LIMIT ?",
            (RETURN_WINDOW, MAX_UNSETTLED_INCIDENTS),
        )
        for row in rows:
            incident = msgspec.json.decode(row["detail"], type=Incident)
            yield Case(
                incident.id,
                incident.kind,
                incident.prefix,
                incident.observed.origin,
                incident.expected,
                incident.rpki,
                incident.first_seen,
                incident.last_seen,
                lifecycle := msgspec.json.decode(row["lifecycle"], type=Lifecycle),
                self._sightings(incident.id),
                saved=lifecycle,
            )

    def _sightings(self, case: str) -> dict[Route, Sighting]:
        rows = self.database.rows("SELECT * FROM sightings WHERE incident = ? ORDER BY rowid", (case,))
        return {
            Route(row["collector"], Peer(row["peer_asn"], row["peer"]), row["path_id"]): Sighting(
                tuple(int(asn) for asn in row["path"].split()), row["seen_at"], bool(row["active"])
            )
            for row in rows
        }


def _incident(row: dict[str, Any]) -> Incident:
    incident = msgspec.json.decode(row["detail"], type=Incident)
    return replace(incident, acknowledged_at=row["acknowledged_at"])


def _sighting_row(case: str, route: Route, sighting: Sighting) -> tuple[Any, ...]:
    path = " ".join(map(str, sighting.path))
    peer = route.peer
    return case, route.collector, peer.address, peer.asn, route.path_id, path, sighting.seen_at, int(sighting.active)


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()
