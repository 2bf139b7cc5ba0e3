"""What a router may expect of any cache: the scenarios of APNIC's interoperability suite, by their names there.

Each is played octet by octet against our server on loopback, in version 2 unless it says otherwise. Of its transports
tls is in test_tls.py, tcp_md5 and tcp_ao are in test_tcp_signing.py, ssh and foreign clients in tests/interop/rtr.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

import pytest
import uvloop

from rpkival.payload.payload import Aspa, Payload, RouterKey
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.rtr.cache import AnswerKind, Cache
from rpkival.rtr.client import RtrClient
from rpkival.rtr.errors import ErrorCode
from rpkival.rtr.pdu import (
    AspaPdu,
    CacheReset,
    CacheResponse,
    EndOfData,
    ErrorReport,
    Header,
    IPv4Prefix,
    IPv6Prefix,
    Pdu,
    PduType,
    PeerError,
    ResetQuery,
    RouterKeyPdu,
    SerialNotify,
    SerialQuery,
    parse,
)
from rpkival.rtr.server import RtrServer

Result = TypeVar("Result")
DEADLINE = 30.0
HOST = "127.0.0.1"
FULL = Payload(
    Vrps.of(
        [
            Vrp("192.0.2.0/24", 24, 0),
            Vrp("192.0.2.0/24", 24, 64496),
            Vrp("192.0.2.0/25", 25, 64496),
            Vrp("198.51.100.0/24", 24, 64497),
            Vrp("2001:db8::/32", 48, 64497),
        ]
    ),
    (Aspa(64496, (64497, 64498)), Aspa(64499, (0,))),
    (RouterKey(64496, b"a" * 20, b"key"), RouterKey(64497, b"b" * 20, b"another")),
)
LESS = Payload(Vrps.of([Vrp("192.0.2.0/24", 24, 64496)]), (Aspa(64496, (64498,)),), FULL.router_keys[:1])


class Served:
    """A server in a thread of its own; `cache` may be updated from here, `notify` and `close` reach over."""

    def __init__(self, payload: Payload | None, *, session_id: int = 7, hold_seconds: float = 0) -> None:
        self.cache = Cache(session_id)
        if payload is not None:
            self.cache.update(payload)
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._server = RtrServer(self.cache, notify_seconds=0, hold_seconds=hold_seconds)
        self._open = True
        self.port = self._call(self._server.start(HOST, 0))[1]

    def update(self, payload: Payload) -> None:
        """Serve this now, and tell the routers."""

        async def update() -> None:
            self.cache.update(payload)
            self._server.notify()

        self._call(update())

    def close(self, code: ErrorCode | None = None) -> None:
        """Stop, once."""
        if self._open:
            self._open = False
            self._call(self._server.close(code=code))
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def _call(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(DEADLINE)


class Wire:
    """A router that sends what it is told to and keeps what it hears."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection((HOST, port), DEADLINE)
        self._file = self._socket.makefile("rb")

    def send(self, *pdus: Pdu) -> None:
        self._socket.sendall(b"".join(pdu.serialize() for pdu in pdus))

    def read(self) -> Pdu | None:
        """The next PDU, None at the end of the connection."""
        header = self._file.read(8)
        if not header:
            return None
        return parse(header + self._file.read(Header.parse(header).length - 8))

    def ask(self, query: Pdu) -> list[Pdu]:
        """What comes for a query, up to End of Data, Cache Reset or an error."""
        self.send(query)
        heard: list[Pdu] = []
        while not (heard and isinstance(heard[-1], EndOfData | CacheReset | ErrorReport)):
            pdu = self.read()
            assert pdu is not None, f"the connection ended after {heard}"
            heard.append(pdu)
        return heard

    def close(self) -> None:
        self._file.close()
        self._socket.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """`serve(payload)`: such a server, closed with the test."""
    servers: list[Served] = []

    def start(payload: Payload | None, **options: float) -> Served:
        servers.append(Served(payload, **options))  # type: ignore[arg-type]
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def connect() -> Iterator[Callable[[Served], Wire]]:
    """`connect(server)`: a router there, closed with the test."""
    wires: list[Wire] = []

    def to(server: Served) -> Wire:
        wires.append(Wire(server.port))
        return wires[-1]

    yield to
    for wire in wires:
        wire.close()


Serve = Callable[..., Served]
Connect = Callable[[Served], Wire]


@pytest.fixture
def full(serve: Serve, connect: Connect) -> list[Pdu]:
    """All that a Reset Query of version 2 is answered with."""
    return connect(serve(FULL)).ask(ResetQuery(2))


@pytest.mark.parametrize("version", [0, 1, 2], ids=["v0_connect", "v1_connect", "v2_connect"])
def test_connect(serve: Serve, connect: Connect, version: int) -> None:
    """Every version has the payload that it has words for, and its own session id."""
    server = serve(FULL)

    begin, *payload, end = connect(server).ask(ResetQuery(version))

    session_id = server.cache.session_id_of(version)
    assert (begin, end) == (CacheResponse(version, session_id), EndOfData(version, session_id, 0))
    assert {pdu.version for pdu in payload} == {version}
    kinds = [type(pdu) for pdu in payload]
    assert kinds == [*[IPv4Prefix] * 4, IPv6Prefix, *[RouterKeyPdu] * 2, *[AspaPdu] * 2][: (5, 7, 9)[version]]


def test_accepts_reset_query(full: list[Pdu]) -> None:
    """It is answered with everything."""
    assert len(full) == 2 + len(FULL)


def test_accepts_serial_query_no_op(serve: Serve, connect: Connect) -> None:
    """Nothing has changed: Cache Response and End of Data alone."""
    server = serve(FULL)
    session_id = server.cache.session_id_of(2)

    assert connect(server).ask(SerialQuery(2, session_id, 0)) == [
        CacheResponse(2, session_id),
        EndOfData(2, session_id, 0),
    ]


def test_sends_cache_response(full: list[Pdu]) -> None:
    """It comes first."""
    assert isinstance(full[0], CacheResponse)


def test_sends_end_of_data(full: list[Pdu]) -> None:
    """It comes last, with timers in their ranges and the expire interval larger than the others."""
    end = full[-1]
    assert isinstance(end, EndOfData)
    assert (end.refresh, end.retry, end.expire) == (3600, 600, 7200)


def test_sends_ipv4(full: list[Pdu]) -> None:
    """Each VRP is one PDU."""
    assert IPv4Prefix(2, True, 0xC6336400, 24, 24, 64497) in full


def test_sends_ipv6(full: list[Pdu]) -> None:
    """Each VRP is one PDU."""
    assert IPv6Prefix(2, True, 0x20010DB8 << 96, 32, 48, 64497) in full


def test_sends_router_key(full: list[Pdu]) -> None:
    """Each key of each AS is one PDU."""
    assert RouterKeyPdu(2, True, b"a" * 20, 64496, b"key") in full


def test_sends_aspa(full: list[Pdu]) -> None:
    """Each customer is one PDU, AS 0 the sole provider of who has none."""
    assert [pdu for pdu in full if isinstance(pdu, AspaPdu)] == [
        AspaPdu(2, True, 64496, (64497, 64498)),
        AspaPdu(2, True, 64499, (0,)),
    ]


def test_sends_serial_notify(serve: Serve, connect: Connect) -> None:
    """To who has older data, and the delta replaces, announces and withdraws."""
    server = serve(FULL)
    wire = connect(server)
    wire.ask(ResetQuery(2))
    session_id = server.cache.session_id_of(2)

    server.update(LESS)

    assert wire.read() == SerialNotify(2, session_id, 1)
    _, *delta, end = wire.ask(SerialQuery(2, session_id, 0))
    assert end == EndOfData(2, session_id, 1)
    assert delta[-3:] == [
        RouterKeyPdu(2, False, b"b" * 20, 64497, b"another"),
        AspaPdu(2, True, 64496, (64498,)),
        AspaPdu(2, False, 64499),
    ]
    assert [pdu.announce for pdu in delta if isinstance(pdu, IPv4Prefix | IPv6Prefix)] == [False] * 4


def test_sends_ordered_pdus(full: list[Pdu]) -> None:
    """draft-ietf-sidrops-8210bis-26 section 11.2, written out: types ascend, prefixes descend, AS 0 is last."""
    assert [(pdu.address >> 8, pdu.length, pdu.asn) for pdu in full if isinstance(pdu, IPv4Prefix)] == [
        (0xC63364, 24, 64497),
        (0xC00002, 25, 64496),
        (0xC00002, 24, 64496),
        (0xC00002, 24, 0),
    ]
    types = [pdu.type for pdu in full[1:-1]]
    assert types == sorted(types)


def test_reset_on_absence_of_history(serve: Serve, connect: Connect) -> None:
    """A serial that is not kept: Cache Reset, and the session goes on."""
    server = serve(FULL)
    wire = connect(server)

    assert wire.ask(SerialQuery(2, server.cache.session_id_of(2), 99)) == [CacheReset(2)]
    assert len(wire.ask(ResetQuery(2))) == 2 + len(FULL)


def test_returns_corrupt_data_on_session_mismatch(serve: Serve, connect: Connect) -> None:
    """Another session id than the one told in this session is Error 0, and the end."""
    server = serve(FULL)
    wire = connect(server)
    wire.ask(ResetQuery(2))

    (report,) = wire.ask(SerialQuery(2, server.cache.session_id_of(2) ^ 1, 0))

    assert isinstance(report, ErrorReport)
    assert report.code == ErrorCode.CORRUPT_DATA
    assert wire.read() is None


def test_no_data_returned_correctly(serve: Serve, connect: Connect) -> None:
    """Error 2 is not fatal: the same connection gets everything once there is something."""
    server = serve(None)
    wire = connect(server)

    for _ in range(2):
        (report,) = wire.ask(ResetQuery(2))
        assert isinstance(report, ErrorReport)
        assert (report.code, report.pdu) == (ErrorCode.NO_DATA_AVAILABLE, b"")
    server.update(FULL)
    assert len(wire.ask(ResetQuery(2))) == 2 + len(FULL)


@pytest.fixture
def farewell(serve: Serve, connect: Connect) -> Callable[[ErrorCode], list[Pdu]]:
    """`farewell(code)`: all that a router of version 2 hears when the cache leaves with it, up to the end."""

    def leave(code: ErrorCode) -> list[Pdu]:
        server = serve(FULL)
        wire = connect(server)
        wire.ask(ResetQuery(2))
        server.close(code)
        return list(iter(wire.read, None))

    return leave


def test_cache_restart_pdu_received(farewell: Callable[[ErrorCode], list[Pdu]]) -> None:
    """One PDU, then the end."""
    assert [pdu.type for pdu in farewell(ErrorCode.CACHE_RESTART)] == [PduType.ERROR_REPORT]


def test_cache_restart_correct_error(farewell: Callable[[ErrorCode], list[Pdu]]) -> None:
    """Error 12, about no PDU."""
    (report,) = farewell(ErrorCode.CACHE_RESTART)
    assert isinstance(report, ErrorReport)
    assert (report.version, report.code, report.pdu) == (2, 12, b"")


def test_cache_shutdown_pdu_received(farewell: Callable[[ErrorCode], list[Pdu]]) -> None:
    """One PDU, then the end."""
    assert [pdu.type for pdu in farewell(ErrorCode.CACHE_SHUTDOWN)] == [PduType.ERROR_REPORT]


def test_cache_shutdown_correct_error(farewell: Callable[[ErrorCode], list[Pdu]]) -> None:
    """Error 13, about no PDU."""
    (report,) = farewell(ErrorCode.CACHE_SHUTDOWN)
    assert isinstance(report, ErrorReport)
    assert (report.version, report.code, report.pdu) == (2, 13, b"")


@pytest.mark.parametrize("code", [None, ErrorCode.CACHE_RESTART, ErrorCode.CACHE_SHUTDOWN])
def test_who_has_no_word_for_it_hears_only_the_end(serve: Serve, connect: Connect, code: ErrorCode | None) -> None:
    """Version 1 has no such codes (section 12: only those of the session's version may be sent); nor has silence."""
    server = serve(FULL)
    new, old, silent = connect(server), connect(server), connect(server)
    new.ask(ResetQuery(2))
    old.ask(ResetQuery(1))

    server.close(code)

    for wire in (old, silent, *(() if code else (new,))):
        try:
            assert wire.read() is None
        except ConnectionResetError:
            continue


@pytest.fixture
def left(serve: Serve) -> Callable[[ErrorCode], RtrClient]:
    """`left(code)`: a client that had everything when its cache left with this code."""

    def leave(code: ErrorCode) -> RtrClient:
        server = serve(FULL)
        client = RtrClient(HOST, server.port, timeout=DEADLINE)
        client.sync()
        server.close(code)
        with pytest.raises(PeerError) as told:
            client.wait_for_notify()
        assert told.value.report.code == code
        return client

    return leave


def test_handles_cache_restart(left: Callable[[ErrorCode], RtrClient]) -> None:
    """Who heard Error 12 keeps what it has."""
    assert len(left(ErrorCode.CACHE_RESTART).payload) == len(FULL)


def test_cache_restart_repopulated(left: Callable[[ErrorCode], RtrClient], serve: Serve) -> None:
    """And goes on where it was with a server of the same session and serial."""
    with left(ErrorCode.CACHE_RESTART) as client:
        client._address = (HOST, serve(FULL).port)
        assert client.sync() is AnswerKind.DELTA
        assert len(client.payload) == len(FULL)


def test_handles_cache_shutdown(left: Callable[[ErrorCode], RtrClient]) -> None:
    """Who heard Error 13 forgets at once."""
    assert len(left(ErrorCode.CACHE_SHUTDOWN).payload) == 0


def test_cache_shutdown_repopulated(left: Callable[[ErrorCode], RtrClient], serve: Serve) -> None:
    """And begins anew with whatever serves next."""
    with left(ErrorCode.CACHE_SHUTDOWN) as client:
        client._address = (HOST, serve(FULL).port)
        assert client.sync() is AnswerKind.SNAPSHOT
        assert len(client.payload) == len(FULL)


def test_handles_reset_on_session_mismatch(serve: Serve) -> None:
    """A client that comes back to a cache of another life is told to start over, and does."""
    first, second = serve(FULL), serve(LESS, session_id=8)
    with RtrClient(HOST, first.port, timeout=DEADLINE, strict_order=True) as client:
        client.sync()
        client.close()
        client._address = (HOST, second.port)

        assert client.sync() is AnswerKind.SNAPSHOT
        assert [aspa.providers for aspa in client.payload.aspas] == [(64498,)]


def test_a_client_follows_aspas_and_router_keys(serve: Serve) -> None:
    """Whole, then by delta: what the client has is what the cache serves, in the order that it must have."""
    server = serve(FULL)
    with RtrClient(HOST, server.port, timeout=DEADLINE, strict_order=True) as client:
        for payload in (FULL, LESS, FULL):
            server.update(payload)
            client.sync()
            assert list(map(repr, client.payload.aspas)) == list(map(repr, payload.aspas))
            assert client.payload.router_keys == payload.router_keys
            assert [vrp.prefix for vrp in client.vrps] == [vrp.prefix for vrp in payload.vrps]
