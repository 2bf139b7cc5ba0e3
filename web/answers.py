"""How handlers answer: JSON, and errors as one sentence each, for programs (RFC 9457) and for people (a page)."""

from __future__ import annotations

import http
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
import structlog
from aiohttp import web

from rpkival.errors import InputError, LimitError, StateError, UsageError
from rpkival.origin.index import OriginIndex
from rpkival.payload.snapshot import Snapshot
from web.keys import view_of
from web.render import render

__all__ = ["MissingError", "json_answer", "loaded", "problems"]

log = structlog.get_logger("rpkival.web")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

FOR_PROGRAMS: Final = (
    *("/api/", "/json", "/csv", "/validity", "/metrics", "/version"),
    *("/openbgpd", "/bird", "/slurm", "/rpsl", "/summary"),
)
"""Paths that answer an error with a problem document; all others are pages."""

_SENTENCES: Final = {
    404: "There is nothing at this address; start from the front page, or from /api/v1/openapi.json.",
    405: "This address does not take that method; /api/v1/openapi.json says which one it takes.",
    413: "The request is larger than anything that is asked for here; send less.",
    500: "This is a fault of rpkival itself; its log says more. Try again, and report it if it stays.",
}


class MissingError(Exception):
    """What was asked for by name is not there; the message says where to look."""


class NoDataError(Exception):
    """There is nothing to answer from yet."""


def json_answer(body: Any, *, status: int = 200, content_type: str = "application/json") -> web.Response:
    """Anything that msgspec can encode, with a line end for people at a terminal."""
    return web.Response(body=msgspec.json.encode(body) + b"\n", status=status, content_type=content_type)


def loaded(request: web.Request) -> tuple[Snapshot, OriginIndex]:
    """The snapshot and its index. Raises `NoDataError`, which becomes 503, while there is none."""
    view = view_of(request)
    if view.snapshot is None or view.index is None:
        raise NoDataError("There is no data yet: the first validation has not finished. Try again in a minute.")
    return view.snapshot, view.index


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns every error into its status and its sentence; a fault of ours is logged and never shown."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        kept = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        return _problem(request, error.status, _SENTENCES.get(error.status, f"{error.reason}."), kept)
    except MissingError as error:
        return _problem(request, 404, str(error), {})
    except NoDataError as error:
        return _problem(request, 503, str(error), {"Retry-After": "15"})
    except (InputError, UsageError) as error:
        return _problem(request, 400, str(error), {})
    except StateError as error:
        log.error("state_unreadable", path=request.path, error=str(error))
        return _problem(request, 503, str(error), {})
    except LimitError as error:
        return _problem(request, 413, str(error), {})
    except Exception:
        log.exception("request_failed", method=request.method, path=request.path)
        return _problem(request, 500, _SENTENCES[500], {})


def _problem(request: web.Request, status: int, sentence: str, headers: dict[str, str]) -> web.Response:
    title = http.HTTPStatus(status).phrase
    if request.path.startswith(FOR_PROGRAMS):
        body = {"type": "about:blank", "title": title, "status": status, "detail": sentence}
        answer = json_answer(body, status=status, content_type="application/problem+json")
    else:
        answer = render(request, "error.html", title=title, sentence=sentence, status=status)
    answer.headers.update(headers)
    return answer
