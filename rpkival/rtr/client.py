"""A plain RTR client: fetches a cache's payload, follows it by deltas. Synchronous, bounded in time and size."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

from rpkival.errors import FetchError, LimitError
from rpkival.payload.changes import Changes
from rpkival.payload.payload import Payload
from rpkival.payload.vrps import Vrps
from rpkival.rtr.cache import AnswerKind
from rpkival.rtr.deltas import apply_strictly
from rpkival.rtr.dial import Dial
from rpkival.rtr.download import Download
from rpkival.rtr.errors import FATAL, BrokenReportError, ErrorCode, PduError
from rpkival.rtr.pdu import (
    HEADER_BYTES,
    HIGHEST_VERSION,
    EndOfData,
    ErrorReport,
    Header,
    PduType,
    PeerError,
    ResetQuery,
    SerialQuery,
    Timers,
    parse,
)

__all__ = ["RtrClient", "fetch_payload"]

_RECEIVE_BYTES = 1024 * 1024


def fetch_payload(
    host: str, port: int, *, timeout: float, strict_order: bool = False, dial: Dial | None = None
) -> Payload:
    """All that the cache at `host` serves, sorted and unique; `timeout` in seconds is for all of it.

    `dial` reaches it by another transport than plain TCP.

    Raises `FetchError` where the cache does not answer or has no data, `ProtocolError` where it breaks the protocol
    (with `strict_order` also by its order), `LimitError` where it sends too much.
    """
    with RtrClient(host, port, timeout=timeout, strict_order=strict_order, dial=dial) as client:
        client.sync()
        return client.payload


class RtrClient:
    """One router's connection to a cache, and what it has learned there.

    `timeout` in seconds is for one `sync` with the connection it may need. Errors are those of `fetch_payload`. After a
    fatal one in version 2 all that was learned is forgotten (draft-ietf-sidrops-8210bis-26 section 12); older versions
    do not ask for it, and the next `sync` goes on from there.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        timeout: float,
        version: int = HIGHEST_VERSION,
        strict_order: bool = False,
        dial: Dial | None = None,
    ) -> None:
        self._address = (host, port)
        self._dial = dial
        self._timeout = timeout
        self._strict_order = strict_order
        self._deadline = 0.0
        self._socket: socket.socket | None = None
        self._received = b""
        self._heard = False
        """Whether the cache has said anything on this connection."""
        self.version = version
        self.payload = Payload.empty()
        self.end: EndOfData | None = None
        """The End of Data that completed `payload`, with session id, serial and timers; None before the first."""

    @property
    def vrps(self) -> Vrps:
        """Those of the payload."""
        return self.payload.vrps

    @property
    def timers(self) -> Timers:
        """What the cache told last, brought into the RFC's ranges."""
        return Timers.nearest(self.end.refresh, self.end.retry, self.end.expire) if self.end else Timers()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Drop the connection; the payload and its serial stay, and the next `sync` continues from them."""
        if self._socket:
            self._socket.close()
            self._socket = None
            self._received = b""

    def sync(self) -> AnswerKind:
        """Bring `payload` up to date: by a delta where there is one, else whole. Tells which it was."""
        self._deadline = time.monotonic() + self._timeout
        if self.end is not None and self._follow(self.end):
            return AnswerKind.DELTA
        download = self._reset()
        self.payload = self._judged(download).announced
        self.version = download.version
        self.end = download.end
        return AnswerKind.SNAPSHOT

    def wait_for_notify(self, seconds: float | None = None) -> bool:
        """Wait for a Serial Notify; False where none comes within `seconds`, or the timeout. Raises `PeerError`."""
        self._deadline = time.monotonic() + (self._timeout if seconds is None else seconds)
        received = b""
        while len(received) < HEADER_BYTES or len(received) < Header.parse(received).length:
            try:
                received += self._receive(1)
            except TimeoutError:
                self._received = received
                return False
        pdu = parse(received)
        if isinstance(pdu, ErrorReport):
            raise self._left_by(PeerError(pdu))
        return pdu.type == PduType.SERIAL_NOTIFY

    def _follow(self, end: EndOfData) -> bool:
        """A Serial Query; False where the cache has no delta for it, or has come back with an older version."""
        try:
            download = self._ask(SerialQuery(self.version, end.session_id, end.serial))
        except PeerError as error:
            self._step_down(error)
            return False
        if download.kind is not AnswerKind.DELTA:
            return False
        changes = self._judged(download)
        try:
            self.payload = apply_strictly(self.payload, changes)
        except PduError as error:
            self._complain(error)
            raise
        self.end = download.end
        return True

    def _reset(self) -> Download:
        """A Reset Query, in ever older versions until the cache speaks one (RFC 8210 section 7)."""
        while True:
            try:
                return self._ask(ResetQuery(self.version))
            except PeerError as error:
                self._step_down(error)

    def _step_down(self, error: PeerError) -> None:
        """To the version that the cache names where it refuses ours, on a new connection; all else is raised again."""
        if error.report.code != ErrorCode.UNSUPPORTED_VERSION or self.version == 0:
            raise error
        self.close()
        # Serials of different versions are not commensurate (RFC 8210 section 5.1).
        self.end = None
        self.version = min(error.report.version, self.version - 1)

    def _judged(self, download: Download) -> Changes:
        try:
            return download.changes()
        except PduError as error:
            self._complain(error)
            raise

    def _ask(self, query: ResetQuery | SerialQuery) -> Download:
        host, port = self._address
        download = Download(query, strict_order=self._strict_order)
        try:
            self._connect().sendall(query.serialize())
            while download.kind is None:
                download.receive(self._receive(_RECEIVE_BYTES))
        except TimeoutError as error:
            self.close()
            raise FetchError(f"The RTR cache {host} port {port} did not answer in {self._timeout:g} s.") from error
        except OSError as error:
            self.close()
            raise FetchError(f"The RTR cache {host} port {port} cannot be read: {self._reason(error)}.") from error
        except PeerError as error:
            self._left_by(error)
            if error.report.code == ErrorCode.NO_DATA_AVAILABLE:
                raise FetchError(f"The RTR cache {host} port {port} has no data yet; try again later.") from error
            raise
        except PduError as error:
            self._complain(error)
            raise
        except BrokenReportError:
            self.close()
            self._forget()
            raise
        except LimitError:
            self.close()
            raise
        # A Serial Notify may follow the answer at once, and perhaps only its first half is here yet.
        self._received = download.rest
        return download

    def _reason(self, error: OSError) -> str:
        tls = self._dial.tls if self._dial else None
        fault = tls.fault(error) if tls and not self._heard else None
        return fault or error.strerror or str(error) or type(error).__name__

    def _connect(self) -> socket.socket:
        if self._socket is None:
            self._heard = False
            self._socket = (self._dial or Dial(*self._address)).connect(self._remaining())
        self._socket.settimeout(self._remaining())
        return self._socket

    def _receive(self, octets: int) -> bytes:
        if self._received:
            data, self._received = self._received[:octets], self._received[octets:]
            return data
        data = self._connect().recv(octets)
        if not data:
            self.close()
            raise ConnectionResetError("it closed the connection")
        self._heard = True
        return data

    def _remaining(self) -> float:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        return remaining

    def _left_by(self, error: PeerError) -> PeerError:
        """The cache has told of an error, and the session is over."""
        self.close()
        if error.report.code in FATAL:
            self._forget()
        return error

    def _complain(self, error: PduError) -> None:
        """Tell the cache what it did wrong, if it still listens, and leave."""
        if self._socket:
            with suppress(OSError):
                self._socket.sendall(ErrorReport.about(error, self.version).serialize())
        self.close()
        self._forget()

    def _forget(self) -> None:
        if self.version >= 2:
            self.payload, self.end = Payload.empty(), None
