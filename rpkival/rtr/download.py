"""The router's side of one answer: octets in, the payload or the changes out. No socket and no clock.

Nothing is applied before End of Data, as draft-ietf-sidrops-8210bis-26 section 11.3 recommends; so the order in which
it came does no harm, and is judged only where somebody wants to know whether the cache keeps to it.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from rpkival.errors import LimitError
from rpkival.limits import MAX_RTR_RECORD_BYTES, MAX_VRPS
from rpkival.payload.changes import Changes
from rpkival.payload.payload import Payload
from rpkival.payload.vrps import Vrps
from rpkival.prefixes import Family
from rpkival.rtr.cache import AnswerKind
from rpkival.rtr.columns import RECORD, TYPE, Records, decode_prefixes, in_wire_order, leading_records
from rpkival.rtr.errors import (
    BrokenReportError,
    CorruptDataError,
    DuplicateAnnouncementError,
    InvalidRequestError,
    OrderingError,
    PduError,
)
from rpkival.rtr.pdu import (
    HEADER_BYTES,
    AspaPdu,
    CacheReset,
    CacheResponse,
    EndOfData,
    ErrorReport,
    Header,
    Pdu,
    PduType,
    PeerError,
    ResetQuery,
    RouterKeyPdu,
    SerialNotify,
    SerialQuery,
    check_header,
    parse,
)
from rpkival.rtr.records import Record, decode_records, wire_order

__all__ = ["Download"]

_FAMILY: dict[int, Family] = {kind: family for family, kind in TYPE.items()}


class Download:
    """What a cache sends for one query, up to End of Data or Cache Reset.

    A cache that speaks only an older version may answer a Reset Query in that (RFC 8210 section 7); `version` is then
    the answer's. Serial Notifies on the way are passed over. With `strict_order` PDUs that are not in the order of
    version 2 are an `OrderingError`; older versions have none.
    """

    def __init__(self, query: ResetQuery | SerialQuery, *, strict_order: bool = False) -> None:
        self._query = query
        self._strict_order = strict_order
        self.rest = b""
        """What came and was not taken: the start of a PDU, or what follows the answer."""
        self._response: CacheResponse | None = None
        self._prefixes: dict[Family, list[Records]] = {4: [], 6: []}
        self._prefix_count = 0
        self._records: list[Record] = []
        self._record_octets = 0
        self._last_type = 0
        self.version = query.version
        self.end: EndOfData | None = None
        self.kind: AnswerKind | None = None
        """None until the answer is complete."""

    def receive(self, data: bytes) -> None:
        """Take what came; where it raises, nothing is to be used.

        Raises `PduError`, `PeerError`, `BrokenReportError` and `LimitError`.
        """
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
            try:
                self._check(header)
                if len(buffer) - at < header.length:
                    break
                self._take(parse(bytes(buffer[at : at + header.length])))
            except PduError as error:
                if header.type == PduType.ERROR_REPORT:
                    raise BrokenReportError(f"The RTR cache's Error Report is broken: {error}") from error
                raise
            at += header.length
        self.rest = bytes(buffer[at:])

    def changes(self) -> Changes:
        """What was announced and withdrawn, of a snapshot all that was announced; withdrawn ASPAs have no providers.

        Raises `CorruptDataError`, `DuplicateAnnouncementError` and `OrderingError`. Versions before 2 say nothing of
        what is told twice in one answer; there it counts once.
        """
        ipv4, ipv6 = self._joined(4), self._joined(6)
        if self._strict_order and self.version >= 2:
            if not (in_wire_order(ipv4, 4) and in_wire_order(ipv6, 6)):
                raise OrderingError("Prefixes are not in the order of version 2.")
            if any(wire_order(one) > wire_order(other) for one, other in pairwise(self._records)):
                raise OrderingError("Router keys or ASPAs are not in the order of version 2.")
        announced4, withdrawn4 = decode_prefixes(ipv4, 4)
        announced6, withdrawn6 = decode_prefixes(ipv6, 6)
        announced = self._payload(Vrps(announced4, announced6), announce=True)
        withdrawn = self._payload(Vrps(withdrawn4, withdrawn6), announce=False)
        if {aspa.customer for aspa in announced.aspas} & {aspa.customer for aspa in withdrawn.aspas}:
            raise CorruptDataError("One answer announces and withdraws the ASPA of one customer.")
        if self.kind is AnswerKind.SNAPSHOT and len(withdrawn):
            raise CorruptDataError("The answer to a Reset Query withdraws something.")
        return Changes(announced, withdrawn)

    def _payload(self, vrps: Vrps, *, announce: bool) -> Payload:
        aspas, keys = decode_records(pdu for pdu in self._records if pdu.announce is announce)
        told = Payload(vrps, tuple(aspas), tuple(keys))
        payload = told.unique_sorted()
        if self.version >= 2 and len(payload) != len(told):
            raise DuplicateAnnouncementError("One answer tells something twice.")
        return payload

    def _joined(self, family: Family) -> Records:
        return np.concatenate([np.zeros(0, RECORD[family]), *self._prefixes[family]])

    def _take_prefixes(self, data: memoryview, family: Family) -> int:
        """Take the prefixes that `data` starts with; gives the octets they have."""
        records = leading_records(data, family, self.version)
        self._prefix_count += len(records)
        if self._prefix_count > MAX_VRPS:
            raise LimitError(f"The RTR cache sends more than {MAX_VRPS} prefixes; it cannot be right.")
        if len(records):
            self._expect_order(TYPE[family])
            self._prefixes[family].append(records.copy())
        return records.nbytes

    def _take_record(self, pdu: Record) -> None:
        self._expect_order(pdu.type)
        self._record_octets += len(pdu.serialize())
        if self._record_octets > MAX_RTR_RECORD_BYTES:
            raise LimitError(f"The RTR cache sends more than {MAX_RTR_RECORD_BYTES} octets of router keys and ASPAs.")
        self._records.append(pdu)

    def _expect_order(self, kind: PduType) -> None:
        if self._strict_order and self.version >= 2 and kind < self._last_type:
            raise OrderingError(f"A PDU of type {kind} comes behind one of type {self._last_type}.")
        self._last_type = kind

    def _check(self, header: Header) -> None:
        if self._response is None and header.version < self.version and isinstance(self._query, ResetQuery):
            # Session ids and serials are a version's own, so only a Reset Query may be answered in an older one.
            self.version = header.version
        # Before the version is agreed on, a Serial Notify may have any, and an Error Report that of a cache which does
        # not speak ours (RFC 8210 section 7).
        free = self._response is None and header.type in (PduType.SERIAL_NOTIFY, PduType.ERROR_REPORT)
        check_header(header, None if free else self.version)

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
            case RouterKeyPdu() | AspaPdu() if self._response:
                self._take_record(pdu)
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
