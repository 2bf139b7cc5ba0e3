"""`?state=` of the incidents, for the page and the API."""

from __future__ import annotations

from typing import Final, Literal

from aiohttp import web

from rpkival.errors import InputError

__all__ = ["asked_state"]


State = Literal["open", "resolved"]

_STATES: Final[dict[str, State]] = {"open": "open", "resolved": "resolved"}


def asked_state(request: web.Request) -> State | None:
    """The state that was asked for, None for all. Raises `InputError`."""
    asked = request.query.get("state")
    if asked is None:
        return None
    if asked not in _STATES:
        raise InputError("An incident is open or resolved; ask with ?state=open, ?state=resolved, or without state.")
    return _STATES[asked]
