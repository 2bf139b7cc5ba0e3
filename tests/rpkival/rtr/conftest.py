"""VRPs, routers and servers for the tests of RTR."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop
from hypothesis import strategies as st

from rpkival.payload.vrps import Vrp, Vrps
from rpkival.rtr.pdu import HEADER_BYTES, Header, Pdu, parse

Key = tuple[str, int, int]


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


@pytest.fixture(scope="session")
def any_vrps() -> st.SearchStrategy[Vrps]:
    """Sets from the whole space of VRPs, unsorted, with duplicates."""
    return st.lists(ANY_VRP, max_size=30).map(Vrps.of)


@pytest.fixture(scope="session")
def few_vrps() -> st.SearchStrategy[Vrps]:
    """Sets of the same eight VRPs, so that they come and go."""
    return st.lists(st.sampled_from(FEW), max_size=12).map(Vrps.of)


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
