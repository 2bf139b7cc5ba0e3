"""The PDUs of the RPKI to Router protocol as values: versions 0 (RFC 6810), 1 (RFC 8210) and 2
(draft-ietf-sidrops-8210bis-26). Sections are those of RFC 8210, which the draft has kept.

No socket and no clock: `parse` turns the bytes of one PDU into a frozen dataclass, `serialize` turns it back. A whole
set of prefixes never becomes objects; `rpkival.rtr.columns` does those. What is wrong with a PDU is a `PduError` that
knows its error code (RFC 8210 section 12), so that whoever reads can answer with `ErrorReport.about`.

A PDU is eight octets of header (version, type, a session id or an error code or zero, the length of the whole) and a
body. Everything that a header alone can prove wrong is found before a single octet of the body is kept.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import ClassVar, Self, TypeAlias

from rpkival.errors import ProtocolError
from rpkival.limits import MAX_RTR_ENCAPSULATED_BYTES, MAX_RTR_PDU_BYTES
from rpkival.rtr.errors import (
    AspaProviderListError,
    CorruptDataError,
    ErrorCode,
    PduError,
    UnexpectedVersionError,
    UnsupportedTypeError,
    UnsupportedVersionError,
    code_in,
)

__all__ = [
    "HEADER_BYTES",
    "HIGHEST_VERSION",
    "VERSIONS",
    "AspaPdu",
    "CacheReset",
    "CacheResponse",
    "EndOfData",
    "ErrorReport",
    "Header",
    "IPv4Prefix",
    "IPv6Prefix",
    "Pdu",
    "PduType",
    "PeerError",
    "ResetQuery",
    "RouterKeyPdu",
    "SerialNotify",
    "SerialQuery",
    "Timers",
    "check_header",
    "parse",
]

VERSIONS = (0, 1, 2)
HIGHEST_VERSION = max(VERSIONS)

_HEADER = struct.Struct("!BBHI")
_SERIAL = struct.Struct("!I")
_TIMERS = struct.Struct("!IIII")
_ROUTER_KEY = struct.Struct("!20sI")
HEADER_BYTES = _HEADER.size


class PduType(IntEnum):
    """Section 5; 5 was never assigned, 9 came with version 1 and 11 with version 2."""

    SERIAL_NOTIFY = 0
    SERIAL_QUERY = 1
    RESET_QUERY = 2
    CACHE_RESPONSE = 3
    IPV4_PREFIX = 4
    IPV6_PREFIX = 6
    END_OF_DATA = 7
    CACHE_RESET = 8
    ROUTER_KEY = 9
    ERROR_REPORT = 10
    ASPA = 11


class PeerError(ProtocolError):
    """The peer sent an Error Report. It is never answered with one (RFC 8210 section 5.11)."""

    def __init__(self, report: ErrorReport) -> None:
        super().__init__(f"The RTR peer reports {report.sentence()}.")
        self.report = report


@dataclass(frozen=True, slots=True)
class Timers:
    """Seconds that a cache tells its routers (RFC 8210 section 6): when to poll, to retry, and to forget."""

    refresh: int = 3600
    retry: int = 600
    expire: int = 7200

    def __post_init__(self) -> None:
        """Raises `ValueError` outside the RFC's ranges."""
        for name, value, low, high in (
            ("refresh", self.refresh, 1, 86_400),
            ("retry", self.retry, 1, 7_200),
            ("expire", self.expire, 600, 172_800),
        ):
            if not low <= value <= high:
                raise ValueError(f"The {name} interval must be between {low} and {high} seconds, not {value}.")
        if self.expire <= max(self.refresh, self.retry):
            raise ValueError(f"The expire interval ({self.expire} s) must be larger than refresh and retry.")

    @classmethod
    def nearest(cls, refresh: int, retry: int, expire: int) -> Self:
        """What a cache tells, brought into the RFC's ranges: a router obeys no other, and needs some."""
        refresh, retry = min(max(refresh, 1), 86_400), min(max(retry, 1), 7_200)
        return cls(refresh, retry, min(max(expire, 600, refresh + 1, retry + 1), 172_800))


@dataclass(frozen=True, slots=True)
class Header:
    """The first eight octets. `field` is the session id, the error code, or zero, as the type has it."""

    version: int
    type: int
    field: int
    length: int

    @classmethod
    def parse(cls, data: bytes | bytearray | memoryview) -> Self:
        """Read the header at the start of `data`, which holds at least eight octets."""
        return cls(*_HEADER.unpack_from(data))


@dataclass(frozen=True, slots=True)
class _HeaderOnly:
    type: ClassVar[PduType]
    version: int

    def serialize(self) -> bytes:
        return _HEADER.pack(self.version, self.type, 0, HEADER_BYTES)

    @classmethod
    def of(cls, header: Header, _body: bytes) -> Self:
        return cls(header.version)


@dataclass(frozen=True, slots=True)
class _SessionAndSerial:
    type: ClassVar[PduType]
    version: int
    session_id: int
    serial: int

    def serialize(self) -> bytes:
        return _HEADER.pack(self.version, self.type, self.session_id, 12) + _SERIAL.pack(self.serial)

    @classmethod
    def of(cls, header: Header, body: bytes) -> Self:
        return cls(header.version, header.field, *_SERIAL.unpack(body))


@dataclass(frozen=True, slots=True)
class SerialNotify(_SessionAndSerial):
    """Cache to router: there is news (RFC 8210 section 5.2)."""

    type = PduType.SERIAL_NOTIFY


@dataclass(frozen=True, slots=True)
class SerialQuery(_SessionAndSerial):
    """Router to cache: what changed since `serial`? (section 5.3)"""

    type = PduType.SERIAL_QUERY


@dataclass(frozen=True, slots=True)
class ResetQuery(_HeaderOnly):
    """Router to cache: send everything (section 5.4)."""

    type = PduType.RESET_QUERY


@dataclass(frozen=True, slots=True)
class CacheReset(_HeaderOnly):
    """Cache to router: no delta from there, ask for everything (section 5.9)."""

    type = PduType.CACHE_RESET


@dataclass(frozen=True, slots=True)
class CacheResponse:
    """Cache to router: the payload follows (section 5.5)."""

    type: ClassVar[PduType] = PduType.CACHE_RESPONSE
    version: int
    session_id: int

    def serialize(self) -> bytes:
        return _HEADER.pack(self.version, self.type, self.session_id, HEADER_BYTES)

    @classmethod
    def of(cls, header: Header, _body: bytes) -> Self:
        return cls(header.version, header.field)


@dataclass(frozen=True, slots=True)
class _Prefix:
    type: ClassVar[PduType]
    bits: ClassVar[int]
    version: int
    announce: bool
    address: int
    length: int
    max_length: int
    asn: int

    def serialize(self) -> bytes:
        octets = self.bits // 8
        return (
            _HEADER.pack(self.version, self.type, 0, HEADER_BYTES + 4 + octets + 4)
            + bytes((self.announce, self.length, self.max_length, 0))
            + self.address.to_bytes(octets)
            + _SERIAL.pack(self.asn)
        )

    @classmethod
    def of(cls, header: Header, body: bytes) -> Self:
        flags, length, max_length = body[:3]
        if not length <= max_length <= cls.bits:
            raise CorruptDataError(f"A prefix of length {length} with max length {max_length} cannot be.")
        host = cls.bits - length
        # Section 5.6: only the first `length` bits count, whatever the cache left in the others.
        address = int.from_bytes(body[4:-4]) >> host << host
        return cls(header.version, bool(flags & 1), address, length, max_length, int.from_bytes(body[-4:]))


@dataclass(frozen=True, slots=True)
class IPv4Prefix(_Prefix):
    """One VRP announced or withdrawn (section 5.6); `address` as an integer."""

    type = PduType.IPV4_PREFIX
    bits = 32


@dataclass(frozen=True, slots=True)
class IPv6Prefix(_Prefix):
    """One VRP announced or withdrawn (section 5.7); `address` as an integer."""

    type = PduType.IPV6_PREFIX
    bits = 128


@dataclass(frozen=True, slots=True)
class EndOfData:
    """Cache to router: that was all, and this is the serial (section 5.8). Version 0 carries no timers."""

    type: ClassVar[PduType] = PduType.END_OF_DATA
    version: int
    session_id: int
    serial: int
    refresh: int = 3600
    retry: int = 600
    expire: int = 7200

    def serialize(self) -> bytes:
        if self.version == 0:
            body = _SERIAL.pack(self.serial)
        else:
            body = _TIMERS.pack(self.serial, self.refresh, self.retry, self.expire)
        return _HEADER.pack(self.version, self.type, self.session_id, HEADER_BYTES + len(body)) + body

    @classmethod
    def of(cls, header: Header, body: bytes) -> Self:
        values = _SERIAL.unpack(body) if header.version == 0 else _TIMERS.unpack(body)
        return cls(header.version, header.field, *values)


@dataclass(frozen=True, slots=True)
class RouterKeyPdu:
    """One BGPsec router key announced or withdrawn (section 5.10); from version 1 on."""

    type: ClassVar[PduType] = PduType.ROUTER_KEY
    version: int
    announce: bool
    subject_key_identifier: bytes
    asn: int
    subject_public_key_info: bytes

    def serialize(self) -> bytes:
        body = _ROUTER_KEY.pack(self.subject_key_identifier, self.asn) + self.subject_public_key_info
        return _HEADER.pack(self.version, self.type, self.announce << 8, HEADER_BYTES + len(body)) + body

    @classmethod
    def of(cls, header: Header, body: bytes) -> Self:
        identifier, asn = _ROUTER_KEY.unpack_from(body)
        return cls(header.version, bool(header.field & 0x100), identifier, asn, body[_ROUTER_KEY.size :])


@dataclass(frozen=True, slots=True)
class AspaPdu:
    """The providers of one customer AS announced, or the customer withdrawn (draft section 5.12); from version 2 on.

    An announcement replaces the customer's former one. `providers` ascend; a withdrawal has none.
    """

    type: ClassVar[PduType] = PduType.ASPA
    version: int
    announce: bool
    customer: int
    providers: tuple[int, ...] = ()

    def serialize(self) -> bytes:
        asns = struct.pack(f"!{1 + len(self.providers)}I", self.customer, *self.providers)
        return _HEADER.pack(self.version, self.type, self.announce << 8, HEADER_BYTES + len(asns)) + asns

    @classmethod
    def of(cls, header: Header, body: bytes) -> Self:
        if len(body) % 4:
            raise CorruptDataError(f"An ASPA PDU cannot be {header.length} octets long.")
        customer, *providers = struct.unpack(f"!{len(body) // 4}I", body)
        announce = bool(header.field & 0x100)
        if announce != bool(providers):
            what = "without providers is announced" if announce else "with providers is withdrawn"
            raise AspaProviderListError(f"An ASPA of AS{customer} {what}.")
        if any(one >= other for one, other in pairwise(providers)):
            raise AspaProviderListError(f"The providers of AS{customer} do not ascend.")
        if len(providers) > 1 and providers[0] == 0:
            raise AspaProviderListError(f"AS{customer} has AS0 among other providers.")
        return cls(header.version, announce, customer, tuple(providers))


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """Either way: what was wrong, with a copy of the PDU that was (section 5.11).

    `code` is an int, for a peer may send codes that we do not know. `pdu` is empty where no PDU was at fault.
    """

    type: ClassVar[PduType] = PduType.ERROR_REPORT
    version: int
    code: int
    pdu: bytes = b""
    text: str = ""

    @classmethod
    def about(cls, error: PduError, version: int, pdu: bytes = b"") -> Self:
        """The report that tells a peer of `error`."""
        return cls(version, code_in(version, error.code), pdu[:MAX_RTR_ENCAPSULATED_BYTES], str(error))

    def sentence(self) -> str:
        """Its code in words and the start of its text, on one line of printable characters."""
        names = {code.value: code.name.lower().replace("_", " ") for code in ErrorCode}
        name = names.get(self.code, "a code we do not know")
        said = "".join(character if character.isprintable() else "?" for character in self.text[:200])
        return f"error {self.code} ({name})" + (f": {said}" if said else "")

    def serialize(self) -> bytes:
        text = self.text.encode()
        body = b"".join((_SERIAL.pack(len(self.pdu)), self.pdu, _SERIAL.pack(len(text)), text))
        return _HEADER.pack(self.version, self.type, self.code, HEADER_BYTES + len(body)) + body

    @classmethod
    def of(cls, header: Header, body: bytes) -> Self:
        # Neither inner length is to be believed before it is held against what is really there.
        (pdu_length,) = _SERIAL.unpack_from(body)
        text_at = 4 + pdu_length + 4
        if text_at > len(body):
            raise CorruptDataError(f"An Error Report of {header.length} octets cannot hold a PDU of {pdu_length}.")
        (text_length,) = _SERIAL.unpack_from(body, text_at - 4)
        if text_at + text_length != len(body):
            raise CorruptDataError(f"The text of an Error Report ends at {text_at + text_length} of {len(body)}.")
        return cls(header.version, header.field, body[4 : 4 + pdu_length], body[text_at:].decode(errors="replace"))


Pdu: TypeAlias = (
    SerialNotify
    | SerialQuery
    | ResetQuery
    | CacheResponse
    | IPv4Prefix
    | IPv6Prefix
    | EndOfData
    | CacheReset
    | RouterKeyPdu
    | ErrorReport
    | AspaPdu
)

_CLASSES: dict[int, type[Pdu]] = {
    pdu.type: pdu
    for pdu in (
        SerialNotify,
        SerialQuery,
        ResetQuery,
        CacheResponse,
        IPv4Prefix,
        IPv6Prefix,
        EndOfData,
        CacheReset,
        RouterKeyPdu,
        ErrorReport,
        AspaPdu,
    )
}

_FIXED = {
    PduType.SERIAL_NOTIFY: 12,
    PduType.SERIAL_QUERY: 12,
    PduType.RESET_QUERY: 8,
    PduType.CACHE_RESPONSE: 8,
    PduType.IPV4_PREFIX: 20,
    PduType.IPV6_PREFIX: 32,
    PduType.CACHE_RESET: 8,
}
_LENGTHS: dict[int, dict[int, tuple[int, int]]] = {
    version: {
        **{kind: (length, length) for kind, length in _FIXED.items()},
        PduType.END_OF_DATA: (12, 12) if version == 0 else (24, 24),
        PduType.ERROR_REPORT: (16, MAX_RTR_PDU_BYTES),
    }
    for version in VERSIONS
}
for _version in (1, 2):
    _LENGTHS[_version][PduType.ROUTER_KEY] = (HEADER_BYTES + _ROUTER_KEY.size + 1, MAX_RTR_PDU_BYTES)
_LENGTHS[2][PduType.ASPA] = (HEADER_BYTES + 4, MAX_RTR_PDU_BYTES)
"""For each version and type that exists in it, the shortest and the longest PDU."""


def check_header(header: Header, version: int | None = None) -> None:
    """Refuse whatever a header alone proves wrong; `version` is the session's, once it has one.

    Raises `UnsupportedVersionError`, `UnexpectedVersionError`, `UnsupportedTypeError` or `CorruptDataError`.
    """
    if version is not None and header.version != version:
        raise UnexpectedVersionError(f"This session was opened with version {version}, not {header.version}.")
    if header.version not in VERSIONS:
        raise UnsupportedVersionError(f"Version {header.version} is not spoken here; 0 to {HIGHEST_VERSION} are.")
    lengths = _LENGTHS[header.version].get(header.type)
    if lengths is None:
        raise UnsupportedTypeError(f"Version {header.version} has no PDU of type {header.type}.")
    shortest, longest = lengths
    if not shortest <= header.length <= longest:
        raise CorruptDataError(f"A PDU of type {header.type} cannot be {header.length} octets long.")


def parse(pdu: bytes) -> Pdu:
    """One whole PDU. Raises `PduError`."""
    if len(pdu) < HEADER_BYTES:
        raise CorruptDataError(f"A PDU has at least {HEADER_BYTES} octets, this one {len(pdu)}.")
    header = Header.parse(pdu)
    check_header(header)
    if header.length != len(pdu):
        raise CorruptDataError(f"A PDU that says it has {header.length} octets has {len(pdu)}.")
    return _CLASSES[header.type].of(header, pdu[HEADER_BYTES:])
