"""`/incidents` and `/incidents/{id}`."""

from __future__ import annotations

from aiohttp import web

from web.answers import MissingError
from web.incident_state import asked_state
from web.keys import view_of
from web.render import render

__all__ = ["incident_page", "incidents_page"]


_PER_PAGE = 50


async def incidents_page(request: web.Request) -> web.Response:
    """The newest incidents first, in `state` (all without it), or those older than the id `before`."""
    state = asked_state(request)
    store = view_of(request).incidents
    # One more than is shown tells whether there is another page.
    found = store.list(state=state, limit=_PER_PAGE + 1, before=request.query.get("before")) if store else []
    older = found[_PER_PAGE - 1].id if len(found) > _PER_PAGE else ""
    return render(request, "incidents.html", incidents=found[:_PER_PAGE], older=older, state=state or "")


async def incident_page(request: web.Request) -> web.Response:
    """One incident, or 404."""
    store = view_of(request).incidents
    incident = store.get(request.match_info["id"]) if store else None
    if incident is None:
        raise MissingError("There is no incident with this id; /incidents lists all there are.")
    return render(request, "incident.html", incident=incident)
