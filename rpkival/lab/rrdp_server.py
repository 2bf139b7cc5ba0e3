"""An RRDP server on loopback, with TLS, that can be told to misbehave."""

from __future__ import annotations

import asyncio
import datetime as dt
import gzip
import ssl
import tempfile
import threading
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from rpkival.lab.rrdp_publication import RrdpPublication
from rpkival.lab.tls import server_tls
from rpkival.listening_socket import stop_accepting

__all__ = ["Misbehaviour", "RrdpServer"]

Misbehaviour = Callable[[web.Request], Awaitable[web.StreamResponse]]
"""Answers a request in place of the server; `rpkival.lab.rrdp_misbehaviour` has some."""


class RrdpServer:
    """Serves an `RrdpPublication` until closed; a context manager, with a thread and a port of its own.

    `ca_file` is what clients must trust. `misbehave` maps paths to what answers there in place of the server.
    `requests` has the paths that were asked for, in order.
    """

    def __init__(self, keep: int = 10, *, host: str = "127.0.0.1") -> None:
        """`host` is its name in URIs, that address or `localhost`."""
        self._place = tempfile.TemporaryDirectory(prefix="rpkival-rrdp-")
        self.ca_file = Path(self._place.name) / "ca.pem"
        self._tls = server_tls(self.ca_file, dt.datetime.now(dt.UTC))
        self.misbehave: dict[str, Misbehaviour] = {}
        self.requests: list[str] = []
        self._doors: set[_Door] = set()
        self._started: Future[int] = Future()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="rrdp-server", daemon=True)
        self._thread.start()
        self.base = f"https://{host}:{self._started.result()}"
        self.publication = RrdpPublication(self.base, keep)

    @property
    def notify_uri(self) -> str:
        """The URI of the notification file."""
        return f"{self.base}/notification.xml"

    def publish(self, files: Mapping[str, bytes]) -> None:
        """Make this the tree, with the next serial."""
        self.publication.publish(files)

    def close(self) -> None:
        """End all connections."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._place.cleanup()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            try:
                runner.run(self._serve())
            except BaseException as error:
                if self._started.done():
                    raise
                self._started.set_exception(error)

    async def _serve(self) -> None:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.2)
        await runner.setup()
        handler = runner.server
        assert handler is not None
        server = await self._loop.create_server(lambda: _Door(self._tls, handler, self._doors), "127.0.0.1", 0)
        try:
            self._started.set_result(server.sockets[0].getsockname()[1])
            await self._stop.wait()
        finally:
            await stop_accepting(server.sockets)
            server.close()
            for door in list(self._doors):
                door.shut()
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request.path)
        if request.path in self.misbehave:
            return await self.misbehave[request.path](request)
        content = self.publication.paths().get(request.path)
        if content is None:
            raise web.HTTPNotFound
        headers = {"ETag": f'"{sha256(content).hexdigest()}"'}
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return web.Response(status=304, headers=headers)
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            content = gzip.compress(content, 1)
            headers["Content-Encoding"] = "gzip"
        return web.Response(body=content, headers=headers, content_type="application/xml")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class _Door(asyncio.Protocol):
    """Where a connection comes in: begins TLS, and can end the connection whatever its TLS is at.

    A server that ends its TLS politely waits for clients that are gone and never answer.
    """

    def __init__(self, tls: ssl.SSLContext, handler: web.Server, doors: set[_Door]) -> None:
        self._tls = tls
        self._handler = handler
        self._doors = doors
        self._begun: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin TLS before anything is read."""
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()
        self._transport = transport
        self._doors -= {door for door in self._doors if door.is_shut}
        self._doors.add(self)
        self._begun = asyncio.get_running_loop().create_task(self._begin(transport))

    async def _begin(self, transport: asyncio.Transport) -> None:
        protocol = self._handler()
        try:
            encrypted = await asyncio.get_running_loop().start_tls(transport, protocol, self._tls, server_side=True)
        except (OSError, ssl.SSLError):
            transport.abort()
        else:
            if encrypted is not None:
                protocol.connection_made(encrypted)

    @property
    def is_shut(self) -> bool:
        """Whether the connection has ended, or is about to."""
        return self._transport is not None and self._transport.is_closing()

    def shut(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()
