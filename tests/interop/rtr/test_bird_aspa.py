"""BIRD from 2.16 on as our router: version 2 and its ASPAs, TCP-MD5.

Debian 12 has an older BIRD; put one on the PATH, or name it by RPKIVAL_BIRD2; its birdc is beside it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import pytest

from rpkival.payload.payload import Aspa, Payload
from rpkival.payload.vrps import Vrps
from rpkival.rtr.cache import AnswerKind
from rpkival.rtr.errors import ErrorCode
from rpkival.rtr.tcp_md5 import Md5
from rpkival.rtr.tcp_signing import SignedNetwork

pytestmark = pytest.mark.interop

MANY = tuple(Aspa(customer, tuple(range(customer + 1, customer + 2 + customer % 5))) for customer in range(1, 300))
LARGEST = Aspa(64496, tuple(range(1, 16381)))
NOBODY = Aspa(64499, (0,))
Seen = tuple[int, int, dict[int, tuple[int, ...]]]


class Bird:
    """A running BIRD, and what it has."""

    def __init__(self, ask: Callable[[str], str]) -> None:
        self.ask = ask

    def seen(self) -> Seen:
        """How many VRPs of each family, and the first providers of each customer: BIRD prints no long list."""
        counts = {
            table: int(count)
            for count, table in re.findall(r"(\d+) of .* in table (\w+)", self.ask("show route count"))
        }
        found = re.findall(
            r"^(\d+) .*\n.*\n\s*aspa_providers: ([\d ]+)", self.ask("show route all table a"), re.MULTILINE
        )
        aspas = {int(customer): tuple(map(int, providers.split()[:FIRST])) for customer, providers in found}
        return counts.get("r4", 0), counts.get("r6", 0), aspas

    def verdict(self, customer: int, provider: int) -> str:
        """Of a route that `customer` gave to `provider`, as seen from above."""
        path = f"+empty+.prepend({customer}).prepend({provider})"
        states = ("ASPA_VALID", "ASPA_INVALID", "ASPA_UNKNOWN")
        (state,) = [state for state in states if "TRUE" in self.ask(f"eval aspa_check(a, {path}, true) = {state}")]
        return state


FIRST = 40


def expected(payload: Payload) -> Seen:
    """What BIRD is to show."""
    aspas = {aspa.customer: aspa.providers[:FIRST] for aspa in payload.aspas}
    return len(payload.vrps.ipv4), len(payload.vrps.ipv6), aspas


@pytest.fixture
def connected(newer_bird: str, bird_at: Callable[..., Callable[[str], str]]) -> Callable[..., Bird]:
    """`connected(host, port, transport)`: a BIRD that asks there."""

    def run(host: str, port: int, transport: str = "") -> Bird:
        options = f"aspa {{ table a; }}; {transport}"
        return Bird(bird_at(newer_bird, f"{newer_bird}c", host, port, options=options, more="aspa table a;"))

    return run


@pytest.fixture
def bird(connected: Callable[..., Bird], live_cache: Any) -> Bird:
    """BIRD, connected to the live cache."""
    return connected(live_cache.host, live_cache.port)


def test_the_whole_table_with_aspas_and_a_delta(
    bird: Bird, live_cache: Any, world: Vrps, eventually: Callable[..., None]
) -> None:
    """By default in version 2; ASPAs come, go and get other providers, among them the largest that a PDU can hold."""
    before = Payload(world, (*MANY, LARGEST, NOBODY)).unique_sorted()
    live_cache.serve(before)
    eventually(bird.seen, expected(before))
    (session,) = live_cache.sessions()
    assert (session.version, session.last_answer) == (2, AnswerKind.SNAPSHOT)
    assert bird.verdict(64496, 16380) == "ASPA_VALID"
    assert bird.verdict(64496, 16381) == "ASPA_INVALID"
    assert bird.verdict(64500, 1) == "ASPA_UNKNOWN"

    vrps = replace(world, ipv4=world.ipv4.take(slice(1000, None)), ipv6=world.ipv6.take(slice(0, -10)))
    after = Payload(vrps, (*MANY[100:], Aspa(2, (9,)), Aspa(64496, (1, 16381)), Aspa(64500, (2,)))).unique_sorted()
    live_cache.serve(after)

    eventually(bird.seen, expected(after))
    assert bird.verdict(64496, 16381) == "ASPA_VALID"
    assert bird.verdict(64496, 16380) == "ASPA_INVALID"
    assert bird.verdict(64500, 1) == "ASPA_INVALID"
    (session,) = live_cache.sessions()
    assert (session.version, session.serial, session.last_answer) == (2, 1, AnswerKind.DELTA)


SOME = Payload(Vrps.empty(), (*MANY[:20], LARGEST, NOBODY)).unique_sorted()


def test_a_restart_takes_nothing_away(
    bird: Bird,
    live_cache: Any,
    eventually: Callable[..., None],
    watched: Callable[[Callable[[], object]], AbstractContextManager[list[object]]],
) -> None:
    """While the cache is away and when it is back, there is exactly what was there, in each look at it.

    BIRD 2.17 begins each connection with a Reset Query, whatever it has.
    """
    live_cache.serve(SOME)
    eventually(bird.seen, expected(SOME))
    with watched(bird.seen) as seen:
        live_cache.restart(away=1.0)
        eventually(lambda: [info.serial for info in live_cache.sessions()], [0])
    assert seen == [expected(SOME)]

    live_cache.serve(Payload(Vrps.empty(), SOME.aspas[:5]))
    eventually(bird.seen, expected(Payload(Vrps.empty(), SOME.aspas[:5])))


def test_a_cache_that_is_gone_for_good_takes_everything(
    bird: Bird, live_cache: Any, eventually: Callable[..., None]
) -> None:
    """Error 13, which BIRD 2.17 takes for any fatal one: the outcome is what the draft wants."""
    live_cache.serve(SOME)
    eventually(bird.seen, expected(SOME))

    live_cache.leave(ErrorCode.CACHE_SHUTDOWN)

    eventually(bird.seen, (0, 0, {}))


def test_signed_by_tcp_md5(connected: Callable[..., Bird], live_cache: Any, eventually: Callable[..., None]) -> None:
    """The same key on both sides; nobody without it gets an answer (tests/rpkival/rtr/test_tcp_signing.py)."""
    live_cache.serve(SOME)
    loopback = SignedNetwork.parse("127.0.0.0/8=env:KEY", {"KEY": "correct horse"}, Md5.parse)
    host, port = live_cache.listen_too(signed=[loopback])

    bird = connected(host, port, 'transport tcp { authentication md5; password "correct horse"; };')

    eventually(bird.seen, expected(SOME))
    (session,) = live_cache.sessions()
    assert (session.version, session.transport) == (2, "tcp-md5")
