"""`rpkival up`: starts the rooms in the order in which they need each other, and ends them in the reverse."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import msgspec

from rpkival.alerts.outbox import Outbox
from rpkival.alerts.webhook import Endpoint
from rpkival.config import Config
from rpkival.daemon.board import Board
from rpkival.daemon.guarding import Held
from rpkival.daemon.job import Job
from rpkival.daemon.local_exceptions import LocalExceptions
from rpkival.daemon.rtr import doors_of, server_of, timers_of
from rpkival.daemon.tasks import Tasks
from rpkival.daemon.validator import Validator
from rpkival.daemon.watch import Watch
from rpkival.errors import StateError
from rpkival.history.store import History
from rpkival.listening import shown_listen
from rpkival.log import Log
from rpkival.monitor.expectations import Own
from rpkival.payload.guard import Thresholds
from rpkival.rtr.doors import Door, open_doors
from rpkival.storage import DATABASE_NAME, hold_directory, open_database
from web.app import make_app, start
from web.view import View

__all__ = ["Addresses", "Service"]

_EXPIRE_SECONDS = 60.0
"""How often expired VRPs are looked for: between validations, and when they fail or hang, signed dates still count."""

_RELEASE_SECONDS = 2.0
"""How often an operator's release of what the guard holds is looked for."""

_EXCEPTIONS_SECONDS = 1.0
"""How often SLURM files are looked at; they are read when they changed and then stood still for one look."""

_FORGET_SECONDS = 3600.0
"""How often old history is dropped."""

log = Log("rpkival")

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where everything listens."""

    rtr: tuple[Door, ...]
    http: Address

    @property
    def url(self) -> str:
        """Of the page."""
        return f"http://{shown_listen(self.http)}"

    def told(self) -> list[str]:
        """A line for each."""
        doors = (f"{'RTR over TLS' if door.tls else 'RTR for routers':20} {door}" for door in self.rtr)
        return [f"{'page, API, metrics':20} {self.url}", *doors]


class Service:
    """One `rpkival up`. `job` says what to validate, `view` is what the page shows.

    `held` says that the caller already holds the data directory against other processes.
    """

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
        held: bool = False,
    ) -> None:
        self._config = config
        self._data_dir = data_dir
        self._job = job
        self._view = view
        self._rtr, self._http = rtr, http
        self._endpoints = endpoints
        self._held = held
        self._own = Own.of(config.monitor.own)
        self._stack = AsyncExitStack()
        self._outbox: Outbox | None = None
        self._tasks = Tasks()
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
        await self._tasks.end()
        await self._stack.aclose()

    async def _start(self) -> Addresses:
        if not self._held:
            self._stack.enter_context(hold_directory(self._data_dir))
        guard = self._config.guard
        shares, leasts = (guard.anchor_share, guard.total_share), (guard.least, guard.least_of_others)
        thresholds = Thresholds(*shares, *leasts) if guard.enabled else None
        self._local = LocalExceptions(self._config.slurm.files, self._data_dir, self._view)
        self._board = Board(
            self._data_dir,
            self._view,
            self._payload_changed,
            thresholds=thresholds,
            on_held=self._alert_of_held,
            local=self._local,
            timers=timers_of(self._config.rtr),
        )
        self._server = server_of(self._config.rtr, self._board.cache)
        self._stack.push_async_callback(self._server.close)
        rtr = await open_doors(self._server, doors_of(self._config.rtr, self._rtr))
        self._view.routers = self._server.sessions
        self._view.aspas_not_served = lambda: self._board.cache.aspas_not_served
        self._view.changes_since = self._board.cache.changes_since
        page = await start(make_app(self._view), *self._http)
        self._stack.push_async_callback(page.close)
        addresses = Addresses(rtr, page.address)
        self._open_watch(addresses.url)
        await self._board.restore(time.time())
        validator = Validator(self._job, self._config.validation.refresh, self._board.take, self._view.troubles)
        self._tasks.keep("validate", validator.run)
        self._tasks.keep("expire", self._expire)
        self._tasks.keep("release", self._release)
        if self._config.slurm.files:
            self._tasks.keep("exceptions", self._follow_exceptions)
        return addresses

    def _open_watch(self, url: str) -> None:
        """Watch for hijacks; a database that cannot be used stops that, loudly, and not the routers' supply."""
        try:
            database = open_database(self._data_dir / DATABASE_NAME)
        except StateError as error:
            log.error("nobody_watches", error=str(error))
            self._view.troubles["alerts"] = f"Hijacks are not watched and no alert is sent: {error}"
            return
        self._stack.callback(database.close)
        self._outbox = Outbox(database)
        if self._config.history.days:
            self._view.history = History(database)
            self._tasks.keep("forget", self._forget)
        watch = Watch(self._config, self._own, database, self._endpoints, url, self._view, self._tasks)
        self.on_payload(watch.payload_changed)

    def _alert_of_held(self, held: Held) -> None:
        if self._outbox is not None:
            data = {"id": held.id, "holds": msgspec.to_builtins(held.holds), "sentence": held.sentence}
            self._outbox.enqueue("payload.held", data, time.time())

    async def _release(self) -> None:
        while True:
            await asyncio.sleep(_RELEASE_SECONDS)
            await self._board.release(time.time())

    async def _follow_exceptions(self) -> None:
        while True:
            await asyncio.sleep(_EXCEPTIONS_SECONDS)
            if await asyncio.to_thread(self._local.look):
                await self._board.apply_exceptions(time.time())

    async def _forget(self) -> None:
        """Drop what is older than the history is to be."""
        while self._view.history is not None:
            before = time.time() - self._config.history.days * 86400
            await asyncio.to_thread(self._view.history.prune, before)
            await asyncio.sleep(_FORGET_SECONDS)

    async def _expire(self) -> None:
        while True:
            await asyncio.sleep(_EXPIRE_SECONDS)
            await self._board.expire(time.time())

    def _payload_changed(self) -> None:
        self._server.notify()
        self._view.news.announce()
        for listener in self._listeners:
            try:
                listener()
            except Exception:
                # What goes wrong in one room must not keep the payload from the others.
                log.exception("payload_not_taken")
