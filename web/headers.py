"""Headers of every answer: what a browser may do with it, and how old the data behind it is."""

from __future__ import annotations

from aiohttp import web

from web.beacons import origins
from web.keys import view_of

__all__ = ["add_headers"]


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """A signal of the application, just before the headers leave."""
    view = view_of(request)
    # The browser may talk to us and to the beacons, run our script and use our sheet; nothing inline, nothing else.
    beacons = " ".join(origins(view.beacons))
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' {beacons}; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers.setdefault("Cache-Control", "no-cache")
    if view.snapshot is not None:
        response.headers.setdefault("X-Rpkival-Serial", str(view.snapshot.serial))
        response.headers.setdefault("X-Rpkival-Age", str(max(0, int(view.now() - view.snapshot.generated))))
