"""A plain RTR client: fetches a cache's set, follows it by deltas. Synchronous, bounded in time and size."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

from rpkival.errors import FetchError
from rpkival.payload.vrps import Vrps
from rpkival.rtr.cache import AnswerKind
from rpkival.rtr.deltas import apply_strictly
from rpkival.rtr.download import Download
from rpkival.rtr.errors import ErrorCode, PduError
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
)

__all__ = ["RtrClient", "fetch_vrps"]

_RECEIVE_BYTES = 1024 * 1024


def fetch_vrps(host: str, port: int, *, timeout: float) -> Vrps:
    """The whole set of the cache at `host`, sorted and unique; `timeout` in seconds is for all of it.

    Raises `FetchError` where the cache does not answer or has no data, `ProtocolError` where it breaks the protocol,
    `LimitError` where it sends too much.
    """
    with RtrClient(host, port, timeout=timeout) as client:
        client.sync()
        return client.vrps


class RtrClient:
    """One router's connection to a cache, and what it has learned there.

    `timeout` in seconds is for one `sync` with the connection it may need. Errors are those of `fetch_vrps`.
    """

    def __init__(self, host: str, port: int, *, timeout: float, version: int = HIGHEST_VERSION) -> None:
        self._address = (host, port)
        self._timeout = timeout
        self._deadline = 0.0
        self._socket: socket.socket | None = None
        self._received = b""
        self.version = version
        self.vrps = Vrps.empty()
        self.end: EndOfData | None = None
        """The End of Data that completed `vrps`, with session id, serial and timers; None before the first."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Drop the connection; the set and its serial stay, and the next `sync` continues from them."""
        if self._socket:
            self._socket.close()
            self._socket = None
            self._received = b""

    def sync(self) -> AnswerKind:
        """Bring `vrps` up to date: by a delta where there is one, else whole. Tells which it was."""
        self._deadline = time.monotonic() + self._timeout
        if self.end is not None:
            download = self._ask(SerialQuery(self.version, self.end.session_id, self.end.serial))
            if download.kind is AnswerKind.DELTA:
                try:
                    self.vrps = apply_strictly(self.vrps, download.changes())
                except PduError as error:
                    self._complain(error)
                    raise
                self.end = download.end
                return AnswerKind.DELTA
        download = self._reset()
        self.version = download.version
        self.vrps = download.changes().announced
        self.end = download.end
        return AnswerKind.SNAPSHOT

    def wait_for_notify(self) -> bool:
        """Wait for a Serial Notify; False where none comes within the timeout."""
        self._deadline = time.monotonic() + self._timeout
        received = b""
        while len(received) < HEADER_BYTES or len(received) < Header.parse(received).length:
            try:
                received += self._receive(1)
            except TimeoutError:
                return False
        return Header.parse(received).type == PduType.SERIAL_NOTIFY

    def _reset(self) -> Download:
        """A Reset Query, in ever older versions until the cache speaks one (RFC 8210 section 7)."""
        while True:
            try:
                return self._ask(ResetQuery(self.version))
            except PeerError as error:
                if error.report.code != ErrorCode.UNSUPPORTED_VERSION or self.version == 0:
                    raise
            self.close()
            self.version -= 1

    def _ask(self, query: ResetQuery | SerialQuery) -> Download:
        host, port = self._address
        download = Download(query)
        try:
            self._connect().sendall(query.serialize())
            while download.kind is None:
                download.receive(self._receive(_RECEIVE_BYTES))
        except TimeoutError as error:
            raise FetchError(f"The RTR cache {host} port {port} did not answer in {self._timeout:g} s.") from error
        except OSError as error:
            reason = error.strerror or str(error) or type(error).__name__
            raise FetchError(f"The RTR cache {host} port {port} cannot be read: {reason}.") from error
        except PeerError as error:
            self.close()
            if error.report.code == ErrorCode.NO_DATA_AVAILABLE:
                raise FetchError(f"The RTR cache {host} port {port} has no data yet; try again later.") from error
            raise
        except PduError as error:
            self._complain(error)
            raise
        # A Serial Notify may follow the answer at once, and perhaps only its first half is here yet.
        self._received = download.rest
        return download

    def _connect(self) -> socket.socket:
        if self._socket is None:
            self._socket = socket.create_connection(self._address, self._remaining())
        self._socket.settimeout(self._remaining())
        return self._socket

    def _receive(self, octets: int) -> bytes:
        if self._received:
            data, self._received = self._received[:octets], self._received[octets:]
            return data
        data = self._connect().recv(octets)
        if not data:
            self.close()
            raise ConnectionError("it closed the connection")
        return data

    def _remaining(self) -> float:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        return remaining

    def _complain(self, error: PduError) -> None:
        """Tell the cache what it did wrong, if it still listens, and leave."""
        if self._socket:
            with suppress(OSError):
                self._socket.sendall(ErrorReport.about(error, self.version).serialize())
        self.close()
