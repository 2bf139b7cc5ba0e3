"""An RRDP server on loopback, with TLS, that can be told to misbehave."""

from __future__ import annotations

import asyncio
import datetime as dt
import gzip
import tempfile
import threading
import weakref
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from rpkival.lab.rrdp_publication import RrdpPublication
from rpkival.lab.tls import server_tls

__all__ = ["Misbehaviour", "RrdpServer"]

Misbehaviour = Callable[[web.Request], Awaitable[web.StreamResponse]]
"""Answers a request in place of the server; `rpkival.lab.rrdp_misbehaviour` has some."""


class RrdpServer:
    """Serves an `RrdpPublication` until closed; a context manager, with a thread and a port of its own.

    `ca_file` is what clients must trust. `misbehave` maps paths to what answers there in place of the server.
    `requests` has the paths that were asked for, in order.
    """

    def __init__(self, keep: int = 10) -> None:
        self._place = tempfile.TemporaryDirectory(prefix="rpkival-rrdp-")
        self.ca_file = Path(self._place.name) / "ca.pem"
        self._tls = server_tls(self.ca_file, dt.datetime.now(dt.UTC))
        self.misbehave: dict[str, Misbehaviour] = {}
        self.requests: list[str] = []
        self._transports: weakref.WeakSet[asyncio.Transport] = weakref.WeakSet()
        self._started: Future[int] = Future()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="rrdp-server", daemon=True)
        self._thread.start()
        self.base = f"https://127.0.0.1:{self._started.result()}"
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
        try:
            await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=self._tls).start()
            self._started.set_result(runner.addresses[0][1])
            await self._stop.wait()
        finally:
            # Now, since a client that is gone never ends its TLS, and what aiohttp has closed cannot be aborted.
            for transport in list(self._transports):
                transport.abort()
            await runner.cleanup()
            await asyncio.sleep(0.1)  # what was let go, handshakes too, is closed in the loop's next turns

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request.path)
        if request.transport is not None:
            self._transports.add(request.transport)
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
