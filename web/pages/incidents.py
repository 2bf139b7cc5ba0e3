"""`/incidents` and `/incidents/{id}`."""

from __future__ import annotations

from aiohttp import web

from rpkival.limits import MAX_LISTED_INCIDENTS
from web.answers import MissingError
from web.keys import view_of
from web.render import render

__all__ = ["incident_page", "incidents_page"]


async def incidents_page(request: web.Request) -> web.Response:
    """The newest incidents first."""
    store = view_of(request).incidents
    return render(request, "incidents.html", incidents=store.list(limit=MAX_LISTED_INCIDENTS) if store else [])


async def incident_page(request: web.Request) -> web.Response:
    """One incident, or 404."""
    store = view_of(request).incidents
    incident = store.get(request.match_info["id"]) if store else None
    if incident is None:
        raise MissingError("There is no incident with this id; /incidents lists all there are.")
    return render(request, "incident.html", incident=incident)
