"""The cache restarts: no router loses or doubles a VRP, none fetches everything again, and all follow on."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from rpkival.payload.vrps import Vrp, Vrps
from rpkival.rtr.cache import AnswerKind
from rpkival.rtr.pdu import Timers

pytestmark = pytest.mark.interop

Row = tuple[str, int, int]
Ask = Callable[[str], str]
Look = Callable[[], object]
BEFORE = frozenset(
    [*((f"10.{number}.0.0/16", 24, 64496 + number) for number in range(50)), ("2001:db8::/32", 48, 64497)]
)
AFTER = BEFORE - {("10.0.0.0/16", 24, 64496)} | {("203.0.113.0/24", 24, 0), ("198.51.100.0/24", 25, 0)}
AWAY_SECONDS = 1.0


def rows(text: str, pattern: str) -> frozenset[Row]:
    """VRPs as prefix, max_length, ASN, from lines that match."""
    found = re.findall(pattern, text, re.MULTILINE)
    assert len(found) == len(set(found)), f"something is there twice: {found}"
    return frozenset((prefix, int(max_length), int(asn)) for prefix, max_length, asn in found)


@pytest.fixture
def bird(program: Callable[..., str], bird_at: Callable[..., Ask], live_cache: Any) -> Look:
    """BIRD."""
    ask = bird_at(program("bird"), program("birdc"), live_cache.host, live_cache.port)

    def look() -> frozenset[Row]:
        return rows("".join(ask(f"show route table {table}") for table in ("r4", "r6")), r"^(\S+/\d+)-(\d+) AS(\d+)\s")

    return look


@pytest.fixture
def frr(frr_at: Callable[..., Ask], live_cache: Any) -> Look:
    """FRR's bgpd."""
    ask = frr_at(live_cache.host, live_cache.port)

    def look() -> frozenset[Row]:
        found = re.findall(r"^(\S+)\s+(\d+) -\s+(\d+)\s+(\d+)", ask("show rpki prefix-table"), re.MULTILINE)
        assert len(found) == len(set(found))
        return frozenset((f"{address}/{length}", int(longest), int(asn)) for address, length, longest, asn in found)

    return look


@pytest.fixture
def gobgp(gobgp_at: Callable[..., Ask], live_cache: Any) -> Look:
    """GoBGP."""
    ask = gobgp_at(live_cache.host, live_cache.port)

    def look() -> frozenset[Row]:
        return rows(
            "".join(ask(f"rpki table -a {family}") for family in ("ipv4", "ipv6")), r"^(\S+/\d+)\s+(\d+)\s+(\d+)\s"
        )

    return look


@pytest.fixture
def openbgpd(program: Callable[..., str], openbgpd_at: Callable[..., Look], live_cache: Any) -> Look:
    """OpenBGPD, which only tells how many there are."""
    return openbgpd_at(program("/usr/sbin/bgpd"), program("bgpctl"), live_cache.host, live_cache.port)


def themselves(vrps: frozenset[Row]) -> object:
    """What most routers show."""
    return vrps


def counts(vrps: frozenset[Row]) -> object:
    """What OpenBGPD shows: how many prefixes of IPv4, how many of IPv6, and no ASPA."""
    ipv6 = sum(":" in prefix for prefix, _, _ in vrps)
    return len(vrps) - ipv6, ipv6, 0


@pytest.mark.parametrize(
    ("router", "shown", "back_by"),
    [
        ("bird", themselves, AnswerKind.DELTA),
        ("frr", themselves, AnswerKind.DELTA),
        # GoBGP begins each connection with a Reset Query, whatever it has, and waits half a minute before it.
        ("gobgp", themselves, AnswerKind.SNAPSHOT),
        ("openbgpd", counts, AnswerKind.DELTA),
    ],
)
def test_a_restart_goes_unnoticed(
    router: str,
    shown: Callable[[frozenset[Row]], object],
    back_by: AnswerKind,
    request: pytest.FixtureRequest,
    live_cache: Any,
    eventually: Callable[..., None],
    watched: Callable[[Look], AbstractContextManager[list[object]]],
) -> None:
    """While the cache is away and when it is back, a router has exactly what it had; then it takes a delta."""
    live_cache.cache.timers = Timers(3600, 1, 7200)
    live_cache.serve(Vrps.of([Vrp("192.0.2.0/24", 24, 1)]))
    live_cache.serve(Vrps.of(Vrp(*row) for row in BEFORE))
    look: Look = request.getfixturevalue(router)
    eventually(look, shown(BEFORE))
    (before,) = live_cache.sessions()
    assert before.serial == 1

    with watched(look) as seen:
        live_cache.restart(away=AWAY_SECONDS)
        eventually(lambda: [(info.serial, info.last_answer) for info in live_cache.sessions()], [(1, back_by)])
    assert seen == [shown(BEFORE)]

    live_cache.serve(Vrps.of(Vrp(*row) for row in AFTER))
    eventually(look, shown(AFTER))
    (after,) = live_cache.sessions()
    assert (after.serial, after.last_answer) == (2, AnswerKind.DELTA)
    assert after.peer != before.peer


@pytest.mark.parametrize(("router", "shown"), [("bird", themselves), ("frr", themselves), ("openbgpd", counts)])
def test_what_changed_meanwhile_is_a_delta(
    router: str,
    shown: Callable[[frozenset[Row]], object],
    request: pytest.FixtureRequest,
    live_cache: Any,
    eventually: Callable[..., None],
) -> None:
    """A router that lags behind when the cache is back takes a delta too, on its first connection."""
    live_cache.cache.timers = Timers(3600, 1, 7200)
    live_cache.serve(Vrps.of(Vrp(*row) for row in BEFORE))
    look: Look = request.getfixturevalue(router)
    eventually(look, shown(BEFORE))

    live_cache.restart(away=AWAY_SECONDS, served=Vrps.of(Vrp(*row) for row in AFTER))

    eventually(look, shown(AFTER))
    (info,) = live_cache.sessions()
    assert (info.serial, info.last_answer, info.last_error) == (1, AnswerKind.DELTA, "")
