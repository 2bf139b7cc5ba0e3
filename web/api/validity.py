"""Routinator's validity API, field for field: by path, by query, and of many announcements at once."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec
from aiohttp import web

from rpkival.asn import parse_asn
from rpkival.errors import InputError
from rpkival.json_fault import json_fault
from rpkival.limits import MAX_QUERY_LENGTH
from rpkival.origin.explain import explain
from web.answers import json_answer, loaded
from web.words import iso

__all__ = ["validity_by_path", "validity_by_query", "validity_of_many"]

_Text = Annotated[str, msgspec.Meta(max_length=MAX_QUERY_LENGTH)]


class _Announcement(msgspec.Struct, frozen=True):
    asn: _Text | int
    prefix: _Text


class _Announcements(msgspec.Struct, frozen=True):
    """The body of `POST /validity`."""

    routes: tuple[_Announcement, ...]


async def validity_by_path(request: web.Request) -> web.Response:
    """`/api/v1/validity/{asn}/{prefix}`."""
    return _answer(request, request.match_info["asn"], request.match_info["prefix"])


async def validity_by_query(request: web.Request) -> web.Response:
    """`/validity?asn=&prefix=`."""
    asn, prefix = request.query.get("asn"), request.query.get("prefix")
    if asn is None or prefix is None:
        raise InputError("Both are needed: /validity?asn=AS64496&prefix=192.0.2.0/24.")
    return _answer(request, asn, prefix)


async def validity_of_many(request: web.Request) -> web.Response:
    """`{"routes": [{"asn": "AS64496", "prefix": "192.0.2.0/24"}, ...]}`, as many as the largest body holds."""
    try:
        wanted = msgspec.json.decode(await request.read(), type=_Announcements)
    except msgspec.ValidationError as error:
        raise InputError(f"The routes cannot be read, at {json_fault(error)}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"The routes cannot be read: {error}.") from error
    snapshot, index = loaded(request)

    def judge() -> list[dict[str, Any]]:
        return [explain(index, route.prefix, parse_asn(route.asn)).to_routinator() for route in wanted.routes]

    # The largest body takes a tenth of a second, in which nobody else is to wait.
    routes = await asyncio.to_thread(judge)
    return json_answer({"validated_routes": routes, "generatedTime": iso(snapshot.generated)})


def _answer(request: web.Request, asn: str, prefix: str) -> web.Response:
    snapshot, index = loaded(request)
    route: dict[str, Any] = explain(index, prefix[:MAX_QUERY_LENGTH], parse_asn(asn[:MAX_QUERY_LENGTH])).to_routinator()
    return json_answer({"validated_route": route, "generatedTime": iso(snapshot.generated)})
