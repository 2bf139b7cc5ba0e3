"""The cache's side of one RTR session: octets in, answers out. No socket and no clock.

Theory of operation. A session is `NEW` until a query has fixed its version, then `OPEN`, and `CLOSED` after the first
error; nothing comes back from there. `TRANSITIONS` gives for each state the PDU types that a router may send in it and
the state that follows. Whatever is not in it is a protocol error and is answered with an Error Report that closes; only
an Error Report is never answered, not even a broken one (RFC 8210 section 5.11).

Whoever owns the connection calls `receive` with what came and then `next_answer` until it gives None, one answer at a
time: a router that sends a thousand queries gets its second answer when it has taken the first. What waits unread is
bounded by `MAX_WAITING_BYTES`; `hungry` says whether more may be read.

Versions (RFC 8210 section 7, as in draft-ietf-sidrops-8210bis-26). A query in a version that we speak opens the session
in it. One in a higher version is answered with Error 4 in our highest, and the router may try again on the same
connection, once. A PDU in another version than the session's is Error 8.

Session ids (RFC 8210 section 5.1 and 5.3; clearer in draft-ietf-sidrops-8210bis-26 section 5.3). A router that comes
with the id of an earlier life of ours gets Cache Reset. One that uses another id than the one we told it in this very
session is confused: Error 0.

No data yet. RFC 8210 section 8.4 answers with Error 2, and routers then stay away for their retry time, ten minutes by
default, though data are a minute away. A session that is `patient` keeps the query instead and answers it when there
are data, or with Error 2 after `give_up`.

Farewell (draft sections 8.5 and 8.6). Version 2 can tell routers why the cache leaves: it comes back soon (Error 12,
they keep what they have until it expires), or it does not (Error 13, they forget it at once).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from enum import StrEnum

from rpkival.limits import MAX_RTR_ROUTER_PDU_BYTES
from rpkival.rtr.cache import AnswerKind, Cache
from rpkival.rtr.errors import (
    CorruptDataError,
    ErrorCode,
    InvalidRequestError,
    NoDataError,
    PduError,
    UnsupportedVersionError,
    code_in,
)
from rpkival.rtr.pdu import (
    HEADER_BYTES,
    HIGHEST_VERSION,
    VERSIONS,
    ErrorReport,
    Header,
    Pdu,
    PduType,
    ResetQuery,
    SerialQuery,
    check_header,
    parse,
)

__all__ = ["MAX_WAITING_BYTES", "Outgoing", "Session", "State"]

MAX_WAITING_BYTES = 2 * MAX_RTR_ROUTER_PDU_BYTES
"""Received and not yet looked at: room for one whole PDU behind the one that is being answered."""


class State(StrEnum):
    """Of one session."""

    NEW = "new"
    OPEN = "open"
    CLOSED = "closed"


TRANSITIONS: dict[State, dict[PduType, State]] = {
    State.NEW: {
        PduType.RESET_QUERY: State.OPEN,
        PduType.SERIAL_QUERY: State.OPEN,
        PduType.ERROR_REPORT: State.CLOSED,
    },
    State.OPEN: {
        PduType.RESET_QUERY: State.OPEN,
        PduType.SERIAL_QUERY: State.OPEN,
        PduType.ERROR_REPORT: State.CLOSED,
    },
    State.CLOSED: {},
}


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Octets for the router; `close` where the connection ends after them."""

    buffers: tuple[bytes, ...]
    close: bool = False


class Session:
    """One router at the cache."""

    def __init__(self, cache: Cache, *, patient: bool = False) -> None:
        self._cache = cache
        self._patient = patient
        self._held: ResetQuery | SerialQuery | None = None
        self._waiting = bytearray()
        self._told_session_id = False
        self._offered_lower_version = False
        self._is_repeated = False
        self.state = State.NEW
        self.version: int | None = None
        self.serial: int | None = None
        """The serial the router has when it has read everything it was sent; None before its first End of Data."""
        self.last_answer: AnswerKind | None = None
        self.answers: Counter[AnswerKind] = Counter()
        """How many queries have been answered with what."""
        self.last_error: str = ""
        """What went wrong, in a sentence: ours about the router, or the router's about us."""

    @property
    def hungry(self) -> bool:
        """True while `receive` may be called."""
        return self.state is not State.CLOSED and len(self._waiting) < MAX_WAITING_BYTES

    def receive(self, data: bytes) -> None:
        """Take what came from the router; call `next_answer` afterwards."""
        self._waiting += data

    def next_answer(self) -> Outgoing | None:
        """What to send now, or None where more has to come first."""
        if self._held is not None and (self._cache.ready or not self._patient):
            query, self._held = self._held, None
            return self._answer(query)
        if self._held or self.state is State.CLOSED or len(self._waiting) < HEADER_BYTES:
            return None
        header = Header.parse(self._waiting)
        # Section 5.11: its first octets go back with an error, also where the length is what is wrong.
        pdu = bytes(self._waiting[: max(header.length, HEADER_BYTES)])
        try:
            self._check(header)
            if len(pdu) < header.length:
                return None
            del self._waiting[: header.length]
            if header.version not in VERSIONS:
                return self._offer_lower_version(header, pdu)
            repeats, self._is_repeated = self._is_repeated, self._waiting.startswith(pdu)
            return self._act(parse(pdu), repeats=repeats)
        except PduError as error:
            self.state = State.CLOSED
            self.last_error = str(error)
            if header.type == PduType.ERROR_REPORT:
                return Outgoing((), close=True)
            return Outgoing((self._report(error, header, pdu),), close=True)

    @property
    def held(self) -> bool:
        """Whether a query waits for the cache to have data."""
        return self._held is not None

    def give_up(self) -> None:
        """Answer queries with "No Data Available" from now on, the one that waits too."""
        self._patient = False

    def notification(self) -> bytes | None:
        """A Serial Notify, where the router has data and the cache has newer; never before the version is fixed."""
        if self.state is not State.OPEN or self.version is None or self.serial in (None, self._cache.serial):
            return None
        return self._cache.notification(self.version)

    def farewell(self, code: ErrorCode) -> bytes | None:
        """The report that the cache leaves, or None where the router's version has no word for it; ends the session."""
        can_be_told = self.state is State.OPEN and self.version is not None and code_in(self.version, code) is code
        self.state = State.CLOSED
        self.last_error = "This cache leaves for good." if code is ErrorCode.CACHE_SHUTDOWN else "This cache restarts."
        if not can_be_told or self.version is None:
            return None
        return ErrorReport(self.version, code, text=self.last_error).serialize()

    @property
    def lag(self) -> int | None:
        """How many serials the router is behind the cache; None before it has any."""
        return None if self.serial is None else (self._cache.serial - self.serial) % 2**32

    def stalled(self, why: str) -> bytes:
        """The report that ends this session because nothing moves (draft-ietf-sidrops-8210bis-26 section 9)."""
        self.state = State.CLOSED
        self.last_error = why
        version = HIGHEST_VERSION if self.version is None else self.version
        return ErrorReport(version, code_in(version, ErrorCode.TRANSPORT), text=self.last_error).serialize()

    def internal_error(self) -> bytes:
        """The report that ends this session because of a fault of ours."""
        self.state = State.CLOSED
        self.last_error = "A fault of this cache ended the session."
        version = HIGHEST_VERSION if self.version is None else self.version
        return ErrorReport(version, ErrorCode.INTERNAL_ERROR, text=self.last_error).serialize()

    def _check(self, header: Header) -> None:
        """Whatever can be refused before the body has come."""
        if not HEADER_BYTES <= header.length <= MAX_RTR_ROUTER_PDU_BYTES:
            raise CorruptDataError(
                f"A router's PDU has {HEADER_BYTES} to {MAX_RTR_ROUTER_PDU_BYTES} octets, not {header.length}."
            )
        if header.version in VERSIONS or self.state is not State.NEW or header.type == PduType.ERROR_REPORT:
            check_header(header, self.version)

    def _offer_lower_version(self, header: Header, pdu: bytes) -> Outgoing:
        error = UnsupportedVersionError(
            f"Version {header.version} is not spoken here; ask again in version {HIGHEST_VERSION}."
        )
        if self._offered_lower_version:
            raise error
        self._offered_lower_version = True
        self.last_error = str(error)
        return Outgoing((self._report(error, header, pdu),))

    def _act(self, pdu: Pdu, *, repeats: bool) -> Outgoing | None:
        following = TRANSITIONS[self.state].get(pdu.type)
        if (
            repeats
            and isinstance(pdu, SerialQuery)
            and self.last_answer is AnswerKind.DELTA
            and self.serial is not None
        ):
            # OpenBGPD 8.8 asks twice in one breath when it comes back, and stumbles over the same delta twice. When
            # it reads the second answer it has the first.
            pdu = replace(pdu, serial=self.serial)
        match pdu:
            case ResetQuery() | SerialQuery() if following:
                self.state = following
                self.version = pdu.version
                return self._answer(pdu)
            case ErrorReport() if following:
                self.state = following
                self.last_error = f"The router reports {pdu.sentence()}."
                return Outgoing((), close=True)
            case _:
                raise InvalidRequestError(f"A router does not send PDUs of type {pdu.type}.")

    def _answer(self, query: ResetQuery | SerialQuery) -> Outgoing | None:
        if isinstance(query, SerialQuery) and self._told_session_id:
            expected = self._cache.session_id_of(query.version)
            if query.session_id != expected:
                raise CorruptDataError(f"This session has id {expected}, not {query.session_id}.")
        try:
            answer = self._cache.respond(query)
        except NoDataError as error:
            if self._patient:
                self._held = query
                return None
            # Not fatal (RFC 8210 section 8.4), and not the query's fault, so it is not repeated (section 5.11).
            self.last_error = str(error)
            return Outgoing((ErrorReport.about(error, query.version).serialize(),))
        self.last_answer = answer.kind
        self.answers[answer.kind] += 1
        self.last_error = ""
        if answer.serial is not None:
            self.serial = answer.serial
            self._told_session_id = True
        return Outgoing(answer.buffers)

    def _report(self, error: PduError, header: Header, pdu: bytes) -> bytes:
        version = header.version if self.version is None else self.version
        return ErrorReport.about(error, min(version, HIGHEST_VERSION), pdu).serialize()
