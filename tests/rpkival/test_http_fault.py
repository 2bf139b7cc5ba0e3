"""Why a request failed, in words for which nobody has to know aiohttp."""

from __future__ import annotations

import datetime as dt
import socket
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from rpkival.http_fault import http_fault
from rpkival.lab.tls import server_tls


async def fault(url: str) -> str:
    """What is told of a request that fails."""
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError) as raised:
            await session.get(url)
    return http_fault(raised.value)


async def test_nobody_listens() -> None:
    """The system's words for it, without addresses in Python's notation."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert await fault(f"http://127.0.0.1:{unused.getsockname()[1]}/") == "no connection: Connection refused"


async def test_a_certificate_of_a_stranger(tmp_path: Path) -> None:
    """OpenSSL's reason alone."""
    server = TestServer(web.Application(), scheme="https")
    await server.start_server(ssl=server_tls(tmp_path / "ca.pem", dt.datetime.now(dt.UTC)))
    try:
        told = await fault(f"https://127.0.0.1:{server.port}/")
    finally:
        await server.close()
    assert told == "its certificate is not trusted: unable to get local issuer certificate"


async def test_no_tls_at_all() -> None:
    """A plain server at an https address."""
    server = TestServer(web.Application())
    await server.start_server()
    try:
        told = await fault(f"https://127.0.0.1:{server.port}/")
    finally:
        await server.close()
    assert told.startswith("no connection: the other side does not speak TLS as we do (")


def test_what_has_no_words() -> None:
    """The name of the error, rather than nothing; and never more than a line of a stranger's words."""
    assert http_fault(aiohttp.ServerDisconnectedError()) == "Server disconnected"
    assert http_fault(aiohttp.ClientPayloadError()) == "ClientPayloadError"
    assert len(http_fault(ValueError("x" * 5000))) == 300
