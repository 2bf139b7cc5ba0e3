"""The monitor against the plainest model of it: a table of who has which route, judged from scratch."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rpkival.payload.vrps import Vrp

POOL = {
    4: ["192.0.0.0/16", "192.0.2.0/24", "192.0.2.0/25", "192.0.2.128/25", "192.0.2.128/26", "198.51.100.0/24"],
    6: ["2001:db8::/32", "2001:db8::/48", "2001:db8:0:1::/64", "2001:db8:1::/48", "2001:db9::/32"],
}
OWN = ["AS64496", "192.0.2.0/24", "2001:db8::/32"]
ORIGINS = [64496, 64497, 64666, 64667]
ROUTES = st.tuples(
    st.sampled_from([(family, prefix) for family, prefixes in POOL.items() for prefix in prefixes]),
    st.integers(1, 4),
    st.none() | st.sampled_from(ORIGINS),
)
VRPS = st.lists(
    st.builds(
        lambda prefix, more, origin: Vrp(prefix, min(int(prefix.partition("/")[2]) + more, 32), origin),
        st.sampled_from(POOL[4][:5]),
        st.integers(0, 8),
        st.sampled_from([0, 64496, 64497]),
    ),
    max_size=4,
)


def is_charged(prefix: str, origin: int, vrps: Sequence[Vrp]) -> bool:
    """RFC 6811 and the detectors, one announcement at a time, as their definitions read."""
    network = ipaddress.ip_network(prefix)
    mine = {ipaddress.ip_network(text) for text in OWN[1:]}
    mine |= {ipaddress.ip_network(vrp.prefix) for vrp in vrps if vrp.asn == 64496}
    around = [own for own in mine if own.version == network.version and network.subnet_of(own)]  # type: ignore[arg-type]
    if not around:
        return False
    closest = max(around, key=lambda own: own.prefixlen)

    def covering(inner: Any) -> list[Vrp]:
        outer = [(ipaddress.ip_network(vrp.prefix), vrp) for vrp in vrps]
        return [vrp for other, vrp in outer if other.version == inner.version and inner.subnet_of(other)]

    expected = {64496} | {vrp.asn for vrp in covering(closest)} - {0}
    matching = [vrp for vrp in covering(network) if vrp.asn == origin]
    if any(network.prefixlen <= vrp.max_length for vrp in matching):
        return False
    return origin not in expected or (network != closest and bool(matching))


@given(VRPS, st.lists(st.lists(ROUTES, max_size=8), max_size=12), st.sets(st.integers(0, 11)))
@settings(deadline=None, max_examples=60)
def test_what_is_open_is_what_somebody_holds(
    desk: Callable[..., Any],
    batch: Callable[..., Any],
    vrps: list[Vrp],
    steps: list[list[tuple[tuple[int, str], int, int | None]]],
    restarts: set[int],
) -> None:
    """Whatever comes in whatever batches, with restarts between: when it has settled, each charged route that a peer
    still has is an open incident, and nothing else is."""
    at, now = desk(vrps, OWN), 0.0
    table: dict[tuple[str, int], int] = {}
    for number, routes in enumerate(steps):
        for family in (4, 6):
            rows = []
            for (kind, prefix), peer, origin in routes:
                if kind == family:
                    now += 1
                    rows.append((prefix, peer, None if origin is None else [peer, 64510, origin], now))
                    table.pop((prefix, peer), None)
                    if origin is not None:
                        table[prefix, peer] = origin
            if rows:
                at.monitor.process(batch(rows), now)
        if number in restarts:
            at.restart()
    for later in (now, now + 3601):
        at.monitor.process(batch([("203.0.113.0/24", 1, None, later)]), later)

    held = {(prefix, origin) for (prefix, _), origin in table.items() if is_charged(prefix, origin, vrps)}
    assert {(i.prefix, i.observed.origin) for i in at.store.list(state="open", limit=1000)} == held
    kinds = [kind.removeprefix("incident.") for kind in at.told()]
    assert kinds.count("opened") - kinds.count("resolved") == len(held)
    for incident in at.store.list(state="open", limit=1000):
        holders = {peer for (prefix, peer), origin in table.items() if (prefix, origin) == _key(incident)}
        assert holders <= {peer.asn for peer in incident.observed.peers}


def _key(incident: Any) -> tuple[str, int]:
    return incident.prefix, incident.observed.origin
