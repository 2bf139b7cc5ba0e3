"""The client against caches of all manners, each a script of what it sends."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from rpkival.errors import FetchError
from rpkival.payload.vrps import Vrp
from rpkival.rtr.cache import AnswerKind
from rpkival.rtr.client import RtrClient, fetch_payload
from rpkival.rtr.errors import ErrorCode, UnknownWithdrawalError
from rpkival.rtr.pdu import (
    CacheReset,
    CacheResponse,
    EndOfData,
    ErrorReport,
    IPv4Prefix,
    Pdu,
    PeerError,
    ResetQuery,
    SerialNotify,
    SerialQuery,
    Timers,
    parse,
)

Step = tuple[Pdu, tuple[Pdu, ...]]
Script = list[list[Step]]
FOUR = IPv4Prefix(2, True, 0xC0000200, 24, 24, 64496)
SNAPSHOT = (CacheResponse(2, 7), FOUR, EndOfData(2, 7, 1))


class Scripted:
    """A cache that expects queries and answers them by a script, one list of steps for each connection."""

    def __init__(self, script: Script, *, hang_up: bool = False) -> None:
        self._hang_up = hang_up
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(20)
        self.port = self._listener.getsockname()[1]
        self.heard: list[Pdu] = []
        self._thread = threading.Thread(target=self._play, args=(script,))
        self._thread.start()

    def _play(self, script: Script) -> None:
        for steps in script:
            connection, _ = self._listener.accept()
            with connection:
                connection.settimeout(20)
                for expected, answer in steps:
                    self.heard.append(parse(connection.recv(4096)))
                    if self.heard[-1] != expected:
                        return
                    connection.sendall(b"".join(pdu.serialize() for pdu in answer))
                if not self._hang_up and (rest := connection.recv(4096)):
                    self.heard.append(parse(rest))

    def close(self) -> None:
        """Wait for the end of the script."""
        self._thread.join()
        self._listener.close()


@pytest.fixture
def scripted() -> Iterator[Callable[..., Scripted]]:
    """`scripted(script)`: such a cache on loopback."""
    caches: list[Scripted] = []

    def start(script: Script, *, hang_up: bool = False) -> Scripted:
        caches.append(Scripted(script, hang_up=hang_up))
        return caches[-1]

    yield start
    for cache in caches:
        cache.close()


def test_whole_then_delta_then_reset(scripted: Callable[..., Scripted]) -> None:
    """Serial Queries once there is a serial; a Cache Reset leads to everything anew."""
    other = IPv4Prefix(2, True, 0xC6336400, 24, 24, 64497)
    cache = scripted(
        [
            [
                (ResetQuery(2), (*SNAPSHOT, SerialNotify(2, 7, 2))),
                (
                    SerialQuery(2, 7, 1),
                    (
                        CacheResponse(2, 7),
                        other,
                        IPv4Prefix(2, False, 0xC0000200, 24, 24, 64496),
                        EndOfData(2, 7, 2),
                    ),
                ),
                (SerialQuery(2, 7, 2), (CacheReset(2),)),
                (ResetQuery(2), (CacheResponse(2, 8), FOUR, EndOfData(2, 8, 0))),
            ]
        ]
    )
    with RtrClient("127.0.0.1", cache.port, timeout=20) as client:
        assert client.sync() is AnswerKind.SNAPSHOT
        assert list(client.vrps) == [Vrp("192.0.2.0/24", 24, 64496)]
        assert client.sync() is AnswerKind.DELTA
        assert list(client.vrps) == [Vrp("198.51.100.0/24", 24, 64497)]
        assert client.sync() is AnswerKind.SNAPSHOT
        assert list(client.vrps) == [Vrp("192.0.2.0/24", 24, 64496)]
        assert client.end == EndOfData(2, 8, 0)


def test_half_a_notification_behind_an_answer() -> None:
    """What follows an answer in the same read is kept: a notification in two halves is still one."""
    note = SerialNotify(2, 7, 2).serialize()
    ours, theirs = socket.socketpair()
    with ours, theirs, RtrClient("127.0.0.1", 1, timeout=20) as client:
        client._socket = ours
        theirs.sendall(b"".join(pdu.serialize() for pdu in SNAPSHOT) + note[:5])
        assert client.sync() is AnswerKind.SNAPSHOT
        theirs.sendall(note[5:])
        assert client.wait_for_notify()
        theirs.sendall(b"".join(pdu.serialize() for pdu in (CacheResponse(2, 7), EndOfData(2, 7, 2))))
        assert client.sync() is AnswerKind.DELTA


def test_an_old_cache_is_asked_again_in_version_0(scripted: Callable[..., Scripted]) -> None:
    """Error 4, a new connection, and version 0 from then on."""
    old = IPv4Prefix(0, True, 0xC0000200, 24, 24, 64496)
    cache = scripted(
        [
            [(ResetQuery(2), (ErrorReport(0, ErrorCode.UNSUPPORTED_VERSION, ResetQuery(2).serialize()),))],
            [(ResetQuery(0), (CacheResponse(0, 7), old, EndOfData(0, 7, 1)))],
        ]
    )

    assert len(fetch_payload("127.0.0.1", cache.port, timeout=20)) == 1


def test_no_data_yet_is_told(scripted: Callable[..., Scripted]) -> None:
    """A sentence that says to try later; no Error Report in answer to one."""
    cache = scripted([[(ResetQuery(2), (ErrorReport(2, ErrorCode.NO_DATA_AVAILABLE),))]])

    with pytest.raises(FetchError, match="has no data yet; try again later"):
        fetch_payload("127.0.0.1", cache.port, timeout=20)
    cache.close()
    assert cache.heard == [ResetQuery(2)]


def test_a_caches_error_is_repeated(scripted: Callable[..., Scripted]) -> None:
    """Code and text of the report are in the sentence."""
    cache = scripted([[(ResetQuery(2), (ErrorReport(2, ErrorCode.INTERNAL_ERROR, b"", "out of luck"),))]])

    with pytest.raises(PeerError, match=r"error 1 \(internal error\): out of luck"):
        fetch_payload("127.0.0.1", cache.port, timeout=20)


def test_a_broken_cache_is_told_so(scripted: Callable[..., Scripted]) -> None:
    """The client sends the Error Report that the draft asks for, and forgets what it had from such a cache."""
    cache = scripted(
        [
            [
                (ResetQuery(2), SNAPSHOT),
                (
                    SerialQuery(2, 7, 1),
                    (CacheResponse(2, 7), IPv4Prefix(2, False, 0, 0, 0, 1), EndOfData(2, 7, 2)),
                ),
            ]
        ]
    )
    with RtrClient("127.0.0.1", cache.port, timeout=20) as client:
        client.sync()
        with pytest.raises(UnknownWithdrawalError):
            client.sync()
        assert (len(client.payload), client.end) == (0, None)
    cache.close()
    report = cache.heard[-1]
    assert isinstance(report, ErrorReport)
    assert report.code == ErrorCode.UNKNOWN_WITHDRAWAL


def test_a_cache_that_breaks_off_is_a_fetch_error(scripted: Callable[..., Scripted]) -> None:
    """Half an answer is none."""
    cache = scripted([[(ResetQuery(2), (CacheResponse(2, 7), FOUR))]], hang_up=True)

    with RtrClient("127.0.0.1", cache.port, timeout=20) as client:
        with pytest.raises(FetchError, match="it closed the connection"):
            client.sync()
        assert len(client.vrps) == 0


def test_the_timeout_is_for_the_whole_answer() -> None:
    """A cache that trickles does not keep us for ever."""
    stop = threading.Event()

    def trickle(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(CacheResponse(2, 7).serialize())
            while not stop.wait(0.05):
                connection.sendall(FOUR.serialize())

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=trickle, args=(listener,))
        thread.start()
        with pytest.raises(FetchError, match=r"did not answer in 0\.4 s"):
            fetch_payload("127.0.0.1", listener.getsockname()[1], timeout=0.4)
        stop.set()
        thread.join()


def test_a_cache_that_comes_back_older_is_followed(scripted: Callable[..., Scripted]) -> None:
    """Version 2 once, then Error 4 in version 1: everything anew in version 1, on a new connection."""
    refusal = ErrorReport(1, ErrorCode.UNSUPPORTED_VERSION, SerialQuery(2, 7, 1).serialize())
    old = IPv4Prefix(1, True, 0xC0000200, 24, 24, 64496)
    cache = scripted(
        [
            [(ResetQuery(2), SNAPSHOT), (SerialQuery(2, 7, 1), (refusal,))],
            [(ResetQuery(1), (CacheResponse(1, 7), old, EndOfData(1, 7, 1)))],
        ]
    )
    with RtrClient("127.0.0.1", cache.port, timeout=20) as client:
        assert client.sync() is AnswerKind.SNAPSHOT
        assert client.sync() is AnswerKind.SNAPSHOT
        assert (client.version, len(client.vrps)) == (1, 1)


def test_timers_out_of_range_are_brought_into_it(scripted: Callable[..., Scripted]) -> None:
    """A cache that says "never" or "at once" is obeyed as far as the RFC allows."""
    cache = scripted([[(ResetQuery(2), (CacheResponse(2, 7), EndOfData(2, 7, 1, 0, 99_999, 1)))]])

    with RtrClient("127.0.0.1", cache.port, timeout=20) as client:
        client.sync()
        assert client.timers == Timers(1, 7200, 7201)
