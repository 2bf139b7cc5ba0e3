"""`/api/v1/incidents` and `/api/v1/incidents/{id}`: the `data` of the webhooks, field for field."""

from __future__ import annotations

from typing import Any, Literal, cast

import msgspec
from aiohttp import web

from rpkival.errors import InputError
from rpkival.limits import MAX_LISTED_INCIDENTS
from web.answers import json_answer
from web.keys import view_of

__all__ = ["IncidentsAnswer", "incident", "incidents"]


class IncidentsAnswer(msgspec.Struct, frozen=True):
    """Newest first. `counts`: how many there are in each state. `watching`: false where no monitor runs."""

    watching: bool
    counts: dict[str, int]
    incidents: list[dict[str, Any]]


async def incidents(request: web.Request) -> web.Response:
    """Those in `state` (all without it), at most `limit`, older than the id `before`."""
    state, limit = request.query.get("state"), request.query.get("limit", "50")
    if state not in {None, "open", "resolved"}:
        raise InputError("An incident is open or resolved; ask with ?state=open, ?state=resolved, or without state.")
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:6]) <= MAX_LISTED_INCIDENTS):
        raise InputError(f"limit is a number from 1 to {MAX_LISTED_INCIDENTS}.")
    store = view_of(request).incidents
    if store is None:
        return json_answer(IncidentsAnswer(watching=False, counts={}, incidents=[]))
    wanted = cast("Literal['open', 'resolved'] | None", state)
    found = store.list(state=wanted, limit=int(limit), before=request.query.get("before"))
    return json_answer(
        IncidentsAnswer(watching=True, counts=store.counts(), incidents=[each.as_data() for each in found])
    )


async def incident(request: web.Request) -> web.Response:
    """One incident, or 404."""
    store = view_of(request).incidents
    found = store.get(request.match_info["id"]) if store else None
    if found is None:
        raise web.HTTPNotFound(text="There is no incident with this id; /api/v1/incidents lists all there are.")
    return json_answer(found.as_data())
