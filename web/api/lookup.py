"""`/api/v1/lookup?q=`: which VRPs speak of a prefix or an AS."""

from __future__ import annotations

import msgspec
from aiohttp import web

from rpkival.asn import format_asn
from rpkival.payload.vrps import Vrp
from web.answers import json_answer, loaded
from web.keys import view_of
from web.lookup import Listed, look_up
from web.question import parse_question
from web.words import iso

__all__ = ["FoundVrps", "LookupAnswer", "LookupVerdict", "lookup"]


class FoundVrp(msgspec.Struct, frozen=True, rename="camel"):
    """`ta`: trust anchor. `expires`: unix seconds, 0 where unknown. `source`: URI of the signed object, if known."""

    asn: str
    prefix: str
    max_length: int
    ta: str
    expires: int
    source: str


class FoundVrps(msgspec.Struct, frozen=True):
    """`total` is how many there are; `vrps` are the first of them."""

    total: int
    vrps: tuple[FoundVrp, ...]


class LookupVerdict(msgspec.Struct, frozen=True):
    """RFC 6811 state of the announcement that was asked for; `reason` is empty unless it is invalid."""

    state: str
    reason: str
    description: str
    advice: str


class LookupAnswer(msgspec.Struct, frozen=True):
    """`verdict` is null unless both a prefix and an origin were asked for."""

    query: str
    serial: int
    generated: str
    age: float
    verdict: LookupVerdict | None
    description: str
    covering: FoundVrps
    more_specific: FoundVrps
    by_origin: FoundVrps


async def lookup(request: web.Request) -> web.Response:
    """Answer `q`."""
    snapshot, index = loaded(request)
    found = look_up(parse_question(request.query.get("q", "")), index)
    verdict = found.verdict
    words = LookupVerdict(verdict.state, verdict.reason, verdict.sentence, verdict.advice) if verdict else None
    return json_answer(
        LookupAnswer(
            query=found.question.text,
            serial=snapshot.serial,
            generated=iso(snapshot.generated),
            age=round(view_of(request).now() - snapshot.generated, 3),
            verdict=words,
            description=verdict.sentence if verdict else found.sentence,
            covering=_found(found.covering),
            more_specific=_found(found.more_specific),
            by_origin=_found(found.by_origin),
        )
    )


def _found(listed: Listed) -> FoundVrps:
    return FoundVrps(listed.total, tuple(map(_vrp, listed.vrps)))


def _vrp(vrp: Vrp) -> FoundVrp:
    return FoundVrp(format_asn(vrp.asn), vrp.prefix, vrp.max_length, vrp.trust_anchor, vrp.expires, vrp.source)
