"""`/`: the ISP check, what it is about, and the story of the moment."""

from __future__ import annotations

from aiohttp import web

from rpkival.errors import StateError
from web.keys import view_of
from web.render import render
from web.view import Isp, View

__all__ = ["home"]

_INCIDENTS_SHOWN = 5


async def home(request: web.Request) -> web.Response:
    """The front page."""
    view = view_of(request)
    try:
        incidents = view.incidents.list(limit=_INCIDENTS_SHOWN) if view.incidents else []
    except StateError:
        incidents = []  # the story of the moment tells of it
    return render(
        request,
        "home.html",
        operators=" and ".join(sorted({each.operator for each in view.beacons})),
        incidents=incidents,
        feeds=view.feeds(),
        isp=_isp(request, view),
    )


def _isp(request: web.Request, view: View) -> Isp | None:
    """Behind whom the visitor of a lab sits: `?isp=`, else the first."""
    chosen = (isp for isp in view.isps if isp.name == request.query.get("isp"))
    return next(chosen, view.isps[0] if view.isps else None)
