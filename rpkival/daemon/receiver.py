"""The lab's receiver of alerts: what the other end of a webhook does, and a line on the terminal for each."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable

from aiohttp import web

from rpkival.alerts.signature import Secret, sign
from rpkival.http_server import HttpServer, listen
from rpkival.limits import MAX_WEBHOOK_BODY

__all__ = ["Receiver"]


class Receiver:
    """Verifies each delivery against `secret` and tells `show` its type and data; forgeries get 401."""

    def __init__(self, secret: Secret, show: Callable[[str, dict[str, object]], None]) -> None:
        self._secret = secret
        self._show = show
        self._seen: set[str] = set()
        self._server: HttpServer | None = None

    async def start(self, host: str = "127.0.0.1") -> str:
        """Listen on a free port; returns the URL to send to."""
        app = web.Application(client_max_size=MAX_WEBHOOK_BODY)
        app.router.add_post("/alerts", self._receive)
        self._server = await listen(app, host, 0, "The lab's receiver of alerts")
        return f"{self._server.url}/alerts"

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            await self._server.close()

    async def _receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        message_id = request.headers.get("webhook-id", "")
        timestamp = request.headers.get("webhook-timestamp", "")
        if not timestamp.isdecimal():
            return web.Response(status=401, text="no timestamp")
        expected = sign((self._secret,), message_id, int(timestamp), body)
        offered = request.headers.get("webhook-signature", "").split(" ")
        if not any(hmac.compare_digest(expected.encode(), signature.encode()) for signature in offered):
            return web.Response(status=401, text="not signed by us")
        if message_id not in self._seen:  # delivery is at least once
            self._seen.add(message_id)
            message = json.loads(body)
            self._show(message["type"], message["data"])
        return web.Response(status=204)
