"""What hostile and broken RRDP servers answer, by name."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable
from contextlib import suppress

from aiohttp import web

__all__ = [
    "answer_with",
    "cut_short",
    "drip",
    "endless",
    "endless_octets",
    "endless_redirect",
    "gzip_bomb",
    "redirect_to",
    "too_many_requests",
]


async def endless_redirect(request: web.Request) -> web.StreamResponse:
    """To itself, for ever."""
    raise web.HTTPFound(request.path)


async def too_many_requests(_request: web.Request) -> web.StreamResponse:
    """Come again in ten days (RFC 6585 section 4): a client that obeys is blind until then."""
    raise web.HTTPTooManyRequests(headers={"Retry-After": "864000"})


async def drip(request: web.Request) -> web.StreamResponse:
    """An octet ten times a second, without end (CVE-2021-43173)."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.1)


async def gzip_bomb(request: web.Request) -> web.StreamResponse:
    """64 GiB of blanks in 64 MB (CVE-2021-43174, CVE-2021-3912)."""
    response = web.StreamResponse(headers={"Content-Encoding": "gzip"})
    await response.prepare(request)
    gzip = zlib.compressobj(9, wbits=31)
    await response.write(gzip.compress(b" ") + gzip.flush(zlib.Z_FULL_FLUSH))
    # After a full flush, what follows does not refer to what was before, so one piece serves for all.
    piece = gzip.compress(b" " * 1024 * 1024) + gzip.flush(zlib.Z_FULL_FLUSH)
    with suppress(ConnectionResetError):
        for _ in range(64 * 1024):
            await response.write(piece)
            await asyncio.sleep(0)
    return response


async def cut_short(request: web.Request) -> web.StreamResponse:
    """The network goes in the middle of a file."""
    response = web.StreamResponse(headers={"Content-Length": "1000000"})
    await response.prepare(request)
    await response.write(b"<snapshot")
    assert request.transport is not None
    request.transport.abort()
    return response


def redirect_to(location: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """To somewhere else."""

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": location})

    return answer


def answer_with(content: bytes) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Always this."""

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=content, content_type="application/xml")

    return answer


def endless_octets(piece: bytes) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The same octets again and again in place of an answer, without even the form of one."""

    async def answer(request: web.Request) -> web.StreamResponse:
        transport = request.transport
        while transport is not None and not transport.is_closing():
            if transport.get_write_buffer_size() < 64 * 1024:
                transport.write(piece)
            await asyncio.sleep(0.001)
        return web.Response()

    return answer


def endless(head: bytes, piece: bytes) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A beginning, and then the same again and again, without end."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with suppress(ConnectionResetError):
            await response.write(head)
            while True:
                await response.write(piece)
                await asyncio.sleep(0)
        return response

    return answer
