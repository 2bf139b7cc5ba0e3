"""AS_PATH, AS4_PATH and what becomes of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.mrt import MrtReader

TRANS = 23456


def merged(encode, routes, path, as4, more=b""):
    """The one route of a 2-octet peer that sent both paths."""
    attributes = encode.attribute(17, encode.path(as4)) + more
    (row,) = routes(MrtReader(encode.announcement(path, "192.0.2.0/24", subtype=1, more=attributes)).batches())
    return row


@pytest.mark.parametrize(
    ("path", "as4", "expected", "origin"),
    [
        ([64496, TRANS, TRANS], [200_000, 300_000], "64496 200000 300000", 300_000),
        ([64496, 64497, TRANS], [300_000], "64496 64497 300000", 300_000),
        ([64496, TRANS], [64496, 300_000], "64496 300000", 300_000),
        ([64496, TRANS], [1, 2, 300_000], "64496 23456", TRANS),
        ([64496, {1, 2}, TRANS], [{1, 2}, 300_000], "64496 {1,2} 300000", 300_000),
        ([64496, {1, 2}, TRANS], [300_000], "64496 {1,2} 300000", 300_000),
        ([64496, 64497, {TRANS}], [{300_000}], "64496 64497 {300000}", None),
        ([TRANS, TRANS], [], "23456 23456", TRANS),
    ],
    ids=["tail", "last", "whole", "longer is ignored", "set in both", "set kept", "set at the end", "empty is nothing"],
)
def test_as4_path_replaces_the_tail(encode, routes, path, as4, expected, origin):
    """RFC 6793 section 4.2.3: the leading ASes that AS_PATH has more of stay in front of AS4_PATH."""
    row = merged(encode, routes, path, as4)
    assert (row.path, row.origin) == (expected, origin)


@given(st.lists(st.integers(1, 2**32 - 1), min_size=1, max_size=20), st.integers(0, 19))
def test_as4_path_restores_what_an_old_speaker_lost(encode, routes, path, old):
    """A path of large ASes that passed `old` 2-octet speakers is the same again."""
    old = min(old, len(path))
    seen = [asn % 60_000 + 1 for asn in path[:old]] + path[old:]
    two_octets = [asn if asn < 65_536 else TRANS for asn in seen]
    row = merged(encode, routes, two_octets, seen[old:])
    assert row.path == " ".join(map(str, two_octets[:old] + seen[old:]))


def test_as4_path_of_a_new_speaker_is_ignored(encode, routes):
    """RFC 6793 section 3: between speakers of 4 octets there is no AS4_PATH."""
    more = encode.attribute(17, encode.path([64511]))
    (row,) = routes(MrtReader(encode.announcement([64496, 64497], "192.0.2.0/24", more=more)).batches())
    assert row.path == "64496 64497"


def test_an_outdated_as4_path_is_ignored(encode, routes):
    """RFC 6793 section 4.2.3: an AGGREGATOR other than AS_TRANS beside an AS4_AGGREGATOR voids AS4_PATH."""
    as4_aggregator = encode.attribute(18, (300_000).to_bytes(4, "big") + bytes(4))
    for aggregator, expected in ((64499, "64496 23456"), (TRANS, "64496 300000")):
        more = encode.attribute(7, aggregator.to_bytes(2, "big") + bytes(4)) + as4_aggregator
        assert merged(encode, routes, [64496, TRANS], [300_000], more).path == expected


def test_a_malformed_as4_path_is_discarded(encode, routes):
    """RFC 6793 section 6: the message goes on without it."""
    more = encode.attribute(17, b"\x02\x09\x00")
    reader = MrtReader(encode.announcement([64496, TRANS], "192.0.2.0/24", subtype=1, more=more))
    assert [row.path for row in routes(reader.batches())] == ["64496 23456"]
    assert reader.stats.malformed == 0


@pytest.mark.parametrize(
    ("segments", "expected", "origin"),
    [
        ([(3, [65001, 65002]), (2, [64496, 64497])], "64496 64497", 64497),
        ([(2, [64496]), (4, [65001])], "64496", 64496),
        ([(3, [65001])], "", None),
        ([(2, [64496]), (2, [64497])], "64496 64497", 64497),
        ([(2, [64496]), (1, [64498, 64499])], "64496 {64498,64499}", None),
        ([(1, [64498]), (2, [64496])], "{64498} 64496", 64496),
    ],
    ids=["confederation ahead", "confederation behind", "confederation alone", "two sequences", "set", "set ahead"],
)
def test_segments(encode, routes, segments, expected, origin):
    """Confederation segments are left out; the last AS is the origin unless a set stands there."""
    value = b"".join(encode.segment(kind, asns) for kind, asns in segments)
    message = encode.update(attributes=encode.attribute(2, value), nlri=encode.prefix("192.0.2.0/24"))
    (row,) = routes(MrtReader(encode.bgp4mp(message)).batches())
    assert (row.path, row.origin) == (expected, origin)
