"""GoBGP as our router."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from rpkival.payload.vrps import Vrp, Vrps
from rpkival.rtr.cache import AnswerKind

pytestmark = pytest.mark.interop


def test_a_table_and_a_delta(
    gobgp_at: Callable[..., Callable[[str], str]], live_cache: Any, eventually: Callable[..., None]
) -> None:
    """GoBGP takes the VRPs and follows a change by a Serial Query that is answered with the delta."""
    live_cache.serve(Vrps.of([Vrp("192.0.2.0/24", 24, 64496), Vrp("198.51.100.0/24", 25, 64497)]))
    ask = gobgp_at(live_cache.host, live_cache.port)

    def table() -> set[tuple[str, int, int]]:
        rows = re.findall(r"^(\S+/\d+)\s+(\d+)\s+(\d+)\s", ask("rpki table"), re.MULTILINE)
        return {(prefix, int(max_length), int(asn)) for prefix, max_length, asn in rows}

    eventually(table, {("192.0.2.0/24", 24, 64496), ("198.51.100.0/24", 25, 64497)})
    live_cache.serve(Vrps.of([Vrp("192.0.2.0/24", 24, 64496), Vrp("203.0.113.0/24", 24, 0)]))
    eventually(table, {("192.0.2.0/24", 24, 64496), ("203.0.113.0/24", 24, 0)})
    (session,) = live_cache.sessions()
    assert (session.serial, session.last_answer) == (1, AnswerKind.DELTA)
