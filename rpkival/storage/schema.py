"""The tables, as numbered migrations. One that was released is never changed; the next gets the next number."""

from __future__ import annotations

from typing import Any

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from rpkival.errors import StateError

__all__ = ["migrate"]

migrations = Migrations("rpkival")


def migrate(database: Database, name: str) -> None:
    """Bring the tables up to date. Raises `StateError` for tables of a newer rpkival."""
    applied = {migration.name for migration in migrations.applied(database)}
    if newer := sorted(applied - {migration.__name__ for migration in NUMBERED}):
        raise StateError(
            f"The database {name} was written by a newer rpkival (it has {newer[-1]}); upgrade rpkival to use it."
        )
    migrations.apply(database)


@migrations()
def m001_incidents(database: Database) -> None:
    """Incidents, and the routes by which they are or were seen."""
    _create(
        database,
        "incidents",
        {
            "id": str,
            "kind": str,
            "state": str,
            "severity": str,
            "prefix": str,
            "origin": int,
            "first_seen": float,
            "last_seen": float,
            "resolved_at": float,
            "acknowledged_at": float,
            "detail": str,
            "lifecycle": str,
        },
        pk="id",
        not_null={"kind", "state", "severity", "prefix", "origin", "first_seen", "last_seen", "detail", "lifecycle"},
    ).create_index(["state", "id"])
    _create(
        database,
        "sightings",
        {
            "incident": str,
            "collector": str,
            "peer": str,
            "peer_asn": int,
            "path_id": int,
            "path": str,
            "seen_at": float,
            "active": int,
        },
        pk=("incident", "collector", "peer", "path_id"),
        not_null={"peer_asn", "path", "seen_at", "active"},
        foreign_keys=[("incident", "incidents", "id")],
    )


@migrations()
def m002_events(database: Database) -> None:
    """What there is to tell, to whom, and how far that got."""
    _create(
        database,
        "events",
        {"number": int, "id": str, "type": str, "created": float, "data": str},
        pk="number",
        not_null={"id", "type", "created", "data"},
    ).create_index(["id"], unique=True)
    _create(
        database,
        "endpoints",
        {"number": int, "url": str, "told": int, "resting_until": float, "disabled_at": float},
        pk="number",
        not_null={"url", "told", "resting_until"},
    ).create_index(["url"], unique=True)
    _create(
        database,
        "deliveries",
        {
            "event": int,
            "endpoint": int,
            "state": str,
            "attempts": int,
            "due": float,
            "status": int,
            "answer": str,
            "finished_at": float,
        },
        pk=("event", "endpoint"),
        not_null={"state", "attempts", "due"},
        foreign_keys=[("event", "events", "number"), ("endpoint", "endpoints", "number")],
    ).create_index(["state", "due"])


@migrations()
def m003_changes(database: Database) -> None:
    """What changed in the payload. `first` and `last` are a prefix's addresses as text that sorts like them."""
    table = _create(
        database,
        "changes",
        {
            "number": int,
            "at": float,
            "serial": int,
            "announced": int,
            "kind": str,
            "prefix": str,
            "max_length": int,
            "asn": int,
            "value": str,
            "trust_anchor": str,
            "source": str,
            "cause": str,
            "sentence": str,
            "first": str,
            "last": str,
        },
        pk="number",
        not_null={"at", "serial", "announced", "kind", "asn", "cause"},
    )
    table.create_index(["asn", "number"])
    table.create_index(["first", "last"])
    table.create_index(["at"])


def _create(database: Database, name: str, columns: dict[str, Any], **options: Any) -> Any:
    return database.table(name).create(columns, **options)


NUMBERED = (m001_incidents, m002_events, m003_changes)
