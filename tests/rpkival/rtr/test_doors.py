"""Where routers come in, from what an operator wrote."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest

from rpkival.errors import UsageError
from rpkival.rtr.cache import Cache
from rpkival.rtr.client import fetch_payload
from rpkival.rtr.doors import Door, Doors, open_doors
from rpkival.rtr.server import RtrServer

HOST = "127.0.0.1"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"tls_at": (HOST, 0)}, "TLS needs a certificate"),
        ({"client_names": ["r1"], "certificate": Path("c"), "tls_at": (HOST, 0)}, "name the CA"),
        ({"certificate": Path("/nonexistent"), "tls_at": (HOST, 0)}, "No such file"),
        ({"md5": ["192.0.2.0/24"]}, "names no key"),
        ({"md5": ["nonsense=env:KEY"]}, "is not a network"),
    ],
)
def test_what_makes_no_sense_is_told(given: dict[str, Any], told: str) -> None:
    """In a sentence, before anything listens."""
    with pytest.raises(UsageError, match=told):
        Doors.of((HOST, 0), environment={"KEY": "k"}, **given)


def test_sockets_take_the_place_of_addresses() -> None:
    """What systemd listens on is served, and nothing else is opened."""

    async def main() -> None:
        inherited = socket.create_server((HOST, 0))
        port = inherited.getsockname()[1]
        server = RtrServer(Cache(7), hold_seconds=0)
        assert await open_doors(server, Doors((HOST, 1), sockets={"rtr": inherited})) == (Door((HOST, port)),)
        with pytest.raises(Exception, match="no data yet"):
            await asyncio.to_thread(fetch_payload, HOST, port, timeout=30)
        await server.close()

    asyncio.run(main())


def test_nowhere_and_no_certificate() -> None:
    """Both are mistakes of whoever configured it."""

    async def main() -> None:
        server = RtrServer(Cache(7))
        with pytest.raises(UsageError, match="nowhere to listen"):
            await open_doors(server, Doors(None))
        with socket.create_server((HOST, 0)) as inherited, pytest.raises(UsageError, match="needs a certificate"):
            await open_doors(server, Doors((HOST, 0), sockets={"rtr-tls": inherited}))
        await server.close()

    asyncio.run(main())
