"""The index against RFC 6811 written down naively, and against the counts of rtrlib on real data."""

from __future__ import annotations

import gzip
import ipaddress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rpkival.origin.index import OriginIndex
from rpkival.origin.verdict import Reason, State
from rpkival.payload.formats import read_vrps
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.prefixes import parse_prefix, split_families

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def naive(vrps: list[Vrp], route: Network, origin: int | None) -> tuple[State, Reason]:
    """RFC 6811 section 2, with the reason of an invalid."""
    same = [vrp for vrp in vrps if (":" in vrp.prefix) == (route.version == 6)]
    covering = [vrp for vrp in same if route.subnet_of(ipaddress.ip_network(vrp.prefix))]  # type: ignore[arg-type]
    mine = [vrp for vrp in covering if vrp.asn == origin and origin != 0]
    if any(route.prefixlen <= vrp.max_length for vrp in mine):
        return State.VALID, Reason.NONE
    if covering:
        return State.INVALID, Reason.LENGTH if mine else Reason.AS
    return State.NOT_FOUND, Reason.NONE


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Few distinct addresses at all lengths, IPv6 with bits in both words, so that much covers much."""
    if draw(st.booleans()):
        address = draw(st.sampled_from([0, 0x0A000000, 0x0A010203, 0xC0000280, 0xFFFFFFFF]))
        return ipaddress.ip_network((address, draw(st.integers(0, 32))), strict=False)
    address6 = draw(st.sampled_from([0, 1, 0x20010DB8 << 96, (0x20010DB8 << 96) | (1 << 64) | 0xFF, 2**128 - 1]))
    return ipaddress.ip_network((ipaddress.IPv6Address(address6), draw(st.integers(0, 128))), strict=False)


@st.composite
def some_vrps(draw: st.DrawFn) -> Vrp:
    """AS 0 is among the ASNs, max_length anything that the prefix allows."""
    network = draw(networks())
    longest = draw(st.integers(network.prefixlen, network.max_prefixlen))
    return Vrp(str(network), longest, draw(st.integers(0, 3)))


@settings(max_examples=300)
@given(
    st.lists(some_vrps(), max_size=30),
    st.lists(st.tuples(networks(), st.none() | st.integers(0, 3)), min_size=1, max_size=20),
)
def test_every_verdict_is_that_of_the_rfc(vrps: list[Vrp], routes: list[tuple[Network, int | None]]) -> None:
    """Any VRPs, any routes, also without a single origin: state and reason agree with the naive reading."""
    index = OriginIndex.build(Vrps.of(vrps))

    for prefixes, rows in split_families(str(route) for route, _ in routes):
        chosen = [routes[row] for row in rows.tolist()]
        origin = np.array([asn or 0 for _, asn in chosen], np.uint32)
        has_origin = np.array([asn is not None for _, asn in chosen], np.bool_)
        verdicts = index.classify(prefixes, origin, has_origin)
        got = list(zip(verdicts.state.tolist(), verdicts.reason.tolist(), strict=True))
        assert got == [naive(vrps, route, asn) for route, asn in chosen]


@given(st.lists(some_vrps(), max_size=30), networks())
def test_covering_lists_all_covering_vrps_once_shortest_first(vrps: list[Vrp], route: Network) -> None:
    """What decides a route is what is listed for it."""
    index = OriginIndex.build(Vrps.of(vrps))

    found = list(index.covering(parse_prefix(str(route))))

    same = {vrp for vrp in vrps if (":" in vrp.prefix) == (route.version == 6)}
    covering = {vrp for vrp in same if route.subnet_of(ipaddress.ip_network(vrp.prefix))}  # type: ignore[arg-type]
    assert set(found) == covering
    lengths = [int(vrp.prefix.partition("/")[2]) for vrp in found]
    assert len(found) == len(covering)
    assert lengths == sorted(lengths)


def test_a_crowded_prefix_costs_no_walk_through_its_vrps() -> None:
    """A hundred thousand VRPs of one prefix are searched, not walked; the answer stands in any place of them."""
    vrps = Vrps.of(Vrp("10.0.0.0/8", 8 + asn % 3, asn) for asn in range(1, 100_001))
    index = OriginIndex.build(vrps)
    (prefixes, _), _ = split_families(["10.0.0.0/9"] * 4)

    verdicts = index.classify(prefixes, np.array([1, 99_999, 100_000, 100_001], np.uint32))

    assert verdicts.state.tolist() == [State.VALID, State.INVALID, State.VALID, State.INVALID]
    assert verdicts.reason.tolist() == [Reason.NONE, Reason.LENGTH, Reason.NONE, Reason.AS]


def test_nothing_covers_nothing() -> None:
    """An empty set of VRPs finds nothing and fails nowhere; so does an empty batch."""
    index = OriginIndex.build(Vrps.empty())

    for text in ("10.0.0.0/8", "2001:db8::/32"):
        prefix = parse_prefix(text)
        assert index.classify(prefix, np.array([64496], np.uint32)).state.tolist() == [State.NOT_FOUND]
        assert len(index.classify(prefix.take(slice(0, 0)), np.zeros(0, np.uint32))) == 0
        assert len(index.covering(prefix)) == 0


@pytest.fixture(scope="module")
def world(shared_data: Path) -> OriginIndex:
    """The whole world's VRPs of 2025-07-20."""
    name = "rpkiclient_20250720T0931.json.bz2"
    return OriginIndex.build(read_vrps((shared_data / "vrps" / name).read_bytes(), name=name).vrps)


@pytest.mark.parametrize(
    ("table", "valid", "not_found", "invalid"),
    [("ipasn_20260730.dat.gz", 561_037, 499_020, 47_881), ("ipasn6_20260730.dat.gz", 143_635, 104_192, 11_129)],
)
def test_a_full_table_counts_as_rtrlib_counts_it(
    world: OriginIndex, shared_data: Path, table: str, valid: int, not_found: int, invalid: int
) -> None:
    """One origin for each prefix of the Internet of 2026-07-30; the counts are rtrlib's for the same input."""
    lines = gzip.decompress((shared_data / "table" / table).read_bytes()).decode().splitlines()
    pairs = [line.split() for line in lines if not line.startswith(";")]
    families = split_families(prefix for prefix, _ in pairs)
    prefixes, rows = max(families, key=lambda family: len(family[0]))
    origin = np.array([int(asn) for _, asn in pairs], np.uint32)[rows]

    counts = np.bincount(world.classify(prefixes, origin).state, minlength=3)

    assert counts[[State.VALID, State.NOT_FOUND, State.INVALID]].tolist() == [valid, not_found, invalid]
