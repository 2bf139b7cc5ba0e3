"""FRR's bgpd as our router."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from rpkival.payload.vrps import Vrp, Vrps
from rpkival.rtr.cache import AnswerKind

pytestmark = pytest.mark.interop


class Bgpd:
    """A running bgpd, and what it has."""

    def __init__(self, ask: Callable[[str], str]) -> None:
        self.ask = ask

    def counts(self) -> tuple[int, int]:
        """VRPs of IPv4 and of IPv6."""
        printed = self.ask("show rpki prefix-table")
        found = {int(family): int(count) for family, count in re.findall(r"Number of IPv(\d) Prefixes: (\d+)", printed)}
        return found.get(4, 0), found.get(6, 0)

    def vrps(self, prefix: str) -> set[tuple[str, int]]:
        """The VRPs of one prefix: max_length and origin as bgpd prints them."""
        printed = self.ask(f"show rpki prefix {prefix}")
        rows = re.findall(r"^\S+\s+\d+ -\s+(\d+)\s+(\d+)", printed, re.MULTILINE)
        return {(max_length, int(asn)) for max_length, asn in rows}


@pytest.fixture
def bgpd(frr_at: Callable[..., Callable[[str], str]], live_cache: Any) -> Callable[[], Bgpd]:
    """`bgpd()`: FRR's bgpd, connected to the live cache."""
    return lambda: Bgpd(frr_at(live_cache.host, live_cache.port))


def test_the_whole_table_and_a_delta(
    bgpd: Callable[[], Bgpd], live_cache: Any, world: Vrps, eventually: Callable[..., None]
) -> None:
    """bgpd takes the world and follows a change by a Serial Query that is answered with the delta."""
    live_cache.serve(world)
    router = bgpd()
    eventually(lambda: [(info.serial, info.state) for info in live_cache.sessions()], [(0, "open")])
    eventually(router.counts, (len(world.ipv4), len(world.ipv6)))
    (session,) = live_cache.sessions()
    assert (session.version, session.last_answer) == (1, AnswerKind.SNAPSHOT)
    assert router.vrps("192.0.2.0/24") == set()

    smaller = replace(world, ipv4=world.ipv4.take(slice(1000, None)))
    live_cache.serve(Vrps.concat([smaller, Vrps.of([Vrp("192.0.2.0/24", 25, 64496)])]))

    eventually(lambda: [info.serial for info in live_cache.sessions()], [1])
    eventually(router.counts, (len(world.ipv4) - 1000 + 1, len(world.ipv6)))
    assert router.vrps("192.0.2.0/24") == {("25", 64496)}
    (after,) = live_cache.sessions()
    assert (after.peer, after.last_answer) == (session.peer, AnswerKind.DELTA)
