"""`/api/v1/changes`: what came into the payload and what went, when, and because of which object."""

from __future__ import annotations

import msgspec
from aiohttp import web

from rpkival.errors import InputError
from rpkival.history.data import ChangeData, change_data
from rpkival.history.record import CAUSES
from rpkival.limits import MAX_LISTED_CHANGES
from web.answers import json_answer
from web.keys import view_of
from web.question import parse_question

__all__ = ["ChangesAnswer", "changes"]


class ChangesAnswer(msgspec.Struct, frozen=True):
    """Newest first; `next` is the `before` that asks for older ones, null where there are none."""

    changes: list[ChangeData]
    next: int | None


async def changes(request: web.Request) -> web.Response:
    """Of `q` (prefix, address, AS number, or prefix and AS number), by `cause`, older than number `before`."""
    view, query = view_of(request), request.query
    limit = _number(query.get("limit"), 100, "limit", MAX_LISTED_CHANGES)
    before = _number(query.get("before"), 0, "before", 2**62)
    prefix, asn = "", None
    if text := query.get("q"):
        question = parse_question(text)
        prefix, asn = question.prefix_text, question.asn
    cause = query.get("cause", "")
    if cause and cause not in CAUSES:
        raise InputError(f"cause is one of {', '.join(CAUSES)}.")
    found = (
        view.history.list(
            before=before or None,
            prefix=prefix,
            asn=asn,
            cause=cause,
            limit=limit,
        )
        if view.history
        else []
    )
    following = found[-1].number if len(found) == limit else None
    return json_answer(ChangesAnswer([change_data(each) for each in found], following))


def _number(text: str | None, default: int, name: str, most: int) -> int:
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and 0 < int(text[:20]) <= most):
        raise InputError(f"{name} is a number from 1 to {most}.")
    return int(text)
