"""RIS Live: the RIPE NCC's collectors over a websocket, about a second behind the routers.

One task follows the server: it connects, subscribes, puts raw messages into a bounded queue, and connects again when
the connection ends or falls silent. The consumer takes what has gathered, decodes it at once and hands it on. A server
may say anything and a network may do anything; the feed goes on, and `status` tells how it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec
import structlog
from yarl import URL

from feeds.ris_message import decode_messages
from feeds.route_batch import RouteBatch
from feeds.status import FeedState, FeedStatus
from rpkival.errors import LimitError
from rpkival.http_fault import http_fault
from rpkival.limits import (
    MAX_RIS_ASNS,
    MAX_RIS_BATCH_MESSAGES,
    MAX_RIS_MESSAGE_BYTES,
    MAX_RIS_PENDING_MESSAGES,
    MAX_RIS_PREFIXES,
    RIS_SILENCE_SECONDS,
)

__all__ = ["RIS_LIVE_URL", "RisLive", "Subscription", "Timing"]

RIS_LIVE_URL = "wss://ris-live.ripe.net/v1/ws/"

_CLOSE_SECONDS = 2.0
"""How long a server may take over its goodbye; one that fell silent has none."""

log = structlog.get_logger("feeds.ris_live")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """What to hear of; the default is everything.

    `host`: one collector, as `rrc00`. `prefixes`: these, their more specifics too, and `less_specific` ones if wanted.
    `asns`: any path that has one of them. A route is sent if it has one of the prefixes or one of the ASes.
    """

    host: str | None = None
    prefixes: tuple[str, ...] = ()
    asns: tuple[int, ...] = ()
    more_specific: bool = True
    less_specific: bool = False

    def __post_init__(self) -> None:
        """Raise `LimitError` for more than the server should be asked for."""
        for name, given, limit in (("prefixes", self.prefixes, MAX_RIS_PREFIXES), ("ASes", self.asns, MAX_RIS_ASNS)):
            if len(given) > limit:
                raise LimitError(
                    f"A RIS Live subscription names {len(given)} {name}, and no server should be asked for more than "
                    f"{limit}; subscribe to everything instead."
                )

    @property
    def everything(self) -> bool:
        """True where no filter holds messages back, so that silence is a sign of trouble."""
        return not (self.prefixes or self.asns)

    def requests(self) -> list[bytes]:
        """The `ris_subscribe` messages; the server sends the union of what they ask for."""
        common: dict[str, Any] = {"type": "UPDATE"} | ({"host": self.host} if self.host else {})
        filters: list[dict[str, Any]] = [{"path": str(asn)} for asn in self.asns]
        if self.prefixes:
            specific = {"moreSpecific": self.more_specific, "lessSpecific": self.less_specific}
            filters.append({"prefix": list(self.prefixes)} | specific)
        return [msgspec.json.encode({"type": "ris_subscribe", "data": common | wanted}) for wanted in filters or [{}]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds. `silence`: without a message for so long, a subscription to everything is stale; None is never.

    `ping`: how often the connection is tried; it is given up when no answer comes within half of it. `gather`: how long
    messages gather before they are handed on. `backoff`: the first wait before connecting again and the longest; each
    wait is the double of the last, and a random part of it is left out so that clients do not come back as one.
    """

    connect: float = 10.0
    silence: float | None = RIS_SILENCE_SECONDS
    ping: float = 30.0
    gather: float = 0.2
    backoff: tuple[float, float] = (1.0, 60.0)


class RisLive:
    """Follows one RIS Live server; `status` is always current."""

    def __init__(
        self,
        url: str = RIS_LIVE_URL,
        *,
        client: str = "rpkival",
        subscribe: Subscription | None = None,
        timing: Timing | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.status = FeedStatus("ris-live", url)
        self._url = URL(url).update_query(client=client)
        self._subscribe = subscribe or Subscription()
        self._timing = timing or Timing()
        self._clock = clock
        self._pending: deque[bytes | str] = deque()
        self._arrived = asyncio.Event()
        self._dropped_untold = 0

    async def batches(self) -> AsyncIterator[tuple[RouteBatch, ...]]:
        """The routes as they come, in tuples of one batch for each family and collector; ends only when cancelled.

        A consumer that is slower than the feed loses the oldest messages, which `status.dropped` counts.
        """
        follower = asyncio.create_task(self._follow(), name="ris-live")
        try:
            while True:
                await self._some_arrived(follower)
                taken = [self._pending.popleft() for _ in range(min(len(self._pending), MAX_RIS_BATCH_MESSAGES))]
                if batches := self._decoded(taken):
                    yield batches
        finally:
            follower.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await follower

    async def _some_arrived(self, follower: asyncio.Task[None]) -> None:
        """Wait for a message, then a little for those right behind it."""
        if not self._pending:
            self._arrived.clear()
            arrived = asyncio.ensure_future(self._arrived.wait())
            try:
                await asyncio.wait({arrived, follower}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                arrived.cancel()
            if follower.done():
                # It ends by a fault of ours alone, and that must not look like a silent feed.
                follower.result()
        if len(self._pending) < MAX_RIS_BATCH_MESSAGES:
            await asyncio.sleep(self._timing.gather)

    def _decoded(self, messages: list[bytes | str]) -> tuple[RouteBatch, ...]:
        decoded = decode_messages(messages)
        self.status.malformed += decoded.malformed
        self.status.routes += sum(len(batch) for batch in decoded.batches)
        if decoded.malformed:
            log.warning("messages_malformed", url=self.status.url, count=decoded.malformed)
        for error in decoded.errors:
            self.status.error = f"RIS Live says: {error}"
            log.warning("server_error", url=self.status.url, error=error)
        if self._dropped_untold:
            log.warning("messages_dropped", url=self.status.url, count=self._dropped_untold)
            self._dropped_untold = 0
        return decoded.batches

    async def _follow(self) -> None:
        """Connect again and again, waiting longer after each attempt that brought nothing."""
        first, longest = self._timing.backoff
        fruitless = 0
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=self._timing.connect)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                before = self.status.messages
                try:
                    async with asyncio.timeout(self._timing.connect):
                        socket = await session.ws_connect(
                            self._url,
                            heartbeat=self._timing.ping,
                            max_msg_size=MAX_RIS_MESSAGE_BYTES,
                            timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_SECONDS),
                        )
                    async with socket:
                        state, why = await self._listen(socket)
                except TimeoutError:
                    state, why = "down", f"no answer within {self._timing.connect:g} seconds"
                except (aiohttp.ClientError, OSError) as error:
                    state, why = "down", http_fault(error)
                self._lost(state, why)
                fruitless = 0 if self.status.messages > before else fruitless + 1
                wait = min(longest, first * 2 ** min(fruitless, 16))
                await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - spreads clients, keeps no secret
                self.status.reconnects += 1

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> tuple[FeedState, str]:
        """Subscribe and queue messages until the connection ends; the state that this leaves, and a reason."""
        self.status.connected_since = self._clock()
        log.info("connected", url=self.status.url)
        for request in self._subscribe.requests():
            await socket.send_str(request.decode())
        silence = self._timing.silence if self._subscribe.everything else None
        if silence is None:
            self._live()
        while True:
            try:
                message = await socket.receive(timeout=silence)
            except TimeoutError:
                return "stale", f"no message for {silence:g} seconds"
            if message.type in {aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY}:
                self._queue(message.data)
            else:
                reason = message.extra or socket.exception() or f"code {socket.close_code}"
                return "down", f"the server ended the connection ({reason})"

    def _queue(self, message: bytes | str) -> None:
        self._live()
        self.status.messages += 1
        self.status.last_message = self._clock()
        if len(self._pending) >= MAX_RIS_PENDING_MESSAGES:
            self._pending.popleft()
            self.status.dropped += 1
            self._dropped_untold += 1
        self._pending.append(message)
        self._arrived.set()

    def _live(self) -> None:
        if self.status.state != "live":
            self.status.state, self.status.error = "live", None
            log.info("live", url=self.status.url)

    def _lost(self, state: FeedState, why: str) -> None:
        self.status.state = state
        self.status.connected_since = None
        self.status.error = f"RIS Live at {self.status.url}: {why}."
        log.warning("lost", url=self.status.url, state=state, why=why)
