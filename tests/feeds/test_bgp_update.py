"""UPDATE: round trips, RIS's own bytes, and every subcode of RFC 4271 section 6.3."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.bgp_message import HEADER_BYTES, MessageType, decode_header
from feeds.bgp_update import Origin, Reach, Update, end_of_rib
from rpkival.errors import BgpError

asns = st.integers(1, 2**32 - 1)
networks4 = st.builds(
    lambda address, length: IPv4Network((address, length), strict=False), st.integers(0, 2**32 - 1), st.integers(0, 32)
)
networks6 = st.builds(
    lambda address, length: IPv6Network((address, length), strict=False),
    st.integers(0, 2**128 - 1),
    st.integers(0, 128),
)
paths = st.lists(st.one_of(asns, st.lists(asns, min_size=1, max_size=5).map(tuple)), min_size=1, max_size=300).map(
    tuple
)
reach4 = st.builds(
    Reach,
    st.integers(0, 2**32 - 1).map(lambda number: (IPv4Address(number),)),
    st.lists(networks4, min_size=1, max_size=5).map(tuple),
)
reach6 = st.builds(
    Reach,
    st.lists(st.integers(0, 2**128 - 1).map(IPv6Address), min_size=1, max_size=2).map(tuple),
    st.one_of(st.lists(networks6, min_size=1, max_size=5), st.lists(networks4, min_size=1, max_size=5)).map(tuple),
)
announcing = st.builds(
    Update,
    announced=st.one_of(reach4.map(lambda one: (one,)), reach6.map(lambda one: (one,)), st.tuples(reach4, reach6)),
    withdrawn=st.tuples(st.lists(networks4, max_size=5).map(tuple), st.lists(networks6, max_size=5).map(tuple)).map(
        lambda both: both[0] + both[1]
    ),
    as_path=paths,
    origin=st.sampled_from(Origin),
    med=st.none() | st.integers(0, 2**32 - 1),
    communities=st.lists(st.tuples(st.integers(0, 65535), st.integers(0, 65535)), max_size=5).map(tuple),
)


def decode(wire: bytes, *, four_octet_as: bool = True) -> Update:
    """A whole message, of which the header must be right."""
    assert decode_header(wire[:HEADER_BYTES]) == (MessageType.UPDATE, len(wire) - HEADER_BYTES)
    return Update.decode(wire[HEADER_BYTES:], four_octet_as=four_octet_as)


def body(attributes: str = "", nlri: str = "", withdrawn: str = "") -> bytes:
    """An UPDATE's body of fields in hex."""
    fields = [bytes.fromhex(text) for text in (withdrawn, attributes, nlri)]
    return len(fields[0]).to_bytes(2) + fields[0] + len(fields[1]).to_bytes(2) + fields[1] + fields[2]


@given(announcing)
def test_round_trip(update: Update) -> None:
    """What is encoded is decoded again."""
    assert decode(update.encode()) == update


@given(announcing)
def test_round_trip_through_a_router_of_two_octets(update: Update) -> None:
    """RFC 6793 section 4.2.3: AS4_PATH gives back what AS_TRANS hides."""
    assert decode(update.encode(four_octet_as=False), four_octet_as=False) == update


@given(st.binary(max_size=200), st.booleans())
def test_noise_is_an_update_or_a_named_error(noise: bytes, four_octet_as: bool) -> None:
    """No other exception comes of what a stranger sends."""
    with suppress(BgpError):
        Update.decode(noise, four_octet_as=four_octet_as)


@given(announcing, st.data())
def test_torn_update_is_an_update_or_a_named_error(update: Update, data: st.DataObject) -> None:
    """A real message cut or changed at any place, too."""
    wire = bytearray(update.encode()[HEADER_BYTES:])
    at = data.draw(st.integers(0, len(wire) - 1))
    wire[at] ^= data.draw(st.integers(1, 255))
    for torn in (bytes(wire), bytes(wire[:at])):
        with suppress(BgpError):
            Update.decode(torn)


def test_end_of_rib() -> None:
    """RFC 4724 section 2: the shortest UPDATE, and an empty MP_UNREACH_NLRI."""
    assert end_of_rib(4) == bytes.fromhex("ff" * 16 + "0017" + "02" + "00000000")
    assert end_of_rib(6) == bytes.fromhex("ff" * 16 + "001d" + "02" + "00000006" + "800f03000201")
    assert decode(end_of_rib(4)) == decode(end_of_rib(6)) == Update()


def test_two_next_hops_of_a_family_do_not_fit() -> None:
    """One NEXT_HOP and one MP_REACH_NLRI are all there is."""
    one, two = (Reach((IPv4Address(hop),), (IPv4Network("198.18.0.0/20"),)) for hop in ("192.0.2.1", "192.0.2.2"))
    with pytest.raises(ValueError, match="two IPv4"):
        Update((one, two)).encode()


GOOD = "400101 00  400206 0201 0000fbf0  400304 c0000201".replace(" ", "")


@pytest.mark.parametrize(
    ("broken", "subcode"),
    [
        (b"", 1),
        (b"\x00\x05\x00\x00\x00", 1),
        (body(GOOD + "4001"), 1),
        (body(GOOD + "c00805 00000000".replace(" ", "")), 1),
        (body("c00e00" + "800f03000201" * 2), 4),
        (body("800f03000201" * 2), 1),
        (body("401500"), 2),
        (body(GOOD[:26], "18c61240"), 3),
        (body(GOOD[26:], "18c61240"), 3),
        (body("c0010100" + GOOD[8:], "18c61240"), 4),
        (body(GOOD[:-14] + "4003050000000000", "18c61240"), 5),
        (body(GOOD + "800402ffff", "18c61240"), 5),
        (body(GOOD + "c00803000000", "18c61240"), 5),
        (body("40010103" + GOOD[8:], "18c61240"), 6),
        (body(GOOD + "800e06000201000000"), 9),
        (body(GOOD + "800e0900020104c000020100"), 9),
        (body(GOOD + "800f04000201ff"), 9),
        (body(GOOD, "21c6124000"), 10),
        (body(GOOD, "18c612"), 10),
        (body(withdrawn="21c612400000"), 10),
        (body("40010100" + "400206" + "03010000fbf0" + GOOD[26:], "18c61240"), 11),
        (body("40010100" + "400202" + "0200" + GOOD[26:], "18c61240"), 11),
        (body("40010100" + "400203" + "020100" + GOOD[26:], "18c61240"), 11),
    ],
    ids=lambda value: value.hex() if isinstance(value, bytes) else str(value),
)
def test_broken_update_names_its_subcode(broken: bytes, subcode: int) -> None:
    """RFC 4271 section 6.3."""
    with pytest.raises(BgpError) as caught:
        Update.decode(broken)

    assert (caught.value.code, caught.value.subcode) == (3, subcode)


def test_bits_behind_a_prefix_mean_nothing() -> None:
    """RFC 4271 section 4.3: trailing bits are irrelevant."""
    assert Update.decode(body(withdrawn="14c6124f")).withdrawn == (ip_network("198.18.64.0/20"),)


def test_other_families_and_unknown_optional_attributes_are_passed_over() -> None:
    """VPN routes, LOCAL_PREF and what is not known do not hinder the rest."""
    attributes = GOOD + "400504 00000064" + "e06301 aa" + "800e05 000180 00 00" + "800f03 000280"

    update = Update.decode(body(attributes.replace(" ", ""), "14c61240"))

    assert update == Update((Reach((ip_address("192.0.2.1"),), (ip_network("198.18.64.0/20"),)),), as_path=(64496,))


def test_longer_as4_path_is_not_believed() -> None:
    """RFC 6793 section 4.2.3: it then belongs to an older announcement, and AS_PATH alone counts."""
    attributes = "40010100" + "400204 0201 fbf0" + "400304c0000201" + "c0110a 0202 0001000f 0001000e"

    update = Update.decode(body(attributes.replace(" ", ""), "14c61240"), four_octet_as=False)

    assert update.as_path == (64496,)


def fields(message: dict[str, Any]) -> tuple[object, ...]:
    """What a RIS Live message says, as `read` says it of the same bytes; RIS leaves a MED of 0 out."""
    announced = Counter(
        (ip_address(entry["next_hop"]), ip_network(prefix))
        for entry in message.get("announcements", ())
        for prefix in entry["prefixes"]
    )
    path = [tuple(hop) if isinstance(hop, list) else hop for hop in message.get("path", ())]
    withdrawn = sorted(str(ip_network(prefix)) for prefix in message.get("withdrawals", ()))
    communities = sorted(tuple(pair) for pair in message.get("community", ()))
    return announced, path, withdrawn, message.get("origin"), communities, message.get("med")


def read(raw: str, *, four_octet_as: bool) -> tuple[object, ...]:
    """The same of the bytes."""
    update = decode(bytes.fromhex(raw), four_octet_as=four_octet_as)
    announced = Counter(
        (hop, prefix) for reach in update.announced for hop in reach.next_hops for prefix in reach.prefixes
    )
    origin = update.origin.name.lower() if update.announced else None
    withdrawn = sorted(map(str, update.withdrawn))
    path = list(update.as_path)
    # RIPE shows an AS_SET of one AS that repeats the AS before it as nothing.
    if len(path) > 1 and path[-1] == (path[-2],):
        path.pop()
    return announced, path, withdrawn, origin, sorted(update.communities), update.med or None


def test_agrees_with_ris_about_its_own_bytes(shared_data: Path) -> None:
    """A thousand recorded messages carry the UPDATE beside RIPE's reading of it."""
    checked = 0
    for line in (shared_data / "live" / "rislive" / "1k-msgs").read_text("utf-8").splitlines():
        message = json.loads(line)["data"] if line.strip() else {}
        if message.get("type") == "UPDATE":
            # One of RIPE's peers still speaks two octets, and its messages are passed on as they came.
            says = read(message["raw"], four_octet_as=message["peer_asn"] != "20495")
            assert says == fields(message), message["raw"]
            checked += 1
    assert checked == 994
