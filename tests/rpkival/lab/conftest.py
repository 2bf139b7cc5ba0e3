"""The lab's own ROAs as a verdict, straight from the words of RFC 6811."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from ipaddress import ip_network

import pytest

from rpkival.lab.propagation import IsInvalid
from rpkival.lab.topology import LAB


@pytest.fixture(scope="session")
def by_the_roas() -> IsInvalid:
    """Whether the lab's ROAs make an announcement invalid."""

    def is_invalid(prefix: str, origin: int) -> bool:
        announced = ip_network(prefix)
        covering = [
            roa
            for roa in LAB.roas
            if ip_network(roa.prefix).version == announced.version
            and int(ip_network(roa.prefix).network_address) <= int(announced.network_address)
            and int(announced.broadcast_address) <= int(ip_network(roa.prefix).broadcast_address)
        ]
        return bool(covering) and not any(
            roa.asn == origin and announced.prefixlen <= roa.max_length for roa in covering
        )

    return is_invalid


@pytest.fixture
def eventually() -> Callable[..., Awaitable[None]]:
    """`await eventually(condition)`: poll until it holds; fail after a generous while."""

    async def wait(condition: Callable[[], object], seconds: float = 20.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it never came true"
            await asyncio.sleep(0.01)

    return wait
