"""One router's TCP connection: moves octets between an asyncio transport and a `Session`, at the router's pace.

The write buffer's high-water mark is one octet, so the transport asks to pause as soon as the kernel takes no more, and
to go on when it has taken all. Between the two nothing is queued but the chunk at hand, a view of the shared snapshot.
"""

from __future__ import annotations

import asyncio
import fcntl
import socket
import termios
import time
from collections import Counter, deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, cast

from rpkival.log import Log
from rpkival.rtr.cache import AnswerKind
from rpkival.rtr.errors import ErrorCode
from rpkival.rtr.session import Session, State

__all__ = ["Connection", "Owner", "SessionInfo"]

CHUNKS_A_TURN = 16
"""To one router before the others have their turn: 4 MB, milliseconds for one that reads as fast as we write."""

CHUNK_BYTES = 256 * 1024
"""Handed to the kernel at once: few calls for a snapshot of 17 MB, and little held for a router that stops reading."""

KEEPALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 20), ("TCP_KEEPCNT", 6))
"""A router that is gone is noticed within three minutes; between polls of an hour nothing else would tell."""

ANSWERS_A_TURN = 16
"""To one router before the others have their turn; a burst of small queries must not hold up the event loop."""

LINGER_SECONDS = 5.0
"""For a router to read the Error Report that ends its session. Closing at once, with octets of it still unread, would
make the kernel reset the connection, and the report would be lost on the way."""

log = Log("rpkival.rtr")


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """One router as an operator sees it. `connected_since` is unix time; `version` and `serial` are None so far.

    `transport`: tcp, tcp-md5 or tls. `lag`: how many serials the router is behind, None before it has any. `snapshots`,
    `deltas` and `cache_resets` count the queries answered so; `updated` and `reset` are when the router had last taken
    any data, and all data, in unix time.
    """

    peer: str
    version: int | None
    serial: int | None
    connected_since: float
    bytes_sent: int
    state: str
    last_answer: AnswerKind | None
    last_error: str
    transport: str = "tcp"
    bytes_received: int = 0
    lag: int | None = None
    snapshots: int = 0
    deltas: int = 0
    cache_resets: int = 0
    updated: float | None = None
    reset: float | None = None


class Owner(Protocol):
    """What a connection asks of its server."""

    first_query_seconds: float
    answer_seconds: float
    hold_seconds: float

    def join(self, connection: Connection) -> str | None:
        """The connection is open; None, or the reason why this router may not use it."""

    def forget(self, connection: Connection) -> None:
        """The connection is over."""


class Connection(asyncio.Protocol):
    """One router."""

    def __init__(self, owner: Owner, session: Session, address: tuple[str, int], transport: str = "tcp") -> None:
        self._owner = owner
        self._session = session
        self._chunks: deque[memoryview] = deque()
        self._writable = True
        self._close_after = False
        self._hung_up = False
        self._notify_wanted = False
        self._holds = False
        self._logged_serial: int | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._turn: asyncio.Handle | None = None
        self._since = time.time()
        self._taken = Counter[AnswerKind]()
        self._updated: float | None = None
        self._reset: float | None = None
        self._bytes_sent = 0
        self._bytes_received = 0
        self._cut_reason = ""
        self._kind = transport
        self.left = False
        """Whether the server has given this router's place to others."""
        self.address, port = address
        self.peer = f"[{self.address}]:{port}" if ":" in self.address else f"{self.address}:{port}"

    def info(self) -> SessionInfo:
        """How this router is doing."""
        session = self._session
        return SessionInfo(
            peer=self.peer,
            version=session.version,
            serial=session.serial,
            connected_since=self._since,
            bytes_sent=self._bytes_sent - self._transport.get_write_buffer_size(),
            state="sending" if self._sending else session.state,
            last_answer=session.last_answer,
            last_error=session.last_error,
            transport=self._kind,
            bytes_received=self._bytes_received,
            lag=session.lag,
            snapshots=session.answers[AnswerKind.SNAPSHOT],
            deltas=session.answers[AnswerKind.DELTA],
            cache_resets=session.answers[AnswerKind.CACHE_RESET],
            updated=self._updated,
            reset=self._reset,
        )

    @property
    def certificate(self) -> Mapping[str, Any] | None:
        """What the router showed in TLS, as `ssl` gives it."""
        shown: Mapping[str, Any] | None = self._transport.get_extra_info("peercert")
        return shown

    @property
    def has_data(self) -> bool:
        """Whether the router has read a whole answer."""
        return self._session.serial is not None

    def notify(self) -> None:
        """Tell the router of news, after the answer that it is reading now."""
        self._notify_wanted = True
        if not self._sending:
            self._pump()

    def leave(self, code: ErrorCode | None) -> None:
        """Tell the router why the cache goes, if it is not amid an answer and its version has the words; then close."""
        report = None if self._sending or code is None else self._session.farewell(code)
        if report is None:
            self.abort("this cache is shutting down")
            return
        self._cut_reason = self._session.last_error
        self._bytes_sent += len(report)
        self._transport.write(report)
        self._transport.close()

    def abort(self, reason: str) -> None:
        """Cut the connection now, whatever is still unsent."""
        self._cut_reason = reason
        self._transport.abort()

    # --- asyncio.Protocol ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods of asyncio.Transport but not its class.
        self._transport = cast("asyncio.Transport", transport)
        refusal = self._owner.join(self)
        if refusal:
            self.abort(refusal)
            return
        # The transports of TLS pause at the mark, not above it: with 0 they would pause while they hold nothing.
        self._transport.set_write_buffer_limits(high=1, low=0)
        _keep_alive(transport.get_extra_info("socket"))
        self._timer = asyncio.get_running_loop().call_later(self._owner.first_query_seconds, self._give_up_on_query)
        log.info("rtr_connected", peer=self.peer, transport=self._kind)

    def data_received(self, data: bytes) -> None:
        if self._session.state is State.CLOSED:
            return
        self._bytes_received += len(data)
        self._session.receive(data)
        if not self._session.hungry:
            self._transport.pause_reading()
        if not self._sending:
            self._pump()

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        self._pump()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        if self._turn:
            self._turn.cancel()
        self._chunks.clear()
        self._owner.forget(self)
        reason = self._cut_reason or self._session.last_error or (str(exc) if exc else "")
        log.info("rtr_closed", peer=self.peer, reason=reason, bytes_sent=self._bytes_sent)

    # --- sending ---

    @property
    def _sending(self) -> bool:
        return bool(self._chunks) or not self._writable

    def _pump(self) -> None:
        """Write until the kernel takes no more, nothing is left to say, or it is the turn of others."""
        answers = chunks = 0
        try:
            while self._writable and not self._transport.is_closing():
                if answers == ANSWERS_A_TURN or chunks == CHUNKS_A_TURN:
                    self._pump_later()
                    return
                if self._chunks:
                    chunk = self._chunks.popleft()
                    self._bytes_sent += len(chunk)
                    self._transport.write(chunk)
                    chunks += 1
                elif not self._next_answer():
                    return
                else:
                    answers += 1
        except Exception:
            # A fault of ours while serving one router must not reach the others.
            log.exception("rtr_internal_error", peer=self.peer)
            if self._close_after:
                self.abort("internal error")
                return
            self._chunks = deque([memoryview(self._session.internal_error())])
            self._close_after = True
            self._pump_later()

    def _pump_later(self) -> None:
        """Go on when the others had their turn; once, however often this is called."""
        if self._turn is None:
            self._turn = asyncio.get_running_loop().call_soon(self._take_turn)

    def _take_turn(self) -> None:
        self._turn = None
        self._pump()

    def _next_answer(self) -> bool:
        """Queue the next answer or notification; False where there is none."""
        if self._close_after:
            self._hang_up()
            return False
        outgoing = self._session.next_answer()
        if outgoing is None and self._session.held:
            self._wait_for_data()
            return False
        if outgoing is None:
            return self._between_answers()
        self._close_after = outgoing.close
        for buffer in outgoing.buffers:
            view = memoryview(buffer)
            self._chunks.extend(view[start : start + CHUNK_BYTES] for start in range(0, len(view), CHUNK_BYTES))
        self._start_answer_timer()
        return True

    def _wait_for_data(self) -> None:
        """The router waits with us for the first data, but not for ever, whatever else it sends meanwhile."""
        if self._holds:
            return
        self._holds = True
        self._stop_timer()

        def give_up() -> None:
            self._session.give_up()
            self._pump()

        self._timer = asyncio.get_running_loop().call_later(self._owner.hold_seconds, give_up)

    def _hang_up(self) -> None:
        """Say that nothing more comes, and let the router close; what it still sends is thrown away."""
        if self._hung_up:
            return
        self._hung_up = True
        if self._transport.can_write_eof():  # in TLS there is no such thing
            with suppress(OSError):  # a router that is gone already hears nothing
                self._transport.write_eof()
        self._transport.resume_reading()
        self._start_timer(LINGER_SECONDS, self._session.last_error)

    def _between_answers(self) -> bool:
        """The router has taken everything: note what it has, read on, and tell it of news if there are any."""
        session = self._session
        self._note_what_was_taken()
        if session.serial != self._logged_serial:
            self._logged_serial = session.serial
            log.info(
                "rtr_synced", peer=self.peer, version=session.version, serial=session.serial, by=session.last_answer
            )
        if session.hungry:
            self._transport.resume_reading()
        wanted, self._notify_wanted = self._notify_wanted, False
        notification = session.notification() if wanted else None
        if notification is None:
            return False
        self._chunks.append(memoryview(notification))
        self._start_answer_timer()
        return True

    def _note_what_was_taken(self) -> None:
        taken = self._session.answers - self._taken
        if taken[AnswerKind.SNAPSHOT] or taken[AnswerKind.DELTA]:
            self._updated = time.time()
        if taken[AnswerKind.SNAPSHOT]:
            self._reset = self._updated
        self._taken += taken

    # --- time ---

    def _give_up_on_query(self) -> None:
        self._give_up("The router sent no query in time.")

    def _give_up_on_answer(self) -> None:
        """The time for an answer is over: whoever has not taken it is cut, also where it waits in the kernel only."""
        self._timer = None
        if self._sending:
            self.abort("did not take its answer in time")
        elif self._session.state is State.NEW:
            self._give_up_on_query()
        elif _untaken(self._transport.get_extra_info("socket")):
            self._give_up("The router did not take its answer in time.")

    def _give_up(self, why: str) -> None:
        """A router that is not amid an answer hears why it is cut; one that is could not."""
        self._chunks = deque([memoryview(self._session.stalled(why))])
        self._close_after = True
        self._pump()

    def _start_timer(self, seconds: float, reason: str) -> None:
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(seconds, self.abort, reason)

    def _start_answer_timer(self) -> None:
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(self._owner.answer_seconds, self._give_up_on_answer)

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None


def _untaken(connection: socket.socket) -> bool:
    """Whether the kernel still has octets that the router has not acknowledged."""
    queued = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4))
    return any(queued)


def _keep_alive(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEPALIVE:
        if hasattr(socket, name):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
