"""The legacy TABLE_DUMP, held against an encoder of its own."""

from __future__ import annotations

from feeds.mrt import MrtReader


def test_entries_of_both_families(encode, routes):
    """One route a record; AS numbers have two octets, and AS4_PATH has the rest."""
    attributes = encode.attribute(2, encode.path([64496, 23456], width=2)) + encode.attribute(
        17, encode.path([300_000])
    )
    data = encode.table_dump("192.0.2.0/24", 64500, "192.0.2.1", attributes)
    data += encode.table_dump("2001:db8::/32", 64501, "2001:db8::1", attributes)
    found = routes(MrtReader(data).batches())
    assert [(row.prefix, row.path, row.origin, row.peer_asn, row.peer) for row in found] == [
        ("192.0.2.0/24", "64496 300000", 300_000, 64500, "192.0.2.1"),
        ("2001:db8::/32", "64496 300000", 300_000, 64501, "2001:db8::1"),
    ]


def test_damaged_records_cost_only_themselves(encode, routes):
    """A length beyond the family and attributes beyond the record are counted."""
    path = encode.attribute(2, encode.path([64496], width=2))
    good = encode.table_dump("192.0.2.0/24", 64500, "192.0.2.1", path)
    too_long = encode.table_dump("192.0.2.0/33", 64500, "192.0.2.1", path)
    cut = encode.record(12, 1, good[12:-3])
    reader = MrtReader(good + too_long + cut + good)
    assert [row.prefix for row in routes(reader.batches())] == ["192.0.2.0/24"] * 2
    assert reader.stats.malformed == 2
