"""BGP4MP records, held against an encoder of its own."""

from __future__ import annotations

import ipaddress
import itertools
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.mrt import MrtReader

ipv4 = st.builds(
    lambda address, length: str(ipaddress.IPv4Network((address, length), strict=False)),
    st.integers(0, 2**32 - 1),
    st.integers(0, 32),
)
ipv6 = st.builds(
    lambda address, length: str(ipaddress.IPv6Network((address, length), strict=False)),
    st.integers(0, 2**128 - 1),
    st.integers(0, 128),
)
asns = st.integers(1, 2**32 - 1)
paths = st.lists(st.one_of(asns, st.sets(asns, min_size=1, max_size=3)), max_size=300).filter(
    lambda path: not any(isinstance(a, set) and isinstance(b, set) for a, b in itertools.pairwise(path))
)


def text_of(path):
    """A path as `PathTable.text` has it."""
    words = ["{" + ",".join(map(str, sorted(part))) + "}" if isinstance(part, set) else str(part) for part in path]
    return " ".join(words)


def origin_of(path):
    """The single origin of a path, or None."""
    return path[-1] if path and not isinstance(path[-1], set) else None


@given(
    st.lists(
        st.tuples(
            st.lists(ipv4, max_size=6, unique=True),
            st.lists(ipv4, max_size=6, unique=True),
            st.lists(ipv6, max_size=4, unique=True),
            st.lists(ipv6, max_size=4, unique=True),
            paths,
            st.sampled_from([4, 7]),
            st.booleans(),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_what_was_encoded_is_decoded(encode, routes, messages):
    """Any mix of announcements and withdrawals of both families comes back whole and in order, withdrawals first."""
    data = b""
    expected = {4: [], 6: []}
    for withdrawn, announced, unreached, reached, path, subtype, extended in messages:
        attributes = encode.attribute(2, encode.path(path), extended=extended)
        if reached:
            attributes += encode.reach(2, encode.prefixes(*reached))
        if unreached:
            attributes = encode.unreach(2, encode.prefixes(*unreached)) + attributes
        message = encode.update(
            withdrawn=encode.prefixes(*withdrawn), attributes=attributes, nlri=encode.prefixes(*announced)
        )
        data += encode.bgp4mp(message, subtype=subtype)
        for family, gone, here in ((4, withdrawn, announced), (6, unreached, reached)):
            expected[family] += [(False, prefix, "", None) for prefix in gone]
            expected[family] += [(True, prefix, text_of(path), origin_of(path)) for prefix in here]

    reader = MrtReader(data)
    found = routes(reader.batches())

    assert [row[:4] for row in found if ":" not in row.prefix] == expected[4]
    assert [row[:4] for row in found if ":" in row.prefix] == expected[6]
    assert reader.stats.malformed == 0
    assert not reader.stats.truncated


@pytest.mark.parametrize("subtype", [1, 6, 8, 10])
def test_as_numbers_of_two_octets(encode, routes, subtype):
    """Subtypes without AS4 have peers and paths of 2 octets; with ADDPATH (RFC 8050) each prefix has an identifier."""
    identifier = 77 if subtype >= 8 else None
    attributes = encode.attribute(2, encode.path([64496, {64497, 64498}], width=2))
    message = encode.update(
        withdrawn=encode.prefix("198.51.100.0/24", identifier),
        attributes=attributes,
        nlri=encode.prefix("192.0.2.0/24", identifier) + encode.prefix("203.0.113.0/24", identifier),
    )
    found = routes(MrtReader(encode.bgp4mp(message, subtype=subtype)).batches())
    assert [(row.announced, row.prefix, row.path, row.origin, row.peer_asn, row.path_id) for row in found] == [
        (False, "198.51.100.0/24", "", None, 64500, identifier or 0),
        (True, "192.0.2.0/24", "64496 {64497,64498}", None, 64500, identifier or 0),
        (True, "203.0.113.0/24", "64496 {64497,64498}", None, 64500, identifier or 0),
    ]


@pytest.mark.parametrize("subtype", [9, 11])
def test_add_path_in_mp_reach(encode, routes, subtype):
    """RFC 8050 holds for the prefixes of every attribute."""
    nlri = encode.prefix("2001:db8::/32", 5) + encode.prefix("2001:db8::/32", 6)
    attributes = encode.attribute(2, encode.path([64496])) + encode.reach(2, nlri)
    found = routes(MrtReader(encode.bgp4mp(encode.update(attributes=attributes), subtype=subtype)).batches())
    assert [(row.prefix, row.path_id) for row in found] == [("2001:db8::/32", 5), ("2001:db8::/32", 6)]


@pytest.mark.parametrize("ids", [(1, 1), (1, 720), (255, 256), (65_536, 1)])
def test_path_identifiers_that_the_record_denies(encode, routes, ids):
    """A collector may write them under a subtype that has none; their zeros give them away."""
    runs = [
        ("192.0.2.0/24", "198.51.100.0/22", 4),
        ("2001:db8::/32", "2001:db8:1::/48", 6),
    ]
    data, expected = b"", []
    for first, second, family in runs:
        nlri = encode.prefix(first, ids[0]) + encode.prefix(second, ids[1])
        path = encode.attribute(2, encode.path([64496]))
        if family == 4:
            data += encode.bgp4mp(encode.update(attributes=path, nlri=nlri))
        else:
            data += encode.bgp4mp(encode.update(attributes=path + encode.reach(2, nlri)))
        expected += [(first, ids[0]), (str(ipaddress.ip_network(second, strict=False)), ids[1])]
    reader = MrtReader(data + encode.announcement([64496], "0.0.0.0/0", "192.0.2.0/24", "10.0.0.0/8"))
    expected += [("0.0.0.0/0", 0), ("192.0.2.0/24", 0), ("10.0.0.0/8", 0)]
    assert sorted((row.prefix, row.path_id) for row in routes(reader.batches())) == sorted(expected)
    assert reader.stats.malformed == 0


def test_microseconds(encode, routes):
    """BGP4MP_ET has them in front of the message (RFC 6396 section 3)."""
    record = encode.bgp4mp(encode.update(withdrawn=encode.prefix("192.0.2.0/24")), kind=17, time=1_445_565_678.509481)
    (row,) = routes(MrtReader(record).batches())
    assert row.time == pytest.approx(1_445_565_678.509481, abs=1e-6)


def test_host_bits_are_irrelevant(encode, routes):
    """RFC 4271 section 4.3: bits behind the prefix length mean nothing."""
    (row,) = routes(MrtReader(encode.announcement([64496], "11.13.0.0/13")).batches())
    assert row.prefix == "11.8.0.0/13"


def test_ipv4_in_mp_reach(encode, routes):
    """RFC 4760 carries IPv4 unicast too."""
    attributes = encode.attribute(2, encode.path([64496])) + encode.reach(
        1, encode.prefix("192.0.2.0/24"), next_hop=bytes(4)
    )
    attributes += encode.unreach(1, encode.prefix("198.51.100.0/24"))
    found = routes(MrtReader(encode.bgp4mp(encode.update(attributes=attributes))).batches())
    assert [(row.announced, row.prefix) for row in found] == [(False, "198.51.100.0/24"), (True, "192.0.2.0/24")]


def test_other_families_are_counted(encode, routes):
    """Multicast and VPN routes are no unicast routes; the unicast routes beside them stay."""
    attributes = encode.attribute(2, encode.path([64496])) + encode.reach(1, encode.prefix("224.0.0.0/4"), safi=2)
    message = encode.update(attributes=attributes, nlri=encode.prefix("192.0.2.0/24"))
    reader = MrtReader(encode.bgp4mp(message))
    assert [row.prefix for row in routes(reader.batches())] == ["192.0.2.0/24"]
    assert (reader.stats.unsupported, reader.stats.malformed) == (1, 0)


def test_peers_of_both_families(encode, routes):
    """Who spoke is told apart by AS and address, also where peers take turns."""
    update = encode.update(withdrawn=encode.prefix("192.0.2.0/24"))
    peers = [(64500, "192.0.2.1"), (4_200_000_000, "2001:db8::1"), (64500, "192.0.2.2"), (64500, "192.0.2.1")]
    data = b"".join(type(encode)(asn, address).bgp4mp(update) for asn, address in peers)
    (batch,) = MrtReader(data).batches()
    assert [(row.peer_asn, row.peer) for row in routes([batch])] == peers
    assert len(batch.peers) == 3


def test_other_messages_are_no_routes(encode, routes):
    """KEEPALIVE and state changes are neither routes nor faults."""
    keepalive = b"\xff" * 16 + struct.pack(">HB", 19, 4)
    reader = MrtReader(encode.bgp4mp(keepalive) + encode.record(16, 5, bytes(24)))
    assert routes(reader.batches()) == []
    assert (reader.stats.records, reader.stats.malformed, reader.stats.unsupported) == ({"BGP4MP": 2}, 0, 0)


def test_records_of_1999(encode, routes):
    """The BGP type holds an UPDATE without its header (RFC 6396 appendix B.2.2)."""
    update = encode.update(
        withdrawn=encode.prefix("198.51.100.0/24"),
        attributes=encode.attribute(2, encode.path([3333, 1103], width=2)),
        nlri=encode.prefix("192.0.2.0/24"),
    )
    head = struct.pack(">H4sH4s", 3333, bytes([193, 0, 0, 56]), 12654, bytes(4))
    found = routes(MrtReader(encode.record(5, 1, head + update[19:])).batches())
    assert [(row.announced, row.prefix, row.origin, row.peer_asn, row.peer) for row in found] == [
        (False, "198.51.100.0/24", None, 3333, "193.0.0.56"),
        (True, "192.0.2.0/24", 1103, 3333, "193.0.0.56"),
    ]


GOOD_PATH = b"\x40\x02\x06\x02\x01\x00\x00\xfb\xf0"


@pytest.mark.parametrize(
    ("attributes", "nlri"),
    [
        (GOOD_PATH, bytes([33, 192, 0, 2, 0, 0])),
        (GOOD_PATH, bytes([24, 192, 0])),
        (GOOD_PATH, bytes([24, 192, 0, 2, 24])),
        (b"\x40\x02\x20\x02\x01\x00\x00\xfb\xf0", bytes([24, 192, 0, 2])),
        (b"\x50\x02\xff\xff", bytes([24, 192, 0, 2])),
        (b"\x40", bytes([24, 192, 0, 2])),
        (b"\x40\x02\x06\x05\x01\x00\x00\xfb\xf0", bytes([24, 192, 0, 2])),
        (b"\x40\x02\x06\x02\x02\x00\x00\xfb\xf0", bytes([24, 192, 0, 2])),
        (b"\x40\x02\x02\x02\x00", bytes([24, 192, 0, 2])),
        (GOOD_PATH + b"\x80\x0e\x04\x00\x01\x01\xff", bytes([24, 192, 0, 2])),
        (GOOD_PATH + b"\x80\x0f\x01\x00", bytes([24, 192, 0, 2])),
        (GOOD_PATH + b"\x80\x0f\x03\x00\x02\x01" * 2, bytes([24, 192, 0, 2])),
    ],
    ids=[
        "length beyond the family",
        "prefix passes the end",
        "second prefix passes the end",
        "attribute passes the attributes",
        "extended length passes the message",
        "one octet of an attribute",
        "unknown segment type",
        "segment passes AS_PATH",
        "segment without an AS",
        "next hop passes MP_REACH_NLRI",
        "MP_UNREACH_NLRI without a family",
        "MP_UNREACH_NLRI twice",
    ],
)
def test_a_malformed_message_costs_only_itself(encode, routes, attributes, nlri):
    """Whatever breaks in a message, it gives nothing, is counted, and those around it stay."""
    good = encode.announcement([64496], "198.51.100.0/24")
    bad = encode.bgp4mp(encode.update(attributes=attributes, nlri=nlri))
    reader = MrtReader(good + bad + good)
    assert [row.prefix for row in routes(reader.batches())] == ["198.51.100.0/24"] * 2
    assert reader.stats.malformed == 1


@pytest.mark.parametrize("cut", [1, 8, 20, 40])
def test_a_message_longer_than_its_record(encode, routes, cut):
    """The length in the BGP header is not believed."""
    good = encode.announcement([64496], "192.0.2.0/24")
    body = good[12:-cut]
    reader = MrtReader(encode.record(16, 4, body) + good)
    assert [row.prefix for row in routes(reader.batches())] == ["192.0.2.0/24"]
    assert reader.stats.malformed == 1


def test_a_repeated_path_is_discarded(encode, routes):
    """RFC 7606 section 3(g): the first of two AS_PATHs counts."""
    more = encode.attribute(2, encode.path([64511]))
    (row,) = routes(MrtReader(encode.announcement([64496, 64497], "192.0.2.0/24", more=more)).batches())
    assert (row.path, row.origin) == ("64496 64497", 64497)
