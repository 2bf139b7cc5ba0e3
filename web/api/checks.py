"""`/api/v1/checks`: the beacons to ask, and the verdict on what a browser saw. Nothing is kept."""

from __future__ import annotations

import msgspec
from aiohttp import web

from rpkival.errors import InputError
from web.answers import json_answer
from web.beacons import BeaconSet
from web.check import Evidence, judge
from web.keys import view_of

__all__ = ["CheckPlan", "check_plan", "check_verdict"]

ROUNDS = 3
"""As many as `web.check.SAMPLES_NEEDED`."""

TIMEOUT_MS = 5000
"""A second more than `web.check.PATIENCE_MS`; the whole check then takes 15 seconds at most."""


class CheckPlan(msgspec.Struct, frozen=True):
    """What a browser is to do: `rounds` times, ask every URL and wait `timeout_ms` for each."""

    rounds: int
    timeout_ms: int
    beacons: tuple[BeaconSet, ...]


async def check_plan(request: web.Request) -> web.Response:
    """The beacons and how to ask them."""
    return json_answer(CheckPlan(ROUNDS, TIMEOUT_MS, view_of(request).beacons))


async def check_verdict(request: web.Request) -> web.Response:
    """Judge the evidence in the body."""
    try:
        evidence = msgspec.json.decode(await request.read(), type=Evidence)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"The evidence cannot be read: {error}.") from error
    return json_answer(judge(evidence, view_of(request).beacons))
