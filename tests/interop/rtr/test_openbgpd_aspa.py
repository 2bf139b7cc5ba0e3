"""OpenBGPD 8.8 as our router: version 2 and its ASPAs.

Debian 12 has an older one. RPKIVAL_NEWER_PEERS names a directory with a newer one.
OpenBGPD tells how many prefixes have VRPs and how many ASPAs it has, not which.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rpkival.payload.payload import Aspa, Payload
from rpkival.payload.vrps import Vrps
from rpkival.rtr.cache import AnswerKind
from rpkival.rtr.pdu import Timers

pytestmark = pytest.mark.interop

Look = Callable[[], object]
MANY = tuple(Aspa(customer, tuple(range(customer + 1, customer + 2 + customer % 5))) for customer in range(1, 300))


def counts(payload: Payload) -> object:
    """What OpenBGPD is to show: it counts the VRPs of one prefix as one."""
    prefixes = {vrp.prefix for vrp in payload.vrps}
    ipv6 = sum(":" in prefix for prefix in prefixes)
    return len(prefixes) - ipv6, ipv6, len(payload.aspas)


@pytest.fixture
def look(needed_newer_peers: Path, openbgpd_at: Callable[..., Look], live_cache: Any) -> Look:
    """What OpenBGPD has, which is connected to the live cache; it speaks version 2 where it is told to."""
    live_cache.cache.timers = Timers(3600, 1, 7200)
    live_cache.serve(Vrps.empty())
    bgpd, bgpctl = str(needed_newer_peers / "bgpd"), str(needed_newer_peers / "bgpctl")
    return openbgpd_at(bgpd, bgpctl, live_cache.host, live_cache.port, "min-version 2")


def test_the_whole_table_with_aspas_and_a_delta(
    look: Look, live_cache: Any, world: Vrps, eventually: Callable[..., None]
) -> None:
    """ASPAs come, go and get other providers."""
    before = Payload(world, MANY).unique_sorted()
    live_cache.serve(before)
    eventually(look, counts(before))

    vrps = replace(world, ipv4=world.ipv4.take(slice(1000, None)), ipv6=world.ipv6.take(slice(0, -10)))
    after = Payload(vrps, (Aspa(1, (9,)), *MANY[100:], Aspa(64500, (2, 3)))).unique_sorted()
    live_cache.serve(after)

    eventually(look, counts(after))
    (session,) = live_cache.sessions()
    assert (session.version, session.serial, session.last_answer) == (2, 2, AnswerKind.DELTA)


def test_a_restart_takes_nothing_away(
    look: Look,
    live_cache: Any,
    eventually: Callable[..., None],
    watched: Callable[[Look], AbstractContextManager[list[object]]],
) -> None:
    """While the cache is away and when it is back, there is as much as there was; then it takes a delta."""
    live_cache.serve(Payload(Vrps.empty(), MANY))
    eventually(look, (0, 0, len(MANY)))
    with watched(look) as seen:
        live_cache.restart(away=1.0)
        eventually(lambda: [(info.serial, info.last_answer) for info in live_cache.sessions()], [(1, AnswerKind.DELTA)])
    assert seen == [(0, 0, len(MANY))]

    live_cache.serve(Payload(Vrps.empty(), MANY[:5]))
    eventually(look, (0, 0, 5))
    (session,) = live_cache.sessions()
    assert (session.version, session.serial, session.last_answer) == (2, 2, AnswerKind.DELTA)
