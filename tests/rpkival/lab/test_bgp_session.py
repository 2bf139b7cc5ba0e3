"""The state machine of a session that a router opened."""

from __future__ import annotations

from contextlib import suppress
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.bgp_message import HEADER_BYTES, KEEPALIVE, MessageType, Notification, Open
from feeds.bgp_update import end_of_rib
from rpkival.errors import BgpError
from rpkival.lab.bgp_session import BgpSession, NotificationReceived, State

ROUTER = IPv4Address("192.0.2.50")
END_OF_RIB = end_of_rib(4)[HEADER_BYTES:]


def opened(message: Open) -> BgpSession:
    """A session whose router sent this OPEN."""
    session = BgpSession(64496, IPv4Address("192.0.2.1"))
    assert session.receive(MessageType.OPEN, message.encode()[HEADER_BYTES:]) == (KEEPALIVE, None)
    return session


def established(message: Open) -> BgpSession:
    """One that the router confirmed, too."""
    session = opened(message)
    assert session.receive(MessageType.KEEPALIVE, b"") == (b"", None)
    return session


@pytest.mark.parametrize("asn", [1, 64497, 65550, 2**32 - 1])
def test_any_other_as_is_welcome(asn: int) -> None:
    """OPEN, KEEPALIVE, established."""
    session = established(Open(asn, 90, ROUTER))

    assert session.state is State.ESTABLISHED
    assert session.peer is not None
    assert session.peer.asn == asn


def test_own_number_is_refused_with_advice() -> None:
    """Bad Peer AS (RFC 4271 section 6.2): inside one AS BGP is spoken differently."""
    session = BgpSession(64496, IPv4Address("192.0.2.1"))

    with pytest.raises(BgpError, match="AS65550") as caught:
        session.receive(MessageType.OPEN, Open(64496, 90, ROUTER).encode()[HEADER_BYTES:])

    assert (caught.value.code, caught.value.subcode) == (2, 2)


@pytest.mark.parametrize(("theirs", "hold", "keepalive"), [(30, 30.0, 10.0), (3600, 90.0, 30.0), (0, None, None)])
def test_smaller_hold_time_counts(theirs: int, hold: float | None, keepalive: float | None) -> None:
    """RFC 4271 section 4.2; zero means never."""
    session = established(Open(65550, theirs, ROUTER))

    assert session.hold_seconds == hold
    assert session.keepalive_seconds == keepalive


def test_only_families_of_both_sides() -> None:
    """RFC 4760 section 8."""
    assert established(Open(65550, 90, ROUTER, families=(6,))).families == (6,)
    assert established(Open(65550, 90, ROUTER)).families == (4, 6)


def test_refresh_names_the_family() -> None:
    """RFC 2918."""
    session = established(Open(65550, 90, ROUTER))

    assert session.receive(MessageType.ROUTE_REFRESH, bytes.fromhex("00020001")) == (b"", 6)
    assert session.receive(MessageType.ROUTE_REFRESH, bytes.fromhex("40040047")) == (b"", None)


def test_updates_are_counted_and_looked_at() -> None:
    """What the router announces is not used, but must be an UPDATE."""
    session = established(Open(65550, 90, ROUTER))

    session.receive(MessageType.UPDATE, END_OF_RIB)

    assert session.updates_received == 1
    with pytest.raises(BgpError) as caught:
        session.receive(MessageType.UPDATE, b"\xff\xff\x00\x00")
    assert caught.value.code == 3


@given(st.sampled_from(list(State)), st.sampled_from(list(MessageType)), st.binary(max_size=100))
def test_noise_ends_the_session_or_goes_on(state: State, kind: MessageType, body: bytes) -> None:
    """No other exception comes of any body that the header let pass."""
    session = BgpSession(64496, IPv4Address("192.0.2.1"))
    if state is not State.OPEN_SENT:
        session = (opened if state is State.OPEN_CONFIRM else established)(Open(65550, 90, ROUTER))

    with suppress(BgpError, NotificationReceived):
        session.receive(kind, body + bytes(10))


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("kind", list(MessageType))
def test_what_does_not_belong_there_is_a_state_machine_error(state: State, kind: MessageType) -> None:
    """Every pair: either RFC 4271 section 8.2.2 has it, or it is code 5 with the subcode of RFC 6608."""
    hello = Open(65550, 90, ROUTER)
    fine = {
        State.OPEN_SENT: {MessageType.OPEN},
        State.OPEN_CONFIRM: {MessageType.KEEPALIVE},
        State.ESTABLISHED: {MessageType.KEEPALIVE, MessageType.UPDATE, MessageType.ROUTE_REFRESH},
    }
    bodies = {
        MessageType.OPEN: hello.encode()[HEADER_BYTES:],
        MessageType.UPDATE: END_OF_RIB,
        MessageType.NOTIFICATION: b"\x06\x02",
        MessageType.KEEPALIVE: b"",
        MessageType.ROUTE_REFRESH: bytes.fromhex("00010001"),
    }
    session = BgpSession(64496, IPv4Address("192.0.2.1"))
    if state is not State.OPEN_SENT:
        session = opened(hello) if state is State.OPEN_CONFIRM else established(hello)

    if kind is MessageType.NOTIFICATION:
        with pytest.raises(NotificationReceived) as ended:
            session.receive(kind, bodies[kind])
        assert ended.value.notification == Notification(6, 2)
    elif kind in fine[state]:
        session.receive(kind, bodies[kind])
    else:
        with pytest.raises(BgpError) as caught:
            session.receive(kind, bodies[kind])
        assert (caught.value.code, caught.value.subcode) == (5, state.value)
