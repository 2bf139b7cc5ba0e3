"""`rpkival up`: starts the rooms in the order in which they need each other, and ends them in the reverse."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import structlog

from feeds.ris_live import RisLive, Subscription
from rpkival.alerts.deliverer import Deliverer
from rpkival.alerts.webhook import Endpoint
from rpkival.config import Config
from rpkival.daemon.board import Board
from rpkival.daemon.following import follow, subscription_to, watch_silence
from rpkival.daemon.job import Job
from rpkival.daemon.validator import Validator
from rpkival.monitor.expectations import Expectations, Own
from rpkival.monitor.monitor import Monitor
from rpkival.monitor.store import IncidentStore
from rpkival.origin.index import OriginIndex
from rpkival.rtr.server import RtrServer
from rpkival.storage import DATABASE_NAME, hold_directory, open_database
from web.app import make_app, start
from web.view import View

__all__ = ["Addresses", "Service"]

_RESTART_SECONDS = 5.0

_EXPIRE_SECONDS = 60.0
"""How often expired VRPs are looked for: between validations, and when they fail or hang, signed dates still count."""

log = structlog.get_logger("rpkival")

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where everything listens."""

    rtr: Address
    http: Address


class Service:
    """One `rpkival up`. `job` says what to validate, `view` is what the page shows."""

    def __init__(
        self,
        config: Config,
        data_dir: Path,
        job: Job,
        view: View,
        *,
        rtr: Address,
        http: Address,
        endpoints: tuple[Endpoint, ...] = (),
    ) -> None:
        self._config = config
        self._data_dir = data_dir
        self._job = job
        self._view = view
        self._rtr, self._http = rtr, http
        self._endpoints = endpoints
        self._own = Own.of(config.monitor.own)
        self._stack = AsyncExitStack()
        self._tasks: set[asyncio.Task[None]] = set()
        self._monitor: Monitor | None = None
        self._feed: RisLive | None = None
        self._subscription: Subscription | None = None
        self._following: tuple[asyncio.Task[None], ...] = ()
        self._listeners: list[Callable[[], None]] = []

    def on_payload(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each new payload; the view already has it."""
        self._listeners.append(listener)

    async def start(self) -> Addresses:
        """Listen, restore what there is, begin to validate. Raises `UsageError`, `StateError`."""
        try:
            return await self._start()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """End everything; routers keep what they have."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._stack.aclose()

    async def _start(self) -> Addresses:
        self._stack.enter_context(hold_directory(self._data_dir))
        database = open_database(self._data_dir / DATABASE_NAME)
        self._stack.callback(database.close)
        self._store = IncidentStore(database)
        # Before the first incident: an endpoint is told what happens after it became known.
        self._deliverer = Deliverer(database, self._endpoints)
        self._board = Board(self._data_dir, self._view, self._payload_changed)
        self._server = RtrServer(self._board.cache, notify_seconds=self._config.rtr.notify_interval)
        rtr = await self._server.start(*self._rtr)
        self._stack.push_async_callback(self._server.close)
        self._view.incidents = self._store
        self._view.routers = self._server.sessions
        runner, http = await start(make_app(self._view), *self._http)
        self._stack.push_async_callback(runner.cleanup)
        self._url = f"http://{http[0]}:{http[1]}"
        self._view.feeds = lambda: (self._feed.status,) if self._feed else ()
        await self._board.restore(time.time())
        validator = Validator(self._job, self._config.validation.refresh, self._board.take)
        self._keep("validate", validator.run)
        self._keep("deliver", self._deliverer.run)
        self._keep("expire", self._expire)
        return Addresses(rtr, http)

    async def _expire(self) -> None:
        while True:
            await asyncio.sleep(_EXPIRE_SECONDS)
            await self._board.expire(time.time())

    def _payload_changed(self) -> None:
        self._server.notify()
        snapshot, index = self._view.snapshot, self._view.index
        assert snapshot is not None
        assert index is not None
        if self._own.asns or self._own.prefixes:
            self._watch(Expectations.build(snapshot.vrps, self._own), index)
        for listener in self._listeners:
            listener()

    def _watch(self, expectations: Expectations, index: OriginIndex) -> None:
        """Judge by these from now on. Only the first payload starts it: before, nothing could be judged."""
        if self._monitor is None:
            self._monitor = Monitor(
                self._store,
                expectations=expectations,
                index=index,
                url_base=self._config.http.public_url or self._url,
                min_peers=self._config.monitor.min_peers,
            )
        else:
            self._monitor.update(expectations, index)
        subscription = subscription_to(expectations)
        if subscription != self._subscription and "ris-live" in self._config.monitor.feeds:
            self._subscription = subscription
            self._follow(RisLive(self._config.monitor.ris_live_url, subscribe=subscription), self._monitor)

    def _follow(self, feed: RisLive, monitor: Monitor) -> None:
        """Follow this feed in place of the one before, which asked for other prefixes."""
        for task in self._following:
            task.cancel()
        self._feed = feed
        self._following = (
            self._keep("follow", lambda: follow(feed, monitor)),
            self._keep("silence", lambda: watch_silence(feed, self._deliverer.outbox)),
        )

    def _keep(self, name: str, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        """Run `work` until the end; what breaks in one room is logged, and the others go on."""

        async def again_and_again() -> None:
            while True:
                try:
                    await work()
                except Exception:
                    log.exception("task_failed", task=name)
                await asyncio.sleep(_RESTART_SECONDS)

        task = asyncio.create_task(again_and_again(), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
