"""BGP messages but UPDATE: the header, OPEN with its capabilities, KEEPALIVE, NOTIFICATION, ROUTE-REFRESH.

Bytes in, values out (RFC 4271 section 4): nothing here knows a socket or a clock. What breaks the format raises
`BgpError`, which carries the NOTIFICATION that RFC 4271 section 6 wants as the answer. `feeds.bgp_update` has UPDATE.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address
from typing import Final

from feeds.bgp_octets import Octets
from rpkival.errors import BgpError
from rpkival.limits import MAX_BGP_MESSAGE_BYTES
from rpkival.prefixes import Family

__all__ = [
    "AFI",
    "AS_TRANS",
    "HEADER_BYTES",
    "KEEPALIVE",
    "SAFI_UNICAST",
    "MessageType",
    "Notification",
    "NotificationCode",
    "Open",
    "decode_header",
    "frame",
    "route_refresh_family",
]

HEADER_BYTES: Final = 19
AS_TRANS: Final = 23456
"""RFC 6793 section 9: stands in two octets for an AS number that needs four."""
AFI: Final[dict[Family, int]] = {4: 1, 6: 2}
SAFI_UNICAST: Final = 1

_MARKER: Final = b"\xff" * 16
_OPTION_CAPABILITIES: Final = 2
_OPTIONS_EXTENDED: Final = 255
_CAPABILITY_MULTIPROTOCOL: Final = 1
_CAPABILITY_ROUTE_REFRESH: Final = 2
_CAPABILITY_FOUR_OCTET_AS: Final = 65


class MessageType(IntEnum):
    """RFC 4271 section 4.1; ROUTE_REFRESH is RFC 2918."""

    OPEN = 1
    UPDATE = 2
    NOTIFICATION = 3
    KEEPALIVE = 4
    ROUTE_REFRESH = 5


class NotificationCode(IntEnum):
    """RFC 4271 section 4.5; SEND_HOLD_TIMER is RFC 9687."""

    HEADER = 1
    OPEN = 2
    UPDATE = 3
    HOLD_TIMER = 4
    STATE_MACHINE = 5
    CEASE = 6
    SEND_HOLD_TIMER = 8


# The shortest body of each type: what is shorter is a bad message length, RFC 4271 section 6.1.
_SHORTEST_BODY: Final = {
    MessageType.OPEN: 10,
    MessageType.UPDATE: 4,
    MessageType.NOTIFICATION: 2,
    MessageType.KEEPALIVE: 0,
    MessageType.ROUTE_REFRESH: 4,
}


def frame(kind: MessageType, body: bytes = b"") -> bytes:
    """A whole message. Raises `ValueError` for a body that no message can hold."""
    length = HEADER_BYTES + len(body)
    if length > MAX_BGP_MESSAGE_BYTES:
        raise ValueError(f"A BGP message of {length} octets is longer than {MAX_BGP_MESSAGE_BYTES}.")
    return _MARKER + length.to_bytes(2) + bytes([kind]) + body


KEEPALIVE: Final = frame(MessageType.KEEPALIVE)


def decode_header(header: bytes) -> tuple[MessageType, int]:
    """The type and the length of the body that follows these 19 octets (RFC 4271 section 4.1). Raises `BgpError`."""
    if header[:16] != _MARKER:
        raise BgpError(NotificationCode.HEADER, 1, "The BGP message does not begin with its marker.")
    length = int.from_bytes(header[16:18])
    try:
        kind = MessageType(header[18])
    except ValueError:
        raise BgpError(
            NotificationCode.HEADER, 3, f"BGP messages of type {header[18]} do not exist.", header[18:19]
        ) from None
    body = length - HEADER_BYTES
    wrong = body != 0 if kind is MessageType.KEEPALIVE else body < _SHORTEST_BODY[kind]
    if wrong or length > MAX_BGP_MESSAGE_BYTES:
        raise BgpError(NotificationCode.HEADER, 2, f"A BGP {kind.name} cannot be {length} octets long.", header[16:18])
    return kind, body


@dataclass(frozen=True, slots=True)
class Open:
    """RFC 4271 section 4.2, with the capabilities that matter here.

    `asn` is the real one, of four octets where the speaker knows them (`four_octet_as`, RFC 6793). `families` are those
    of unicast routes (RFC 4760); a speaker that announces none means IPv4.
    """

    asn: int
    hold_seconds: int
    router_id: IPv4Address
    families: tuple[Family, ...] = (4, 6)
    four_octet_as: bool = True
    route_refresh: bool = True

    def encode(self) -> bytes:
        """The whole message; every capability is an optional parameter of its own, as the oldest routers want it."""
        capabilities = [(_CAPABILITY_MULTIPROTOCOL, _unicast(family)) for family in self.families]
        if self.route_refresh:
            capabilities.append((_CAPABILITY_ROUTE_REFRESH, b""))
        if self.four_octet_as:
            capabilities.append((_CAPABILITY_FOUR_OCTET_AS, self.asn.to_bytes(4)))
        options = b"".join(
            bytes([_OPTION_CAPABILITIES, 2 + len(value), code, len(value)]) + value for code, value in capabilities
        )
        short_asn = self.asn if self.asn < 2**16 else AS_TRANS
        body = b"\x04" + short_asn.to_bytes(2) + self.hold_seconds.to_bytes(2) + self.router_id.packed
        return frame(MessageType.OPEN, body + bytes([len(options)]) + options)

    @classmethod
    def decode(cls, body: bytes) -> Open:
        """Raises `BgpError` with the subcodes of RFC 4271 section 6.2."""
        octets = Octets(body, BgpError(NotificationCode.OPEN, 0, "The BGP OPEN ends too early."))
        if (version := octets.number(1)) != 4:
            raise BgpError(NotificationCode.OPEN, 1, f"BGP version {version} is not spoken here.", b"\x00\x04")
        asn, hold = octets.number(2), octets.number(2)
        if hold in {1, 2}:
            raise BgpError(NotificationCode.OPEN, 6, f"A hold time of {hold} seconds is too short; at least 3 or 0.")
        router_id = IPv4Address(octets.take(4))
        if not int(router_id):
            raise BgpError(NotificationCode.OPEN, 3, "0.0.0.0 cannot be a BGP identifier.")
        capabilities = _decode_options(octets)
        for code, value in capabilities:
            if code == _CAPABILITY_FOUR_OCTET_AS and len(value) == 4:
                asn = int.from_bytes(value)
        if not asn:
            raise BgpError(NotificationCode.OPEN, 2, "AS0 cannot speak BGP (RFC 7607).")
        announced = [value for code, value in capabilities if code == _CAPABILITY_MULTIPROTOCOL]
        codes = {code for code, _ in capabilities}
        return cls(
            asn,
            hold,
            router_id,
            tuple(family for family in AFI if _unicast(family) in announced) if announced else (4,),
            _CAPABILITY_FOUR_OCTET_AS in codes,
            _CAPABILITY_ROUTE_REFRESH in codes,
        )


def _unicast(family: Family) -> bytes:
    return AFI[family].to_bytes(2) + bytes([0, SAFI_UNICAST])


def _decode_options(octets: Octets) -> list[tuple[int, bytes]]:
    """All capabilities (RFC 5492) of the optional parameters, which RFC 9072 may have made long."""
    short = BgpError(NotificationCode.OPEN, 0, "The optional parameters of the BGP OPEN do not fit their length.")
    width, length = 1, octets.number(1)
    options = Octets(octets.rest(), short)
    if length == _OPTIONS_EXTENDED:
        extended = Octets(options.rest(), short)
        if extended.number(1) == _OPTIONS_EXTENDED:
            width, length = 2, extended.number(2)
            options = Octets(extended.rest(), short)
        else:
            raise short
    parameters = Octets(options.take(length), short)
    if options:
        raise short
    found = []
    while parameters:
        kind = parameters.number(1)
        value = Octets(parameters.take(parameters.number(width)), short)
        if kind != _OPTION_CAPABILITIES:
            raise BgpError(NotificationCode.OPEN, 4, f"The BGP OPEN has an unknown optional parameter {kind}.")
        while value:
            found.append((value.number(1), value.take(value.number(1))))
    return found


@dataclass(frozen=True, slots=True)
class Notification:
    """RFC 4271 section 4.5: why the sender ends the session."""

    code: int
    subcode: int = 0
    data: bytes = b""

    def encode(self) -> bytes:
        """The whole message."""
        return frame(MessageType.NOTIFICATION, bytes([self.code, self.subcode]) + self.data)

    @classmethod
    def decode(cls, body: bytes) -> Notification:
        """Of a body that `decode_header` let pass."""
        return cls(body[0], body[1], body[2:])

    @classmethod
    def of(cls, error: BgpError) -> Notification:
        """The answer to what the peer did wrong."""
        return cls(error.code, error.subcode, error.data)


def route_refresh_family(body: bytes) -> Family | None:
    """Whose routes a ROUTE-REFRESH (RFC 2918) asks for again; None for a family that was never announced here.

    The octet that RFC 2918 reserves carries the marks of RFC 7313, which come only to speakers that ask for them.
    """
    for family in AFI:
        if body == _unicast(family):
            return family
    return None
