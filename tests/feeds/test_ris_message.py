"""RIS Live messages, recorded and made up."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.mrt import MrtReader
from feeds.ris_message import decode_messages


def update(**data):
    """A message about an UPDATE."""
    base = {"timestamp": 1.5, "peer": "192.0.2.1", "peer_asn": "64500", "host": "rrc00", "type": "UPDATE"}
    return json.dumps({"type": "ris_message", "data": base | data})


def announce(*prefixes, path=(64500, 64496), **data):
    """A message that announces prefixes."""
    return update(path=list(path), announcements=[{"next_hop": "192.0.2.1", "prefixes": list(prefixes)}], **data)


@pytest.fixture(scope="session")
def recorded(shared_data):
    """`recorded(name)`: the lines of a recording."""
    return lambda name: (shared_data / "live" / name).read_bytes().splitlines()


SET_LEFT_OUT = "198.32.176.24-1558620047.05-26157964"
"""The path of this message ends in `27738 {27738}`; the server of 2019 left the set out of the JSON."""


def raw_routes(routes, message, subtype):
    """The routes of a BGP message, as an MRT record of this subtype."""
    head = bytes(12 if subtype == 4 else 8)
    head = head[:-2] + b"\0\1" + bytes(8)
    record = bytes(4) + bytes([0, 16, 0, subtype]) + (len(head) + len(message)).to_bytes(4, "big") + head + message
    return {(row.announced, row.prefix, row.path, row.origin) for row in routes(MrtReader(record).batches())}


@pytest.mark.parametrize("name", ["rislive/1-msg", "rislive/10-msg", "rislive/20-msg", "rislive/1k-msgs"])
def test_json_and_raw_say_the_same(recorded, routes, name):
    """Each recorded message carries the BGP message too: decoded as MRT, it gives the same routes."""
    for line in filter(None, recorded(name)):
        data = json.loads(line)["data"]
        raw = bytes.fromhex(data["raw"])
        # Nothing tells whether the peer wrote AS numbers of 4 octets or of 2; only one of them can be decoded.
        expected = raw_routes(routes, raw, 4) | raw_routes(routes, raw, 1)
        decoded = decode_messages([line])
        found = routes(decoded.batches)
        if data["id"] == SET_LEFT_OUT:
            assert [(row.path, row.origin) for row in found] == [("2497 2914 12252 23487 27738", 27738)]
            continue
        assert {(row.announced, row.prefix, row.path, row.origin) for row in found} == expected
        assert len(found) == len(expected)
        assert {(row.peer, row.peer_asn, row.time) for row in found} <= {
            (data["peer"], int(data["peer_asn"]), data["timestamp"])
        }
        assert (decoded.malformed, decoded.heard) == (0, 1)


def test_a_thousand_messages(recorded):
    """All at once they give one batch for each family and collector."""
    decoded = decode_messages(recorded("rislive/1k-msgs"))
    assert (decoded.heard, decoded.malformed) == (1000, 0)
    kinds = [(batch.prefixes.family, batch.collector) for batch in decoded.batches]
    assert len(kinds) == len(set(kinds)) == 23
    assert sum(len(batch) for batch in decoded.batches) == 3181


def test_same_prefixes_under_two_next_hops(recorded, routes):
    """A global and a link-local next hop make one announcement; the path ends in an AS_SET, so it has no origin."""
    (row,) = routes(decode_messages(recorded("rislive/fail-as-set")[:1]).batches)
    assert (row.prefix, row.path, row.origin) == ("2607:ffc0:1000::/36", "2497 6453 18705 26281 {13340}", None)


def test_other_types_are_heard_and_no_routes(recorded):
    """OPEN, NOTIFICATION, KEEPALIVE, peer states; a complaint of the server; one line that is torn."""
    decoded = decode_messages(recorded("libbgpstream_ris-live-stream.json"))
    assert sum(len(batch) for batch in decoded.batches) == 1
    assert decoded.errors == ("this is a test error message",)
    assert decoded.heard == 5
    assert decoded.malformed == 1


@pytest.mark.parametrize("name", ["libbgpstream_ris-live-stream_full.json", "bgpkit_ris_live_raw_full.json"])
def test_foreign_layouts_are_counted(recorded, name):
    """The layout of 2018, and no layout at all, give nothing and raise nothing."""
    lines = recorded(name)
    decoded = decode_messages(lines)
    assert decoded.batches == ()
    assert decoded.malformed >= 100


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (announce("192.0.2.0/24"), [(True, "192.0.2.0/24", 64496)]),
        (announce("192.0.2.0/24", peer_asn=64500), [(True, "192.0.2.0/24", 64496)]),
        (announce("192.0.2.0/24", type=""), [(True, "192.0.2.0/24", 64496)]),
        (announce("192.0.2.0/24", path=()), [(True, "192.0.2.0/24", None)]),
        (announce("192.0.2.0/24", path=(1, [2, 3])), [(True, "192.0.2.0/24", None)]),
        (announce("192.0.2.0/24", path=(1, [2, 3], 4)), [(True, "192.0.2.0/24", 4)]),
        (announce("192.0.2.9/24"), [(True, "192.0.2.0/24", 64496)]),
        (update(withdrawals=["2605:de00:bb:0:0:0:0:0/48"]), [(False, "2605:de00:bb::/48", None)]),
        (update(withdrawals=["eor"]), []),
        (
            announce("198.51.100.0/24", withdrawals=["192.0.2.0/24"]),
            [(False, "192.0.2.0/24", None), (True, "198.51.100.0/24", 64496)],
        ),
    ],
    ids=[
        "plain",
        "peer_asn as number",
        "without type",
        "empty path",
        "ends in a set",
        "set within",
        "host bits",
        "long form",
        "end of RIB",
        "withdrawals first",
    ],
)
def test_spellings(routes, message, expected):
    """What servers of all years write means what it means."""
    decoded = decode_messages([message])
    assert [(row.announced, row.prefix, row.origin) for row in routes(decoded.batches)] == expected
    assert decoded.malformed == 0


@pytest.mark.parametrize("text", ["", "192.0.2.0", "192.0.2.0/33", "2001:db8::/129", "192.0.2/24", "a/8", "1.2.3.4/ 8"])
def test_a_wrong_prefix_costs_only_itself(routes, text):
    """The rest of its message stands."""
    decoded = decode_messages([announce("192.0.2.0/24", text)])
    assert [row.prefix for row in routes(decoded.batches)] == ["192.0.2.0/24"]
    assert decoded.malformed == 1


@pytest.mark.parametrize(
    "message",
    [
        "",
        "{",
        b"\xff\xfe",
        "[]",
        "null",
        "{}",
        '{"type": "ris_message"}',
        '{"type": "ris_message", "data": null}',
        '{"type": "ris_message", "data": []}',
        update(path=["x"]),
        update(path=[2**32]),
        update(path=[-1]),
        update(timestamp="now"),
        update(announcements=[{"prefixes": [7]}]),
        update(peer_asn="AS-X", withdrawals=["192.0.2.0/24"]),
        update(peer_asn=2**32, withdrawals=["192.0.2.0/24"]),
    ],
)
def test_what_makes_no_sense_is_counted(message):
    """And raises nothing."""
    decoded = decode_messages([message])
    assert decoded.batches == ()
    assert decoded.malformed == 1


@pytest.mark.parametrize(
    "message",
    [
        '{"type":"pong","data":null}',
        '{"type":"ris_rrc_list","data":["rrc00"]}',
        '{"type":"ris_subscribe_ok","data":{}}',
    ],
)
def test_answers_are_no_news(message):
    """What the server says to our own requests is neither heard nor malformed."""
    decoded = decode_messages([message])
    assert (decoded.batches, decoded.malformed, decoded.heard, decoded.errors) == ((), 0, 0, ())


def test_collectors_are_told_apart(routes):
    """One batch for each, and both ways of writing a collector's name are one."""
    messages = [
        announce("192.0.2.0/24", host="rrc25"),
        announce("198.51.100.0/24", host="rrc25.ripe.net"),
        announce("203.0.113.0/24", host="rrc00"),
    ]
    batches = decode_messages(messages).batches
    assert [(batch.collector, len(batch)) for batch in batches] == [("rrc25", 2), ("rrc00", 1)]


@given(st.binary(max_size=60), st.integers(0, 400))
def test_noise(noise, at):
    """Bytes put anywhere into a message never raise."""
    message = announce("192.0.2.0/24", withdrawals=["2001:db8::/32"]).encode()
    assert decode_messages([message[:at] + noise + message[at:]]).malformed <= 3
