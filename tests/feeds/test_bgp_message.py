"""BGP framing, OPEN with capabilities, NOTIFICATION, ROUTE-REFRESH."""

from __future__ import annotations

from contextlib import suppress
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.bgp_message import (
    HEADER_BYTES,
    KEEPALIVE,
    MessageType,
    Notification,
    Open,
    decode_header,
    frame,
    route_refresh_family,
)
from rpkival.errors import BgpError

ROUTER = IPv4Address("192.0.2.1")

opens = st.builds(
    Open,
    asn=st.integers(1, 2**32 - 1),
    hold_seconds=st.one_of(st.just(0), st.integers(3, 65535)),
    router_id=st.integers(1, 2**32 - 1).map(IPv4Address),
    families=st.sampled_from([(4,), (6,), (4, 6)]),
    route_refresh=st.booleans(),
)


def open_body(
    options: bytes, *, version: int = 4, asn: int = 64496, hold: int = 90, router: bytes = ROUTER.packed
) -> bytes:
    """An OPEN's body with these optional parameters, whose length comes first in `options`."""
    return bytes([version]) + asn.to_bytes(2) + hold.to_bytes(2) + router + options


class TestHeader:
    def test_keepalive_is_the_header_alone(self) -> None:
        """RFC 4271 section 4.4: 19 octets."""
        assert bytes.fromhex("ff" * 16 + "0013" + "04") == KEEPALIVE
        assert decode_header(KEEPALIVE) == (MessageType.KEEPALIVE, 0)

    @pytest.mark.parametrize(
        ("header", "code", "subcode"),
        [
            ("00" * 16 + "001304", 1, 1),
            ("ff" * 16 + "001204", 1, 2),
            ("ff" * 16 + "001404", 1, 2),
            ("ff" * 16 + "001c01", 1, 2),
            ("ff" * 16 + "100102", 1, 2),
            ("ff" * 16 + "001306", 1, 3),
            ("ff" * 16 + "001300", 1, 3),
        ],
        ids=["marker", "too short", "keepalive with body", "short open", "too long", "type 6", "type 0"],
    )
    def test_broken_header_names_its_notification(self, header: str, code: int, subcode: int) -> None:
        """RFC 4271 section 6.1."""
        with pytest.raises(BgpError) as caught:
            decode_header(bytes.fromhex(header))

        assert (caught.value.code, caught.value.subcode) == (code, subcode)

    def test_a_body_that_no_message_holds_is_refused(self) -> None:
        """RFC 4271 section 4: 4096 octets in all."""
        assert decode_header(frame(MessageType.UPDATE, bytes(4077))[:HEADER_BYTES]) == (MessageType.UPDATE, 4077)
        with pytest.raises(ValueError, match="4097"):
            frame(MessageType.UPDATE, bytes(4078))


class TestOpen:
    @given(opens)
    def test_round_trip(self, message: Open) -> None:
        """What is encoded is decoded again, AS numbers of four octets included."""
        wire = message.encode()
        kind, length = decode_header(wire[:HEADER_BYTES])

        assert (kind, length) == (MessageType.OPEN, len(wire) - HEADER_BYTES)
        assert Open.decode(wire[HEADER_BYTES:]) == message

    def test_long_as_number_shows_as_as_trans(self) -> None:
        """RFC 6793 section 4.1: AS_TRANS in the old field."""
        assert Open(65550, 90, ROUTER).encode()[20:22] == (23456).to_bytes(2)

    def test_speaker_without_capabilities_speaks_ipv4_and_two_octets(self) -> None:
        """RFC 4760 section 8: nothing announced means IPv4 unicast."""
        assert Open.decode(open_body(b"\0")) == Open(64496, 90, ROUTER, (4,), four_octet_as=False, route_refresh=False)

    def test_many_capabilities_in_one_parameter_and_unknown_ones(self) -> None:
        """RFC 5492 section 4 allows both ways of writing; what is unknown is passed over."""
        capabilities = bytes.fromhex("0104 0001 0001  46 00  4104 0001000e  0104 0002 0001".replace(" ", ""))
        options = bytes([2 + len(capabilities), 2, len(capabilities)]) + capabilities

        assert Open.decode(open_body(options)) == Open(65550, 90, ROUTER, (4, 6), route_refresh=False)

    def test_extended_optional_parameters(self) -> None:
        """RFC 9072: 255, 255, then lengths of two octets."""
        capabilities = bytes.fromhex("41040001000e") + b"\x46\xff" + bytes(255)
        parameter = b"\x02" + len(capabilities).to_bytes(2) + capabilities
        options = b"\xff\xff" + len(parameter).to_bytes(2) + parameter

        assert Open.decode(open_body(options)).asn == 65550

    @pytest.mark.parametrize(
        ("body", "subcode"),
        [
            (open_body(b"\0", version=3), 1),
            (open_body(b"\0", asn=0), 2),
            (open_body(bytes.fromhex("0802064104") + bytes(4), asn=23456), 2),
            (open_body(b"\0", router=bytes(4)), 3),
            (open_body(b"\x02\x01\x00"), 4),
            (open_body(b"\0", hold=2), 6),
            (open_body(b"\x05"), 0),
            (open_body(b"\x02\x02\x05"), 0),
            (open_body(b"\x04\x02\x02\x41\x04"), 0),
            (open_body(b"\x00\x00"), 0),
            (open_body(b"\xff\x02\x00\x00"), 0),
            (open_body(b"\x02\x02\x00")[:9], 0),
        ],
        ids=lambda value: value.hex() if isinstance(value, bytes) else str(value),
    )
    def test_broken_open_names_its_subcode(self, body: bytes, subcode: int) -> None:
        """RFC 4271 section 6.2."""
        with pytest.raises(BgpError) as caught:
            Open.decode(body)

        assert (caught.value.code, caught.value.subcode) == (2, subcode)

    @given(st.binary(max_size=300))
    def test_noise_is_an_open_or_a_named_error(self, noise: bytes) -> None:
        """No other exception comes of what a stranger sends."""
        with suppress(BgpError):
            Open.decode(noise)


def test_notification_round_trip() -> None:
    """RFC 4271 section 4.5."""
    wire = Notification(6, 2, b"\x05hello").encode()

    assert decode_header(wire[:HEADER_BYTES]) == (MessageType.NOTIFICATION, 8)
    assert Notification.decode(wire[HEADER_BYTES:]) == Notification(6, 2, b"\x05hello")


@pytest.mark.parametrize(
    ("body", "family"), [("00010001", 4), ("00020001", 6), ("00010101", None), ("00010080", None), ("40040047", None)]
)
def test_route_refresh_names_a_family(body: str, family: int | None) -> None:
    """RFC 2918 section 3; families that nobody announced, and the marks of RFC 7313, mean nothing."""
    assert route_refresh_family(bytes.fromhex(body)) == family
