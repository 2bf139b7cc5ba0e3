"""The router's side of one answer: octets in, the set or the changes out. No socket and no clock."""

from __future__ import annotations

import numpy as np

from rpkival.errors import LimitError
from rpkival.limits import MAX_VRPS
from rpkival.payload.changes import Changes
from rpkival.payload.vrps import Vrps
from rpkival.prefixes import Family
from rpkival.rtr.cache import AnswerKind
from rpkival.rtr.columns import RECORD, TYPE, Records, decode_prefixes, leading_records
from rpkival.rtr.errors import CorruptDataError, InvalidRequestError
from rpkival.rtr.pdu import (
    HEADER_BYTES,
    CacheReset,
    CacheResponse,
    EndOfData,
    ErrorReport,
    Header,
    Pdu,
    PduType,
    PeerError,
    ResetQuery,
    RouterKey,
    SerialNotify,
    SerialQuery,
    check_header,
    parse,
)

__all__ = ["Download"]

_FAMILY: dict[int, Family] = {kind: family for family, kind in TYPE.items()}


class Download:
    """What a cache sends for one query, up to End of Data or Cache Reset.

    A cache that speaks only an older version may answer a Reset Query in that (RFC 8210 section 7); `version` is then
    the answer's. Serial Notifies on the way are passed over. Router keys are checked and left out.
    """

    def __init__(self, query: ResetQuery | SerialQuery) -> None:
        self._query = query
        self.rest = b""
        """What came and was not taken: the start of a PDU, or what follows the answer."""
        self._response: CacheResponse | None = None
        self._records: dict[Family, list[Records]] = {4: [], 6: []}
        self._count = 0
        self.version = query.version
        self.end: EndOfData | None = None
        self.kind: AnswerKind | None = None
        """None until the answer is complete."""

    def receive(self, data: bytes) -> None:
        """Take what came. Raises `PduError`, `PeerError` and `LimitError`; nothing is to be used then."""
        buffer = memoryview(self.rest + data)
        at = 0
        while self.kind is None and len(buffer) - at >= HEADER_BYTES:
            header = Header.parse(buffer[at:])
            family = _FAMILY.get(header.type)
            if family and self._response:
                taken = self._take_prefixes(buffer[at:], family)
                if taken:
                    at += taken
                    continue
            self._check(header)
            if len(buffer) - at < header.length:
                break
            self._take(parse(bytes(buffer[at : at + header.length])))
            at += header.length
        self.rest = bytes(buffer[at:])

    def changes(self) -> Changes:
        """What was announced and withdrawn; of a snapshot, all that was announced. Duplicates appear once."""
        announced4, withdrawn4 = decode_prefixes(self._joined(4), 4)
        announced6, withdrawn6 = decode_prefixes(self._joined(6), 6)
        return Changes(
            Vrps(announced4, announced6).unique_sorted(),
            Vrps(withdrawn4, withdrawn6).unique_sorted(),
        )

    def _joined(self, family: Family) -> Records:
        return np.concatenate([np.zeros(0, RECORD[family]), *self._records[family]])

    def _take_prefixes(self, data: memoryview, family: Family) -> int:
        """Take the prefixes that `data` starts with; gives the octets they have."""
        records = leading_records(data, family, self.version)
        self._count += len(records)
        if self._count > MAX_VRPS:
            raise LimitError(f"The RTR cache sends more than {MAX_VRPS} prefixes; it cannot be right.")
        if len(records):
            self._records[family].append(records.copy())
        return records.nbytes

    def _check(self, header: Header) -> None:
        if self._response is None and header.version < self.version and isinstance(self._query, ResetQuery):
            # Session ids and serials are a version's own, so only a Reset Query may be answered in an older one.
            self.version = header.version
        # A Serial Notify before the version is agreed on may have any (RFC 8210 section 7).
        ignorable = self._response is None and header.type == PduType.SERIAL_NOTIFY
        check_header(header, None if ignorable else self.version)

    def _take(self, pdu: Pdu) -> None:
        match pdu:
            case SerialNotify():
                pass
            case ErrorReport():
                raise PeerError(pdu)
            case CacheReset() if self._response is None and isinstance(self._query, SerialQuery):
                self.kind = AnswerKind.CACHE_RESET
            case CacheResponse() if self._response is None:
                self._expect_session_id(pdu.session_id)
                self._response = pdu
            case RouterKey() if self._response:
                pass
            case EndOfData() if self._response:
                if pdu.session_id != self._response.session_id:
                    raise CorruptDataError("The session id changed between Cache Response and End of Data.")
                self.end = pdu
                self.kind = AnswerKind.SNAPSHOT if isinstance(self._query, ResetQuery) else AnswerKind.DELTA
            case _:
                raise InvalidRequestError(f"A PDU of type {pdu.type} has no place here.")

    def _expect_session_id(self, session_id: int) -> None:
        if isinstance(self._query, SerialQuery) and session_id != self._query.session_id:
            raise CorruptDataError(f"The session has id {self._query.session_id}, the answer {session_id}.")
