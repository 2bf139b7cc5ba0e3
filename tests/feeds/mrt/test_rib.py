"""TABLE_DUMP_V2, held against an encoder of its own."""

from __future__ import annotations

import pytest

from feeds.mrt import MrtReader

PEERS = ((64500, "192.0.2.1"), (4_200_000_000, "2001:db8::1"), (64502, "192.0.2.3"))


def test_entries_of_both_families(encode, routes):
    """Every entry is a route of its peer, in the order of the file; the time is that of the record."""
    data = (
        encode.peer_table(*PEERS)
        + encode.rib("192.0.2.0/24", encode.entry(0, [1, 2]), encode.entry(2, [3, {4, 5}]))
        + encode.rib("2001:db8::/32", encode.entry(1, [6]))
        + encode.rib("0.0.0.0/0", encode.entry(1, []))
    )
    found = routes(MrtReader(data).batches())
    assert [(row.prefix, row.path, row.origin, row.peer_asn, row.peer) for row in found] == [
        ("192.0.2.0/24", "1 2", 2, 64500, "192.0.2.1"),
        ("192.0.2.0/24", "3 {4,5}", None, 64502, "192.0.2.3"),
        ("0.0.0.0/0", "", None, 4_200_000_000, "2001:db8::1"),
        ("2001:db8::/32", "6", 6, 4_200_000_000, "2001:db8::1"),
    ]
    assert {row.time for row in found} == {1_500_000_000.0}
    assert all(row.announced for row in found)


def test_path_identifiers(encode, routes):
    """RFC 8050 section 4 puts them between the time and the attributes; plain records may stand beside."""
    data = (
        encode.peer_table(*PEERS)
        + encode.rib("192.0.2.0/24", encode.entry(0, [1], path_id=36), encode.entry(0, [2], path_id=38), add_path=True)
        + encode.rib("198.51.100.0/24", encode.entry(1, [3]))
    )
    found = routes(MrtReader(data).batches())
    assert [(row.prefix, row.path, row.path_id) for row in found] == [
        ("192.0.2.0/24", "1", 36),
        ("192.0.2.0/24", "2", 38),
        ("198.51.100.0/24", "3", 0),
    ]


def test_a_new_peer_table_rules_what_follows(encode, routes):
    """Files put together from two dumps have two tables."""
    rib = encode.rib("192.0.2.0/24", encode.entry(0, [1]))
    data = encode.peer_table(PEERS[0]) + rib + encode.peer_table(PEERS[1]) + rib
    assert [row.peer_asn for row in routes(MrtReader(data).batches())] == [64500, 4_200_000_000]


def test_without_a_peer_table(encode, routes):
    """The second half of a dump has none: its routes are still routes, of a peer without a name."""
    reader = MrtReader(encode.rib("192.0.2.0/24", encode.entry(5, [1])))
    assert [(row.prefix, row.peer_asn, row.peer) for row in routes(reader.batches())] == [("192.0.2.0/24", 0, "")]


@pytest.mark.parametrize("cut", [1, 6, 12, 25])
def test_a_damaged_peer_table(encode, routes, cut):
    """It is counted, and its routes have no named peer."""
    table = encode.peer_table(*PEERS, name=b"")[12:-cut]
    reader = MrtReader(encode.record(13, 1, table) + encode.rib("192.0.2.0/24", encode.entry(1, [1])))
    assert [(row.prefix, row.peer_asn) for row in routes(reader.batches())] == [("192.0.2.0/24", 0)]
    assert reader.stats.malformed == 1


def test_a_damaged_entry_costs_only_itself(encode, routes):
    """Attributes that break, or a peer that the table does not have, cost the entry; its record is counted."""
    bad_path = encode.entry(0, [], attributes=b"\x40\x02\x06\x02\x09\x00\x00\x00\x01")
    reader = MrtReader(
        encode.peer_table(*PEERS)
        + encode.rib("192.0.2.0/24", encode.entry(0, [1]), bad_path, encode.entry(9, [2]), encode.entry(2, [3]))
        + encode.rib("198.51.100.0/24", encode.entry(0, [4]))
    )
    assert [(row.prefix, row.path) for row in routes(reader.batches())] == [
        ("192.0.2.0/24", "1"),
        ("192.0.2.0/24", "3"),
        ("198.51.100.0/24", "4"),
    ]
    assert reader.stats.malformed == 1


@pytest.mark.parametrize(
    "body",
    [bytes(4), bytes([0, 0, 0, 0, 33, 1, 2, 3, 4, 5, 0, 0]), bytes([0, 0, 0, 0, 24, 192, 0, 2, 0, 9]) + bytes(20)],
    ids=["ends before the prefix", "length beyond the family", "more entries than octets"],
)
def test_a_damaged_record_costs_only_itself(encode, routes, body):
    """A record that cannot be followed gives nothing and is counted."""
    reader = MrtReader(
        encode.peer_table(*PEERS) + encode.record(13, 2, body) + encode.rib("192.0.2.0/24", encode.entry(0, [1]))
    )
    assert [row.prefix for row in routes(reader.batches())] == ["192.0.2.0/24"]
    assert reader.stats.malformed == 1


def test_multicast_and_generic_are_counted(encode, routes):
    """RIB_IPV4_MULTICAST and RIB_GENERIC are not decoded, and that is said."""
    reader = MrtReader(encode.peer_table(*PEERS) + encode.record(13, 3, bytes(9)) + encode.record(13, 6, bytes(9)))
    assert routes(reader.batches()) == []
    assert (reader.stats.unsupported, reader.stats.malformed) == (2, 0)
