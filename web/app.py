"""The application: which address is answered by what, and how it is started."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from aiohttp import web

from rpkival.http_server import HttpServer, listen
from rpkival.limits import MAX_REQUEST_BYTES
from web.answered import ANSWERED, count_answer
from web.answers import problems
from web.api import changes, checks, delta, incidents, lookup, metrics, openapi, payload, status, validity
from web.api.rendered import RENDERED, RenderedAnswers
from web.headers import add_headers
from web.keys import VIEW
from web.pages.home import home
from web.pages.incidents import incident_page, incidents_page
from web.pages.lookup import lookup_as, lookup_page, lookup_prefix
from web.pages.status import status_page
from web.view import View

__all__ = ["make_app", "start"]

_STATIC = Path(__file__).parent / "static"

_SHUTDOWN_SECONDS = 2.0
"""How long a stop waits for answers under way; a client that takes its download slowly does not hold up a restart."""


def make_app(view: View) -> web.Application:
    """All pages and all of the API, over `view`."""
    app = web.Application(middlewares=[problems], client_max_size=MAX_REQUEST_BYTES)
    app[VIEW] = view
    app[RENDERED] = RenderedAnswers()
    app[ANSWERED] = Counter()
    app.on_response_prepare.extend((add_headers, count_answer))
    app.add_routes(
        [
            web.get("/", home),
            web.get("/lookup", lookup_page),
            web.get("/prefix/{prefix:.+}", lookup_prefix),
            web.get("/as/{asn}", lookup_as),
            web.get("/incidents", incidents_page),
            web.get("/incidents/{id}", incident_page),
            web.get("/status", status_page),
            web.get("/version", status.version),
            web.get("/metrics", metrics.metrics),
            web.get("/validity", validity.validity_by_query),
            web.post("/validity", validity.validity_of_many),
            web.get("/api/v1/validity/{asn}/{prefix:.+}", validity.validity_by_path),
            web.get("/api/v1/lookup", lookup.lookup),
            web.get("/api/v1/incidents", incidents.incidents),
            web.get("/api/v1/incidents/{id}", incidents.incident),
            web.get("/api/v1/changes", changes.changes),
            web.get("/api/v1/checks", checks.check_plan),
            web.post("/api/v1/checks", checks.check_verdict),
            web.get("/api/v1/status", status.status),
            web.get("/api/v1/feeds", status.feeds),
            web.get("/api/v1/health/live", status.live),
            web.get("/api/v1/health/ready", status.ready),
            web.get("/api/v1/openapi.json", openapi.openapi),
            *(web.get(f"/{name}", payload.payload_file) for name in payload.FILES),
            web.get("/json-delta", delta.json_delta),
            web.get("/json-delta/notify", delta.notify),
            web.static("/static", _STATIC),
        ]
    )
    return app


async def start(app: web.Application, host: str, port: int) -> HttpServer:
    """Listen, on a free port for 0. Raises `UsageError` where it cannot."""
    return await listen(app, host, port, "The page", patience=_SHUTDOWN_SECONDS, cancel_handlers=False)
