"""The PDUs that ask, answer, end and complain: everything but the payload. Sections are those of RFC 8210."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import ClassVar, Self

from rpkival.errors import ProtocolError
from rpkival.limits import MAX_RTR_ENCAPSULATED_BYTES
from rpkival.rtr.errors import CorruptDataError, ErrorCode, PduError, code_in
from rpkival.rtr.header import HEADER, HEADER_BYTES, UINT32, Header, PduType

__all__ = [
    "CacheReset",
    "CacheResponse",
    "EndOfData",
    "ErrorReport",
    "PeerError",
    "ResetQuery",
    "SerialNotify",
    "SerialQuery",
    "Timers",
]

_TIMERS = struct.Struct("!IIII")


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
                raise ValueError(
                    f"The {name} interval of RTR must be between {low} and {high} seconds (RFC 8210 section 6), "
                    f"not {value}."
                )
        if self.expire <= max(self.refresh, self.retry):
            raise ValueError(
                f"The expire interval of RTR must be larger than refresh and retry (RFC 8210 section 6), and "
                f"{self.expire} seconds are not more than {self.refresh} and {self.retry}."
            )

    @classmethod
    def of(cls, refresh: int, retry: int | None = None, expire: int | None = None) -> Self:
        """What an operator wants told. Unless told otherwise, routers retry no later than they ask, and forget after
        two missed polls at the earliest. Raises `ValueError`.
        """
        if retry is None:
            retry = min(600, refresh)
        return cls(refresh, retry, max(7200, 2 * refresh, 2 * retry) if expire is None else expire)

    @classmethod
    def nearest(cls, refresh: int, retry: int, expire: int) -> Self:
        """What a cache tells, brought into the RFC's ranges: a router obeys no other, and needs some."""
        refresh, retry = min(max(refresh, 1), 86_400), min(max(retry, 1), 7_200)
        return cls(refresh, retry, min(max(expire, 600, refresh + 1, retry + 1), 172_800))


@dataclass(frozen=True, slots=True)
class _HeaderOnly:
    type: ClassVar[PduType]
    version: int

    def serialize(self) -> bytes:
        return HEADER.pack(self.version, self.type, 0, HEADER_BYTES)

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
        return HEADER.pack(self.version, self.type, self.session_id, 12) + UINT32.pack(self.serial)

    @classmethod
    def of(cls, header: Header, body: bytes) -> Self:
        return cls(header.version, header.field, *UINT32.unpack(body))


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
        return HEADER.pack(self.version, self.type, self.session_id, HEADER_BYTES)

    @classmethod
    def of(cls, header: Header, _body: bytes) -> Self:
        return cls(header.version, header.field)


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
            body = UINT32.pack(self.serial)
        else:
            body = _TIMERS.pack(self.serial, self.refresh, self.retry, self.expire)
        return HEADER.pack(self.version, self.type, self.session_id, HEADER_BYTES + len(body)) + body

    @classmethod
    def of(cls, header: Header, body: bytes) -> Self:
        values = UINT32.unpack(body) if header.version == 0 else _TIMERS.unpack(body)
        return cls(header.version, header.field, *values)


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
        body = b"".join((UINT32.pack(len(self.pdu)), self.pdu, UINT32.pack(len(text)), text))
        return HEADER.pack(self.version, self.type, self.code, HEADER_BYTES + len(body)) + body

    @classmethod
    def of(cls, header: Header, body: bytes) -> Self:
        # Neither inner length is to be believed before it is held against what is really there.
        (pdu_length,) = UINT32.unpack_from(body)
        text_at = 4 + pdu_length + 4
        if text_at > len(body):
            raise CorruptDataError(f"An Error Report of {header.length} octets cannot hold a PDU of {pdu_length}.")
        (text_length,) = UINT32.unpack_from(body, text_at - 4)
        if text_at + text_length != len(body):
            raise CorruptDataError(f"The text of an Error Report ends at {text_at + text_length} of {len(body)}.")
        return cls(header.version, header.field, body[4 : 4 + pdu_length], body[text_at:].decode(errors="replace"))
