"""BIRD as our router."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from rpkival.payload.vrps import Vrp, Vrps
from rpkival.rtr.cache import AnswerKind

pytestmark = pytest.mark.interop

ROUTES = """
protocol static seen {
  ipv4 { import filter {
    if roa_check(r4, net, 64666) = ROA_INVALID then reject;
    accept;
  }; };
  route 192.0.2.0/24 blackhole;
  route 198.51.100.0/24 blackhole;
  route 198.51.100.128/25 blackhole;
  route 203.0.113.0/24 blackhole;
}
"""


class Bird:
    """A running BIRD, and what it has."""

    def __init__(self, ask: Callable[[str], str]) -> None:
        self.ask = ask

    def counts(self) -> tuple[int, int]:
        """VRPs in the IPv4 and in the IPv6 table."""
        found = dict(re.findall(r"(\d+) of \d+ routes for \d+ networks in table (r[46])", self.ask("show route count")))
        numbers = {table: int(count) for count, table in found.items()}
        return numbers.get("r4", 0), numbers.get("r6", 0)

    def routes(self) -> set[str]:
        """Prefixes that passed the filter."""
        return set(re.findall(r"^(\d\S+/\d+)", self.ask("show route table master4"), re.MULTILINE))

    def verdict(self, prefix: str, origin: int) -> str:
        """BIRD's own answer for an announcement: `ROA_VALID`, `ROA_INVALID` or `ROA_UNKNOWN`."""
        table = "r6" if ":" in prefix else "r4"
        check = f"roa_check({table}, {prefix}, {origin})"
        states = ("ROA_VALID", "ROA_INVALID", "ROA_UNKNOWN")
        (state,) = [state for state in states if "TRUE" in self.ask(f"eval {check} = {state}")]
        return state


@pytest.fixture
def bird(
    program: Callable[..., str], bird_at: Callable[..., Callable[[str], str]], live_cache: Any
) -> Callable[..., Bird]:
    """`bird(more)`: BIRD, connected to the live cache, which does what `more` says besides."""

    def run(more: str = "") -> Bird:
        return Bird(bird_at(program("bird"), program("birdc"), live_cache.host, live_cache.port, more=more))

    return run


def test_the_whole_table_and_a_delta(
    bird: Callable[..., Bird], live_cache: Any, world: Vrps, eventually: Callable[..., None]
) -> None:
    """BIRD takes the world and follows a change by a Serial Query that is answered with the delta."""
    live_cache.serve(world)
    router = bird()
    eventually(router.counts, (len(world.ipv4), len(world.ipv6)))
    (session,) = live_cache.sessions()
    assert (session.version, session.serial, session.last_answer) == (1, 0, AnswerKind.SNAPSHOT)
    assert router.verdict("192.0.2.0/24", 64496) == "ROA_UNKNOWN"

    smaller = replace(world, ipv4=world.ipv4.take(slice(1000, None)), ipv6=world.ipv6.take(slice(0, -10)))
    live_cache.serve(Vrps.concat([smaller, Vrps.of([Vrp("192.0.2.0/24", 24, 64496)])]))

    eventually(router.counts, (len(world.ipv4) - 1000 + 1, len(world.ipv6) - 10))
    assert router.verdict("192.0.2.0/24", 64496) == "ROA_VALID"
    assert router.verdict("192.0.2.0/25", 64496) == "ROA_INVALID"
    (after,) = live_cache.sessions()
    assert (after.peer, after.serial, after.last_answer) == (session.peer, 1, AnswerKind.DELTA)
    assert after.bytes_sent - session.bytes_sent == 12 + 8 + 1001 * 20 + 10 * 32 + 24


def test_a_filter_drops_what_is_invalid(
    bird: Callable[..., Bird], live_cache: Any, eventually: Callable[..., None]
) -> None:
    """Routes of one origin: invalid ones go as soon as the delta has come, and return; the others stay."""
    everything = {"192.0.2.0/24", "198.51.100.0/24", "198.51.100.128/25", "203.0.113.0/24"}
    live_cache.serve(Vrps.empty())
    router = bird(ROUTES)
    eventually(router.routes, everything)

    live_cache.serve(
        Vrps.of([Vrp("192.0.2.0/24", 24, 64496), Vrp("198.51.100.0/24", 24, 64666), Vrp("2001:db8::/32", 48, 64666)])
    )
    eventually(router.routes, {"198.51.100.0/24", "203.0.113.0/24"})
    live_cache.serve(Vrps.of([Vrp("192.0.2.0/24", 24, 0)]))
    eventually(router.routes, everything - {"192.0.2.0/24"})
    live_cache.serve(Vrps.empty())
    eventually(router.routes, everything)
    (session,) = live_cache.sessions()
    assert (session.serial, session.last_answer) == (3, AnswerKind.DELTA)


def test_a_cache_without_data_is_waited_for(
    bird: Callable[..., Bird], live_cache: Any, eventually: Callable[..., None]
) -> None:
    """BIRD asks before there are data, waits for its answer, and has the VRPs as soon as the cache does."""
    router = bird()
    eventually(lambda: [(info.state, info.serial) for info in live_cache.sessions()], [("open", None)])

    live_cache.serve(Vrps.of([Vrp("192.0.2.0/24", 24, 64496)]))

    eventually(router.counts, (1, 0))
