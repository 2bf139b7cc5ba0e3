"""Routinator's `/json-delta` and `/json-delta/notify`: what changed since a serial, and waiting for the next one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from aiohttp import web

from rpkival.errors import UsageError
from rpkival.limits import NEWS_WAIT_SECONDS
from rpkival.payload.formats.json_delta import write_delta, write_reset
from rpkival.payload.snapshot import Snapshot
from web.answers import json_answer, loaded
from web.api.payload import age_headers
from web.api.rendered import RENDERED, send
from web.keys import view_of

__all__ = ["json_delta", "notify"]

_SERIALS: Final = 2**32


async def json_delta(request: web.Request) -> web.StreamResponse:
    """The changes since `session` and `serial`; without them, or where that serial is not kept, everything."""
    known = _known(request)
    snapshot, _ = loaded(request)
    view = view_of(request)
    since = known[1] if known is not None and known[0] == snapshot.session_id else None

    def render() -> Iterable[bytes]:
        changes = view.changes_since(since, snapshot.serial) if since is not None else None
        session, serial, generated = snapshot.session_id, snapshot.serial, snapshot.generated
        if changes is None or since is None:
            return write_reset(snapshot.payload, session=session, serial=serial, generated=generated)
        return write_delta(changes, session=session, serial=serial, since=since, generated=generated)

    rendered = await request.app[RENDERED].get(snapshot, ("json-delta", since), render)
    headers = {"Content-Type": "application/json", "Vary": "Accept-Encoding", **age_headers(request, snapshot)}
    return await send(request, rendered, headers)


async def notify(request: web.Request) -> web.Response:
    """Session and serial, at once where the client's are others, else as soon as there is news, or after a while."""
    known = _known(request)
    snapshot, _ = loaded(request)
    if known == _identity(snapshot):
        await view_of(request).news.wait(NEWS_WAIT_SECONDS)
        snapshot, _ = loaded(request)
    session, serial = _identity(snapshot)
    return json_answer({"session": session, "serial": serial})


def _identity(snapshot: Snapshot) -> tuple[int, int]:
    return snapshot.session_id, snapshot.serial


def _known(request: web.Request) -> tuple[int, int] | None:
    """What the client has. Raises `UsageError`."""
    query = request.query
    if not query:
        return None
    if sorted(key for key, _ in query.items()) != ["serial", "session"]:
        raise UsageError("Give session and serial, each once, or neither.")
    session, serial = query["session"], query["serial"]
    if not re.fullmatch(r"[0-9]{1,20}", session, re.ASCII):
        raise UsageError(f"{session[:40]!r} is not a session; it is what the last answer called so.")
    if not re.fullmatch(r"[0-9]{1,10}", serial, re.ASCII) or int(serial) >= _SERIALS:
        raise UsageError(f"{serial[:40]!r} is not a serial; it is what the last answer called so.")
    return int(session), int(serial)
