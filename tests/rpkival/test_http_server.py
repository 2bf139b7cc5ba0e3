"""The end of an HTTP server, whatever clients are at."""

from __future__ import annotations

import asyncio
import contextlib
import socket

import pytest
from aiohttp import web

from rpkival.errors import UsageError
from rpkival.http_server import listen


@pytest.mark.parametrize("turns", range(6))
async def test_whoever_came_in_last_is_let_go_too(turns: int) -> None:
    """At whatever turn of the loop the end falls between the accepting of a connection and its being made."""
    server = await listen(web.Application(), "127.0.0.1", 0, "This")
    with socket.create_connection(server.address, 30) as client:
        for _ in range(turns):
            await asyncio.sleep(0)
        await server.close()
        await asyncio.sleep(0.01)
        client.setblocking(False)
        with contextlib.suppress(ConnectionResetError):  # where nobody had accepted it
            assert client.recv(1) == b""


async def test_answers_under_way_have_their_time() -> None:
    """And no more than that."""

    async def dawdle(_: web.Request) -> web.Response:
        begun.set()
        await asyncio.sleep(3600)
        return web.Response()

    begun = asyncio.Event()
    app = web.Application()
    app.router.add_get("/", dawdle)
    server = await listen(app, "127.0.0.1", 0, "This", patience=0.05)
    reader, writer = await asyncio.open_connection(*server.address)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await begun.wait()
    async with asyncio.timeout(30):
        await server.close()
    assert await reader.read() == b""
    writer.close()


async def test_urls_are_of_either_family() -> None:
    """An IPv6 address stands in brackets."""
    server = await listen(web.Application(), "127.0.0.1", 0, "This")
    assert server.url == f"http://127.0.0.1:{server.address[1]}"
    with pytest.raises(UsageError, match=r"This cannot listen on 127\.0\.0\.1 port"):
        await listen(web.Application(), *server.address, "This")
    await server.close()
    try:
        server = await listen(web.Application(), "::1", 0, "This")
    except UsageError:
        return  # a machine without IPv6
    assert server.url == f"http://[::1]:{server.address[1]}"
    await server.close()
