"""One played router's connection: an asyncio protocol that waits for what its cache says next."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import cast

from rpkival.errors import ProtocolError
from rpkival.rtr.load.answers import Answers, Event
from rpkival.rtr.load.measures import Measures

__all__ = ["Wire"]


class Wire(asyncio.Protocol):
    """`rate` in octets a second is how fast the router reads; None: as fast as it can."""

    def __init__(self, measures: Measures, rate: float | None = None) -> None:
        self._measures = measures
        self._rate = rate
        self._answers = Answers()
        self._events: deque[tuple[float, Event]] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._end: Exception | None = None
        self.taken = 0
        """Octets that came so far."""

    def send(self, data: bytes) -> None:
        """Send a query."""
        self._transport.write(data)

    def drop(self) -> None:
        """Cut the connection, whatever is under way."""
        self._transport.abort()

    async def next(self) -> tuple[float, Event]:
        """When something came (by the loop's clock) and what. Raises `ConnectionError` and `ProtocolError`."""
        while not self._events:
            if self._end is not None:
                raise self._end
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self._events.popleft()

    # --- asyncio.Protocol ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        self.taken += len(data)
        self._measures.octets += len(data)
        before = self._answers.records
        try:
            self._events.extend((loop.time(), event) for event in self._answers.receive(data))
        except ProtocolError as error:
            self._end = error
            self._transport.abort()
        self._measures.records += self._answers.records - before
        if self._rate is not None:
            self._transport.pause_reading()
            loop.call_later(len(data) / self._rate, self._read_on)
        if self._events or self._end:
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end = self._end or ConnectionError(f"the connection ended: {exc or 'closed by the cache'}")
        self._wake()

    def _read_on(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)
