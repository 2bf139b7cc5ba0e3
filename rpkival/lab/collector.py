"""A route collector that speaks RIS Live's websocket protocol about the lab.

One thing it does that RIS Live does not: upon `ris_subscribe` it first sends what its peers have now, as UPDATEs of
this moment, so that whoever subscribes knows the state at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from rpkival.errors import ProtocolError
from rpkival.http_server import HttpServer, listen
from rpkival.lab.ris_messages import RisUpdate, envelope
from rpkival.lab.ris_subscription import Subscription
from rpkival.lab.topology import Address
from rpkival.lab.updates import Paths, updates_between
from rpkival.limits import (
    MAX_COLLECTOR_BACKLOG,
    MAX_COLLECTOR_CLIENTS,
    MAX_COLLECTOR_REQUEST_BYTES,
    MAX_COLLECTOR_SUBSCRIPTIONS,
)
from rpkival.log import Log
from rpkival.prefixes import Family

__all__ = ["Collector", "CollectorPeer"]

HOST_NAME: Final = "rrc-lab.rpkival.lab"
_PING_SECONDS: Final = 30.0
_GOODBYE_SECONDS: Final = 1.0

log = Log(__name__)


@dataclass(frozen=True, slots=True)
class CollectorPeer:
    """An AS that tells the collector its table: IPv4 routes from one address, IPv6 routes from the other."""

    asn: int
    addresses: tuple[tuple[Family, Address], ...]


class _Request(msgspec.Struct):
    type: str
    data: object = None


class Collector:
    """The tables of all peers, and the clients that follow them. `clock` gives unix seconds."""

    def __init__(self, host_name: str = HOST_NAME, *, clock: Callable[[], float] = time.time) -> None:
        self.host_name = host_name
        self._clock = clock
        self._tables: dict[CollectorPeer, Paths] = {}
        self._clients: set[_Client] = set()
        self._server: HttpServer | None = None
        self._number = 0

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> tuple[str, int]:
        """Listen; returns the address in use. Raises `UsageError` where the port is taken."""
        app = web.Application()
        app.router.add_get("/v1/ws/", self._serve)
        app.router.add_get("/v1/ws", self._serve)
        app.on_shutdown.append(self._dismiss)
        self._server = await listen(app, host, port, "The lab's route collector")
        return self._server.address

    async def close(self) -> None:
        """Say goodbye to all clients and stop listening."""
        if self._server is not None:
            await self._server.close()
            self._server = None

    def set_tables(self, tables: Mapping[CollectorPeer, Paths]) -> None:
        """What the peers have from now on; subscribers hear of the difference."""
        before, self._tables = self._tables, dict(tables)
        for peer, table in tables.items():
            for heard in self._heard(peer, before.get(peer, {}), table):
                for client in self._clients:
                    client.offer(heard)

    def clients(self) -> int:
        """How many are connected."""
        return len(self._clients)

    def state(self) -> Iterator[RisUpdate]:
        """What all peers have now, as if they told it now."""
        for peer, table in self._tables.items():
            yield from self._heard(peer, {}, table)

    def _heard(self, peer: CollectorPeer, before: Paths, after: Paths) -> Iterator[RisUpdate]:
        for family, address in peer.addresses:
            for update in updates_between(before, after, {family: address}):
                self._number += 1
                yield RisUpdate(self.host_name, address, peer.asn, self._clock(), self._number, update)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if len(self._clients) >= MAX_COLLECTOR_CLIENTS:
            return web.Response(status=503, text="Too many clients follow the lab's collector; try again later.\n")
        socket = web.WebSocketResponse(
            timeout=_GOODBYE_SECONDS, heartbeat=_PING_SECONDS, max_msg_size=MAX_COLLECTOR_REQUEST_BYTES
        )
        await socket.prepare(request)
        client = _Client(self, socket)
        self._clients.add(client)
        try:
            await client.run()
        finally:
            self._clients.discard(client)
        return socket

    async def _dismiss(self, _: web.Application) -> None:
        await asyncio.gather(*(client.dismiss() for client in self._clients))


class _Client:
    """One websocket: what it subscribed to, and what waits to be sent to it."""

    def __init__(self, collector: Collector, socket: web.WebSocketResponse) -> None:
        self._collector = collector
        self._socket = socket
        self._subscriptions: list[Subscription] = []
        self._backlog: asyncio.Queue[bytes] = asyncio.Queue(MAX_COLLECTOR_BACKLOG)
        self._too_slow = asyncio.Event()

    async def run(self) -> None:
        """Until either side ends it."""
        tasks = [asyncio.create_task(work) for work in (self._listen(), self._send(), self._too_slow.wait())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except ConnectionError as error:
            log.info("collector_client_lost", reason=str(error))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._too_slow.is_set():
                await self._complain()

    def offer(self, heard: RisUpdate) -> None:
        """Send it if the client wants it; the union of its subscriptions counts."""
        if any(subscription.matches(heard) for subscription in self._subscriptions):
            # As at RIS Live, the last subscription's socket options hold for all.
            self._say(heard.message(include_raw=self._subscriptions[-1].include_raw))

    async def dismiss(self) -> None:
        """The collector closes."""
        await self._socket.close(code=WSCloseCode.GOING_AWAY, message=b"the lab ends", drain=False)

    async def _complain(self) -> None:
        sentence = f"You are too slow: more than {MAX_COLLECTOR_BACKLOG} messages wait for you."
        log.warning("collector_client_too_slow", backlog=MAX_COLLECTOR_BACKLOG)
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await self._socket.send_str(envelope("ris_error", {"message": sentence}).decode())
        await self._socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"too slow", drain=False)

    async def _listen(self) -> None:
        async for message in self._socket:
            if message.type is not WSMsgType.TEXT:
                break
            try:
                self._obey(msgspec.json.decode(message.data, type=_Request))
            except (msgspec.MsgspecError, RecursionError, ProtocolError) as error:
                self._say(envelope("ris_error", {"message": str(error)}))

    def _obey(self, request: _Request) -> None:
        match request.type:
            case "ris_subscribe":
                self._subscribe(Subscription.parse(request.data))
            case "ris_unsubscribe":
                unwanted = Subscription.parse(request.data)
                self._subscriptions = [each for each in self._subscriptions if each.asked != unwanted.asked]
            case "request_rrc_list":
                self._say(envelope("ris_rrc_list", [self._collector.host_name]))
            case "ping":
                self._say(envelope("pong", None))
            case other:
                raise ProtocolError(f"Requests of type {other[:100]!r} are not known.")

    def _subscribe(self, subscription: Subscription) -> None:
        if len(self._subscriptions) >= MAX_COLLECTOR_SUBSCRIPTIONS:
            raise ProtocolError(f"One client can have {MAX_COLLECTOR_SUBSCRIPTIONS} subscriptions; unsubscribe first.")
        self._subscriptions.append(subscription)
        if subscription.acknowledge:
            options = {"includeRaw": subscription.include_raw, "acknowledge": True}
            self._say(envelope("ris_subscribe_ok", {"subscription": subscription.asked, "socketOptions": options}))
        for heard in self._collector.state():
            if subscription.matches(heard):
                self._say(heard.message(include_raw=subscription.include_raw))

    def _say(self, message: bytes) -> None:
        try:
            self._backlog.put_nowait(message)
        except asyncio.QueueFull:
            self._too_slow.set()

    async def _send(self) -> None:
        while True:
            await self._socket.send_str((await self._backlog.get()).decode())
