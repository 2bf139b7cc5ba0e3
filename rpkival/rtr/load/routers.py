"""Routers as they behave: those that follow, those that always begin anew, those that read slowly, those that go."""

from __future__ import annotations

import asyncio
import random
import ssl
from dataclasses import dataclass
from enum import StrEnum

from rpkival.errors import ProtocolError
from rpkival.rtr.errors import ErrorCode
from rpkival.rtr.load.measures import Measures
from rpkival.rtr.load.wire import Wire
from rpkival.rtr.pdu import (
    HIGHEST_VERSION,
    CacheReset,
    EndOfData,
    ErrorReport,
    PeerError,
    ResetQuery,
    SerialNotify,
    SerialQuery,
)

__all__ = ["Behaviour", "Load", "Router"]

_AGAIN_SECONDS = 1.0
"""Before a router that was refused or cut comes back."""


class Behaviour(StrEnum):
    """How a router behaves."""

    FOLLOW = "follow"
    RESET = "reset"
    SLOW = "slow"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Load:
    """What all routers share. `every`: seconds between queries of one router; `patience`: for one answer;
    `slow_rate`: octets a second that a slow router reads; `sources`: addresses of ours to connect from in turn.
    """

    host: str
    port: int
    every: float = 10.0
    patience: float = 120.0
    slow_rate: float = 64 * 1024
    version: int = HIGHEST_VERSION
    tls: ssl.SSLContext | None = None
    sources: tuple[str, ...] = ()


class Router:
    """One router; all of them write into the same `measures`."""

    def __init__(self, load: Load, behaviour: Behaviour, measures: Measures, number: int = 0) -> None:
        self._load = load
        self._source = (load.sources[number % len(load.sources)], 0) if load.sources else None
        self._behaviour = behaviour
        self._measures = measures
        self._version = load.version
        self._notified: float | None = None
        self.amid_answer = False

    async def live(self) -> None:
        """Connect, behave, and come back after whatever ends it, until cancelled."""
        while True:
            wire = None
            began = asyncio.get_running_loop().time()
            try:
                async with asyncio.timeout(self._load.patience):
                    wire = await self._connect(began)
                await self._behave(wire, began)
            except PeerError as error:
                if not self._steps_down(error):
                    self._measures.errors[f"Error Report {error.report.sentence()}"] += 1
            except TimeoutError:
                self._measures.errors[f"no answer in {self._load.patience:g} s"] += 1
            except (OSError, ProtocolError) as error:
                self._measures.errors[str(error)] += 1
            else:
                continue
            finally:
                self.amid_answer = False
                if wire is not None:
                    wire.drop()
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _connect(self, began: float) -> Wire:
        load, loop = self._load, asyncio.get_running_loop()
        rate = load.slow_rate if self._behaviour is Behaviour.SLOW else None
        _, wire = await loop.create_connection(
            lambda: Wire(self._measures, rate),
            load.host,
            load.port,
            ssl=load.tls,
            local_addr=self._source,
        )
        self._measures.connect.append(loop.time() - began)
        return wire

    async def _behave(self, wire: Wire, began: float) -> None:
        if self._behaviour is Behaviour.DROP:
            await self._drop(wire)
            return
        end = await self._reset(wire, began)
        while True:
            await self._wait_for_turn(wire)
            if self._behaviour is Behaviour.RESET:
                end = await self._reset(wire, asyncio.get_running_loop().time())
            else:
                end = await self._follow(wire, end)

    async def _drop(self, wire: Wire) -> None:
        """Go amid the answer, as a router does whose link fails."""
        wire.send(ResetQuery(self._version).serialize())
        await self._answer(wire, until_end=False)
        await asyncio.sleep(random.uniform(0, 0.1))  # noqa: S311 - no secret
        wire.drop()
        self._measures.drops += 1
        await asyncio.sleep(random.uniform(0, 2 * self._load.every))  # noqa: S311

    async def _reset(self, wire: Wire, began: float) -> EndOfData:
        wire.send(ResetQuery(self._version).serialize())
        ended, end = await self._answer(wire)
        if not isinstance(end, EndOfData):
            raise ProtocolError("the cache answered a Reset Query with Cache Reset")
        self._measures.full_sync.append(ended - began)
        return end

    async def _follow(self, wire: Wire, end: EndOfData) -> EndOfData:
        """Ask for what is new since `end`."""
        notified, self._notified = self._notified, None
        began = asyncio.get_running_loop().time() if notified is None else notified
        wire.send(SerialQuery(self._version, end.session_id, end.serial).serialize())
        ended, answer = await self._answer(wire)
        if not isinstance(answer, EndOfData):
            self._measures.cache_resets += 1
            return await self._reset(wire, asyncio.get_running_loop().time())
        (self._measures.poll if notified is None else self._measures.after_notify).append(ended - began)
        return answer

    async def _wait_for_turn(self, wire: Wire) -> None:
        """Until a Serial Notify, or until the time for the next query has come."""
        if self._notified is not None:
            return
        # Routers that came together must not ask together for ever.
        wait = self._load.every * random.uniform(0.5, 1.5)  # noqa: S311
        try:
            async with asyncio.timeout(wait):
                while self._notified is None:
                    self._take(await wire.next())
        except TimeoutError:
            return

    async def _answer(self, wire: Wire, *, until_end: bool = True) -> tuple[float, EndOfData | CacheReset | None]:
        """Its end and when it came; or, with `until_end` false, the first sign of it."""
        self.amid_answer = True
        async with asyncio.timeout(self._load.patience):
            while True:
                came, event = await wire.next()
                if isinstance(event, (EndOfData, CacheReset)):
                    self.amid_answer = False
                    return came, event
                self._take((came, event))
                if not until_end and not isinstance(event, SerialNotify):
                    return came, None

    def _take(self, told: tuple[float, object]) -> None:
        came, event = told
        if isinstance(event, ErrorReport):
            raise PeerError(event)
        if isinstance(event, SerialNotify):
            self._measures.notifies += 1
            if self._notified is None:
                self._notified = came

    def _steps_down(self, error: PeerError) -> bool:
        """Whether the cache only wants an older version (RFC 8210 section 7)."""
        if error.report.code != ErrorCode.UNSUPPORTED_VERSION or self._version == 0:
            return False
        self._version = min(error.report.version, self._version - 1)
        return True
