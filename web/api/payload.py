"""`/json`, `/csv` and their kin: the payload as a file, all of it made once a serial, or what of it is asked for."""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from typing import Final

from aiohttp import web

from rpkival.errors import UsageError
from rpkival.payload.formats import WRITERS
from rpkival.payload.selection import Selection
from rpkival.payload.snapshot import Snapshot
from web.answers import loaded
from web.api.rendered import RENDERED, Rendered, send
from web.keys import view_of

__all__ = ["FILES", "age_headers", "payload_file", "selection_of"]

_CSV: Final = "text/csv; charset=utf-8; header=present"
_TEXT: Final = "text/plain; charset=utf-8"
_JSON: Final = "application/json"
FILES: Final = {
    "csv": _CSV,
    "csvcompat": _CSV,
    "csvext": _CSV,
    "json": _JSON,
    "jsonext": _JSON,
    "slurm": _JSON,
    "slurm2": _JSON,
    "openbgpd": _TEXT,
    "bird": _TEXT,
    "bird1": _TEXT,
    "bird2": _TEXT,
    "rpsl": _TEXT,
    "summary": _TEXT,
}
"""The path's name, which is also the format's, and its media type, Routinator's where it has the format."""

_SERIAL_IS_ALL: Final = frozenset({"csv", "csvcompat", "slurm", "slurm2", "bird1", "bird2"})
"""The formats that stay as they are while the serial does; the others hold times, of the validation or of objects."""

_PARAMETERS: Final = frozenset({"select-asn", "filter-asn", "select-prefix", "filter-prefix", "include", "exclude"})
_INCLUDE: Final = frozenset({"more-specifics"})
_EXCLUDE: Final = frozenset({"routeOrigins", "routerKeys", "aspas"})


async def payload_file(request: web.Request) -> web.StreamResponse:
    """What is selected of the payload, all without a selector; 304 where the client has this serial already."""
    name = request.path.strip("/")
    snapshot, _ = loaded(request)
    selection = selection_of(request)
    version = _version(name, snapshot)
    headers = {
        # Weak, as plain and packed answers share it.
        "ETag": f'W/"{version}"',
        "Last-Modified": formatdate(snapshot.generated, usegmt=True),
        "Vary": "Accept-Encoding",
        **age_headers(request, snapshot),
    }
    if _has_it(request, version, snapshot.generated):
        return web.Response(status=304, headers=headers)
    headers["Content-Type"] = FILES[name]
    if selection.by_resources:
        rendered = await asyncio.to_thread(_render, name, snapshot, selection)
    else:
        rendered = await request.app[RENDERED].get(
            snapshot,
            (name, selection),
            lambda: WRITERS[name](selection.of(snapshot.payload).unique_sorted(), snapshot.generated),
        )
    return await send(request, rendered, headers)


def age_headers(request: web.Request, snapshot: Snapshot) -> dict[str, str]:
    """Which data an answer rests on, and how old it is in seconds."""
    return {
        "Cache-Control": "no-cache",
        "X-Rpkival-Serial": str(snapshot.serial),
        "X-Rpkival-Age": str(max(0, int(view_of(request).now() - snapshot.generated))),
    }


def selection_of(request: web.Request) -> Selection:
    """Routinator's `select-asn`, `select-prefix`, `include` and `exclude`. Raises `InputError`, `UsageError`,
    `LimitError`.
    """
    query = request.query
    if unknown := query.keys() - _PARAMETERS:
        raise UsageError(
            f"There is no parameter {min(unknown)[:40]!r} here; there are {', '.join(sorted(_PARAMETERS))}."
        )
    include = _words(query.getall("include", []), _INCLUDE, "included")
    exclude = _words(query.getall("exclude", []), _EXCLUDE, "excluded")
    return Selection.parse(
        [value for key, value in query.items() if key in {"select-asn", "filter-asn"}],
        [value for key, value in query.items() if key in {"select-prefix", "filter-prefix"}],
        more_specifics="more-specifics" in include,
        route_origins="routeOrigins" not in exclude,
        router_keys="routerKeys" not in exclude,
        aspas="aspas" not in exclude,
    )


def _words(values: list[str], known: frozenset[str], what: str) -> frozenset[str]:
    words = frozenset(word for value in values for word in value.split(",") if word)
    if unknown := words - known:
        raise UsageError(f"{min(unknown)[:40]!r} cannot be {what}; what can is {', '.join(sorted(known))}.")
    return words


def _render(name: str, snapshot: Snapshot, selection: Selection) -> Rendered:
    return Rendered.of(WRITERS[name](selection.of(snapshot.payload).unique_sorted(), snapshot.generated))


def _version(name: str, snapshot: Snapshot) -> str:
    """What changes with the content: most validations find nothing new, and a client need not fetch that again."""
    version = f"{name}-{snapshot.session_id:x}-{snapshot.serial}"
    return version if name in _SERIAL_IS_ALL else f"{version}-{snapshot.generated}"


def _has_it(request: web.Request, version: str, generated: int) -> bool:
    """RFC 9110 section 13.1: If-None-Match goes before If-Modified-Since."""
    if request.if_none_match is not None:
        return any(tag.value in {"*", version} for tag in request.if_none_match)
    since = request.if_modified_since
    return since is not None and since.timestamp() >= generated
