"""A webhook receiver on loopback that verifies with an independent implementation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from standardwebhooks.webhooks import Webhook

from rpkival.alerts.signature import Secret
from rpkival.alerts.webhook import Endpoint
from rpkival.http_server import HttpServer, listen


@dataclass
class Receiver:
    """Answers with `status` (and `headers`), keeps what it verified."""

    secret: Secret
    url: str = ""
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    received: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    requests: int = 0
    patience: float = 0.0
    says: str = "thanks"
    arrivals: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    def endpoint(self, *secrets: Secret) -> Endpoint:
        """How to reach it: loopback, allowed by address."""
        return Endpoint(self.url, secrets or (self.secret,), allow=("127.0.0.1",))

    async def handle(self, request: web.Request) -> web.Response:
        """Verify with `standardwebhooks`; a bad signature is an exception, so a 500."""
        self.requests += 1
        body = await request.read()
        message = Webhook(self.secret.text()).verify(body, dict(request.headers))
        self.received.append((request.headers["webhook-id"], message))
        self.bodies.append(body)
        self.arrivals.put_nowait(request.headers["webhook-id"])
        await asyncio.sleep(self.patience)
        return web.Response(status=self.status, headers=self.headers, text=None if self.status == 204 else self.says)


StartReceiver = Callable[[], Coroutine[Any, Any, Receiver]]


@pytest.fixture
async def start_receiver() -> AsyncIterator[StartReceiver]:
    """`await start_receiver()` on an ephemeral port; ended with the test."""
    servers: list[HttpServer] = []

    async def start() -> Receiver:
        receiver = Receiver(Secret.new())
        app = web.Application()
        app.router.add_post("/hook", receiver.handle)
        server = await listen(app, "127.0.0.1", 0, "The receiver")
        servers.append(server)
        receiver.url = f"{server.url}/hook"
        return receiver

    yield start
    for server in servers:
        await server.close()
