"""The PDUs of the RPKI to Router protocol as values: versions 0 (RFC 6810), 1 (RFC 8210) and 2
(draft-ietf-sidrops-8210bis-26). Sections are those of RFC 8210, which the draft has kept.

No socket and no clock: `parse` turns the bytes of one PDU into a frozen dataclass, `serialize` turns it back. Here are
the tables that say what each version has; the dataclasses stand in `header`, `control_pdus` and `payload_pdus`. What is
wrong with a PDU is a `PduError` that knows its error code (RFC 8210 section 12), so that whoever reads can answer with
`ErrorReport.about`.

A PDU is eight octets of header (version, type, a session id or an error code or zero, the length of the whole) and a
body. Everything that a header alone can prove wrong is found before a single octet of the body is kept.
"""

from __future__ import annotations

from typing import TypeAlias

from rpkival.limits import MAX_RTR_PDU_BYTES
from rpkival.rtr.control_pdus import (
    CacheReset,
    CacheResponse,
    EndOfData,
    ErrorReport,
    PeerError,
    ResetQuery,
    SerialNotify,
    SerialQuery,
    Timers,
)
from rpkival.rtr.errors import CorruptDataError, UnexpectedVersionError, UnsupportedTypeError, UnsupportedVersionError
from rpkival.rtr.header import HEADER_BYTES, HIGHEST_VERSION, VERSIONS, Header, PduType
from rpkival.rtr.payload_pdus import ROUTER_KEY, AspaPdu, IPv4Prefix, IPv6Prefix, RouterKeyPdu

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
    _LENGTHS[_version][PduType.ROUTER_KEY] = (HEADER_BYTES + ROUTER_KEY.size + 1, MAX_RTR_PDU_BYTES)
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
