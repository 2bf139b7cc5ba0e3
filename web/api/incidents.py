"""`/api/v1/incidents` and `/api/v1/incidents/{id}`: the `data` of the webhooks, field for field."""

from __future__ import annotations

import msgspec
from aiohttp import web

from rpkival.errors import InputError
from rpkival.limits import MAX_LISTED_INCIDENTS
from rpkival.monitor.incidents import Incident
from web.answers import MissingError, json_answer
from web.incident_state import asked_state
from web.keys import view_of

__all__ = ["IncidentData", "IncidentsAnswer", "incident", "incidents"]


class ExpectedData(msgspec.Struct, frozen=True):
    """The own prefix that is touched, and who may announce it."""

    prefix: str
    origins: list[str]


class PeerData(msgspec.Struct, frozen=True):
    """Who told a collector."""

    asn: str
    address: str


class ObservedData(msgspec.Struct, frozen=True):
    """Who announced it and who saw that; `paths` and `peers` are samples, `peer_count` counts all."""

    origin: str
    paths: list[list[int]]
    peers: list[PeerData]
    peer_count: int
    collectors: list[str]


class VrpData(msgspec.Struct, frozen=True, rename="camel"):
    """A VRP that decided the RPKI state."""

    asn: str
    prefix: str
    max_length: int
    ta: str


class RpkiData(msgspec.Struct, frozen=True):
    """RFC 6811 state of what was announced; `reason` is empty unless it is invalid."""

    state: str
    reason: str
    vrps: list[VrpData]


class IncidentData(msgspec.Struct, frozen=True):
    """`confidence` is between 0 and 1, times are RFC 3339."""

    id: str
    kind: str
    state: str
    severity: str
    confidence: float
    prefix: str
    expected: ExpectedData
    observed: ObservedData
    rpki: RpkiData
    first_seen: str
    last_seen: str
    resolved_at: str | None
    acknowledged_at: str | None
    reasons: list[str]
    url: str


class IncidentsAnswer(msgspec.Struct, frozen=True):
    """Newest first. `counts`: how many there are in each state. `watching`: false where no monitor runs."""

    watching: bool
    counts: dict[str, int]
    incidents: list[IncidentData]


async def incidents(request: web.Request) -> web.Response:
    """Those in `state` (all without it), at most `limit`, older than the id `before`."""
    state, limit = asked_state(request), request.query.get("limit", "50")
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:6]) <= MAX_LISTED_INCIDENTS):
        raise InputError(f"limit is a number from 1 to {MAX_LISTED_INCIDENTS}.")
    store = view_of(request).incidents
    if store is None:
        return json_answer(IncidentsAnswer(watching=False, counts={}, incidents=[]))
    found = store.list(state=state, limit=int(limit), before=request.query.get("before"))
    return json_answer(IncidentsAnswer(watching=True, counts=store.counts(), incidents=[_data(each) for each in found]))


async def incident(request: web.Request) -> web.Response:
    """One incident, or 404."""
    store = view_of(request).incidents
    found = store.get(request.match_info["id"]) if store else None
    if found is None:
        raise MissingError("There is no incident with this id; /api/v1/incidents lists all there are.")
    return json_answer(_data(found))


def _data(found: Incident) -> IncidentData:
    return msgspec.convert(found.as_data(), IncidentData)
