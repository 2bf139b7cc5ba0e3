"""VRPs, routers and servers for the tests of RTR."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
import uvloop
from hypothesis import strategies as st

from rpkival.payload.payload import Aspa, Payload, RouterKey
from rpkival.payload.vrps import Vrp, VrpColumns, Vrps
from rpkival.prefixes import Prefixes
from rpkival.rtr.cache import Cache
from rpkival.rtr.client import fetch_payload
from rpkival.rtr.dial import Dial
from rpkival.rtr.pdu import HEADER_BYTES, EndOfData, Header, Pdu, ResetQuery, parse
from rpkival.rtr.server import RtrServer
from rpkival.rtr.tcp_signing import SignedNetwork
from rpkival.rtr.tls import TlsServer

HOST = "127.0.0.1"
DEADLINE = 30.0
Key = tuple[str, int, int]
Told = tuple[list[Key], list[tuple[int, tuple[int, ...]]], list[tuple[int, bytes, bytes]]]


def _vrp(network: ipaddress.IPv4Network | ipaddress.IPv6Network, extra: int, asn: int) -> Vrp:
    return Vrp(str(network), min(network.prefixlen + extra, network.max_prefixlen), asn)


def _network(version: int, address: int, length: int) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    if version == 4:
        return ipaddress.IPv4Network((address >> 96, length % 33), strict=False)
    return ipaddress.IPv6Network((address, length), strict=False)


ANY_VRP = st.builds(
    _vrp,
    st.builds(_network, st.sampled_from([4, 6]), st.integers(0, 2**128 - 1), st.integers(0, 128)),
    st.integers(0, 128),
    st.integers(0, 2**32 - 1),
)
FEW = (
    Vrp("10.0.0.0/8", 8, 1),
    Vrp("10.0.0.0/8", 24, 1),
    Vrp("10.0.0.0/8", 8, 0),
    Vrp("10.0.0.0/16", 24, 2),
    Vrp("10.1.0.0/16", 16, 2),
    Vrp("2001:db8::/32", 32, 1),
    Vrp("2001:db8::/32", 48, 1),
    Vrp("2001:db8:1::/48", 48, 2),
)


ASPAS = st.dictionaries(
    st.integers(1, 4), st.frozensets(st.integers(1, 3), min_size=1).map(sorted).map(tuple), max_size=4
).map(lambda told: tuple(Aspa(customer, providers) for customer, providers in sorted(told.items())))
ROUTER_KEYS = st.frozensets(
    st.builds(
        RouterKey, st.integers(1, 2), st.sampled_from([b"a" * 20, b"b" * 20]), st.sampled_from([b"k", b"kk", b"l"])
    ),
    max_size=6,
).map(lambda keys: tuple(sorted(keys, key=lambda key: key.identity)))


@pytest.fixture(scope="session")
def any_vrps() -> st.SearchStrategy[Vrps]:
    """Sets from the whole space of VRPs, unsorted, with duplicates."""
    return st.lists(ANY_VRP, max_size=30).map(Vrps.of)


@pytest.fixture(scope="session")
def few_vrps() -> st.SearchStrategy[Vrps]:
    """Sets of the same eight VRPs, so that they come and go."""
    return st.lists(st.sampled_from(FEW), max_size=12).map(Vrps.of)


@pytest.fixture(scope="session")
def few_payloads(few_vrps: st.SearchStrategy[Vrps]) -> st.SearchStrategy[Payload]:
    """Payloads of the same few things, so that they come, go and change."""
    return st.builds(Payload, few_vrps, ASPAS, ROUTER_KEYS)


@pytest.fixture(scope="session")
def told() -> Callable[[Payload], Told]:
    """All that a payload tells routers, in its order."""
    return lambda payload: (
        [(vrp.prefix, vrp.max_length, vrp.asn) for vrp in payload.vrps],
        [(aspa.customer, aspa.providers) for aspa in payload.aspas],
        [key.identity for key in payload.router_keys],
    )


@pytest.fixture(scope="session")
def keys() -> Callable[[Vrps], list[Key]]:
    """What makes each VRP what it is, in the set's order."""
    return lambda vrps: [(vrp.prefix, vrp.max_length, vrp.asn) for vrp in vrps]


@pytest.fixture(scope="session")
def split_pdus() -> Callable[[bytes], list[Pdu]]:
    """The PDUs in a run of octets, by the object codec."""

    def split(data: bytes) -> list[Pdu]:
        pdus = []
        while data:
            length = Header.parse(data).length
            assert length >= HEADER_BYTES
            pdus.append(parse(data[:length]))
            data = data[length:]
        return pdus

    return split


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Callable[[Coroutine[Any, Any, None]], None]:
    """Run a coroutine to its end on each of the event loops that serve routers."""
    factory = asyncio.new_event_loop if request.param == "asyncio" else uvloop.new_event_loop

    def run_to_end(main: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(main)

    return run_to_end


class Wire:
    """A cache on loopback, routers as octets on sockets, and a table for them."""

    @staticmethod
    def many(count: int) -> Vrps:
        """`count` IPv4 VRPs: 20 octets each on the wire."""
        prefixes = Prefixes((np.arange(count, dtype=np.uint32) << np.uint32(4),), np.full(count, 28, np.uint8))
        return Vrps(VrpColumns.of(prefixes, prefixes.length, np.ones(count, np.uint32)), VrpColumns.empty(6))

    @staticmethod
    @asynccontextmanager
    async def serving(
        vrps: Vrps | None,
        *,
        host: str = HOST,
        tls: TlsServer | None = None,
        signed: Sequence[SignedNetwork] = (),
        **bounds: Any,
    ) -> AsyncIterator[tuple[Cache, RtrServer, int]]:
        """A cache of session 7 that has `vrps`, None for no data yet; its server, which has `bounds`; its port."""
        cache = Cache(7)
        if vrps is not None:
            cache.update(Payload(vrps))
        server = RtrServer(cache, **bounds)
        try:
            _, port = await server.start(host, 0, tls=tls, signed=signed)
            yield cache, server, port
        finally:
            await server.close()

    @staticmethod
    @asynccontextmanager
    async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A router that has said nothing yet."""
        reader, writer = await asyncio.open_connection(HOST, port)
        try:
            yield reader, writer
        finally:
            writer.close()

    @staticmethod
    async def fetched(host: str, port: int, **dial: Any) -> int:
        """The number of VRPs that our client gets by this transport."""
        payload = await asyncio.to_thread(fetch_payload, host, port, timeout=DEADLINE, dial=Dial(host, port, **dial))
        return len(payload.vrps)

    @staticmethod
    async def until(condition: Callable[[], bool]) -> None:
        """Wait for `condition`, but not for ever."""
        async with asyncio.timeout(DEADLINE):
            while not condition():  # noqa: ASYNC110 - conditions are of sockets and kernels, which set no Event
                await asyncio.sleep(0.01)

    @staticmethod
    async def read_pdu(reader: asyncio.StreamReader) -> Pdu:
        """One PDU, within the deadline."""
        async with asyncio.timeout(DEADLINE):
            header = await reader.readexactly(8)
            return parse(header + await reader.readexactly(Header.parse(header).length - 8))

    @staticmethod
    async def read_answer(reader: asyncio.StreamReader) -> list[Pdu]:
        """PDUs up to End of Data."""
        pdus = [await Wire.read_pdu(reader)]
        while not isinstance(pdus[-1], EndOfData):
            pdus.append(await Wire.read_pdu(reader))
        return pdus

    @staticmethod
    def stalled_router(port: int, receive_buffer: int = 4096) -> socket.socket:
        """A router that asks for everything and then does not read."""
        router = socket.socket()
        router.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        router.connect((HOST, port))
        router.sendall(ResetQuery(1).serialize())
        return router


@pytest.fixture(scope="session")
def wire() -> type[Wire]:
    """`await wire.read_pdu(reader)` and so on."""
    return Wire
