"""UPDATEs between two tables."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_network

from hypothesis import given
from hypothesis import strategies as st

from rpkival.lab.topology import Network
from rpkival.lab.updates import NextHops, Paths, updates_between

NEXT_HOPS: NextHops = {4: IPv4Address("192.0.2.1"), 6: IPv6Address("2001:db8:ffff::1")}
PREFIXES: list[Network] = [ip_network(f"198.18.{n}.0/24") for n in range(6)]
PREFIXES += [ip_network(f"2001:db8:{n}::/48") for n in range(6)]

tables = st.dictionaries(
    st.sampled_from(PREFIXES), st.lists(st.integers(1, 2**32 - 1), min_size=1, max_size=4).map(tuple)
)


@given(tables, tables)
def test_who_follows_the_updates_has_the_new_table(before: Paths, after: Paths) -> None:
    """And hears of nothing twice, nor of what did not change."""
    known = dict(before)
    spoken_of: list[Network] = []
    for update in updates_between(before, after, NEXT_HOPS):
        for prefix in update.withdrawn:
            del known[prefix]
        spoken_of += update.withdrawn
        for reach in update.announced:
            assert [NEXT_HOPS[prefix.version] for prefix in reach.prefixes] == [reach.next_hops[0]] * len(
                reach.prefixes
            )
            for prefix in reach.prefixes:
                known[prefix] = tuple(hop for hop in update.as_path if isinstance(hop, int))
            spoken_of += reach.prefixes

    assert known == after
    assert len(set(spoken_of)) == len(spoken_of)
    assert all(before.get(prefix) != after.get(prefix) for prefix in spoken_of)


@given(tables, tables)
def test_families_that_are_not_wanted_are_not_told(before: Paths, after: Paths) -> None:
    """Not even withdrawn."""
    for update in updates_between(before, after, {4: NEXT_HOPS[4]}):
        prefixes = [prefix for reach in update.announced for prefix in reach.prefixes] + list(update.withdrawn)
        assert {prefix.version for prefix in prefixes} == {4}


def test_large_tables_are_cut_to_messages() -> None:
    """A thousand IPv6 prefixes of one path, with the longest path a segment holds, still are BGP messages."""
    path = tuple(range(70000, 70255))
    table: Paths = {IPv6Network((0x20010DB8 << 96 | n, 128)): path for n in range(1000)}

    sizes = [len(update.encode()) for update in updates_between({}, table, NEXT_HOPS)]
    sizes += [len(update.encode(four_octet_as=False)) for update in updates_between(table, {}, NEXT_HOPS)]

    assert max(sizes) <= 4096
