"""The one loop that empties the outbox."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from urllib.parse import urlsplit

import aiohttp

from rpkival.alerts.message import compose
from rpkival.alerts.outbox import Delivery, Outbox
from rpkival.alerts.schedule import after_attempt
from rpkival.alerts.webhook import Endpoint, open_session, post
from rpkival.errors import StateError
from rpkival.log import Log
from rpkival.storage import Database

__all__ = ["Deliverer"]

_LONGEST_SLEEP = 5.0
"""Seconds after which we look even if nobody woke us: another process may have written."""

_PRUNE_INTERVAL = 3600.0

log = Log("rpkival.alerts")


class Deliverer:
    """Delivers to each endpoint one event at a time, and to all endpoints at once.

    Make it before the first event: an endpoint is told what happens after it became known.
    """

    def __init__(
        self,
        database: Database,
        endpoints: Sequence[Endpoint],
        *,
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.outbox = Outbox(database)
        self._endpoints = {self.outbox.register(endpoint.url): endpoint for endpoint in endpoints}
        self._clock, self._chance = clock, chance

    async def run(self) -> None:
        """Deliver until cancelled; each endpoint at its own pace."""
        loop = asyncio.get_running_loop()
        wakes = {number: asyncio.Event() for number in self._endpoints}

        def someone_wrote() -> None:
            for wake in wakes.values():
                loop.call_soon_threadsafe(wake.set)

        forget = self.outbox.database.on_commit(someone_wrote)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._prune())
                for number, wake in wakes.items():
                    tasks.create_task(self._serve(number, wake))
        finally:
            forget()

    async def _serve(self, number: int, wake: asyncio.Event) -> None:
        """Deliver to one endpoint, and sleep until its next delivery is due or something is written."""
        while True:
            wake.clear()
            sleep = _LONGEST_SLEEP
            try:
                await self._deliver_to(number, self._clock())
                due = self.outbox.next_due(number)
                sleep = sleep if due is None else min(max(due - self._clock(), 0.0), sleep)
            except StateError as error:
                log.warning("outbox.unusable", reason=str(error))
            except Exception:
                # Our own fault, met by one endpoint: the alerts of the others must not wait for its repair.
                log.exception("delivery.failed", host=urlsplit(self._endpoints[number].url).hostname)
            with suppress(TimeoutError):
                async with asyncio.timeout(sleep):
                    await wake.wait()

    async def _prune(self) -> None:
        while True:
            with suppress(StateError):  # the deliveries beside it meet the same, and say so
                self.outbox.prune(self._clock())
            await asyncio.sleep(_PRUNE_INTERVAL)

    async def deliver_due(self, now: float) -> int:
        """Try everything that is due at `now` once; how many attempts that were."""
        counts = await asyncio.gather(*(self._deliver_to(number, now) for number in self._endpoints))
        return sum(counts)

    def next_due(self) -> float | None:
        """When the next attempt is due; None where nothing waits."""
        return min((due for n in self._endpoints if (due := self.outbox.next_due(n)) is not None), default=None)

    async def _deliver_to(self, number: int, now: float) -> int:
        def next_one() -> Delivery | None:
            return self.outbox.claim(number, now, begun=max(now, self._clock()))

        self.outbox.spread(number, now)
        delivery = next_one()
        if delivery is None:
            return 0
        endpoint, attempts = self._endpoints[number], 0
        async with open_session(endpoint) as session:
            while delivery is not None:
                await self._attempt(session, endpoint, delivery, now)
                attempts += 1
                delivery = next_one()
        return attempts

    async def _attempt(
        self, session: aiohttp.ClientSession, endpoint: Endpoint, delivery: Delivery, due: float
    ) -> None:
        body = compose(delivery.kind, delivery.created, delivery.data)
        answer = await post(session, endpoint, delivery.message_id, body, self._clock())
        now = max(self._clock(), due)
        outcome = after_attempt(answer, delivery.attempts, now, self._chance())
        self.outbox.record(delivery, answer, outcome, now)
        if outcome.state != "delivered":
            log.warning(
                "webhook.failed",
                host=urlsplit(endpoint.url).hostname,  # the rest of a URL may be a token
                id=delivery.message_id,
                attempt=delivery.attempts,
                status=answer.status,
                answer=answer.text[:200],
                disabled=outcome.disables,
                abandoned=outcome.state == "abandoned",
            )
