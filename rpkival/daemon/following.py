"""Feeds to the monitor: every batch judged, time passing in between, every silence told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol

from feeds.ris_live import Subscription
from feeds.route_batch import RouteBatch
from feeds.status import FeedStatus
from rpkival.alerts.outbox import Outbox
from rpkival.errors import StateError
from rpkival.limits import MAX_RIS_PREFIXES
from rpkival.log import Log
from rpkival.monitor.expectations import Expectations
from rpkival.monitor.incidents import IncidentChange
from rpkival.monitor.monitor import Monitor

__all__ = ["Feed", "follow", "subscription_to", "watch_silence"]

_TICK_SECONDS = 2.0
"""Without a message for so long, the monitor is told the time: all-clears and new VRPs must not wait for a feed."""

_BACKOFF_SECONDS = (1.0, 60.0)
"""The first wait before a batch that could not be written is given again, and the longest; each doubles the last."""

_LOOK_SECONDS = 5.0

_GRACE_SECONDS = 60.0
"""How long a feed may take to come up before that is told: some attempts, and a network that starts after us."""

log = Log("rpkival.monitor")


class Feed(Protocol):
    """What every live feed offers."""

    @property
    def status(self) -> FeedStatus: ...

    def batches(self) -> AsyncIterator[Sequence[RouteBatch]]: ...


def subscription_to(expectations: Expectations) -> Subscription | None:
    """What touches our prefixes, where the server can be asked for so many; else everything. None without prefixes."""
    prefixes = (*expectations.ipv4.prefixes.texts(), *expectations.ipv6.prefixes.texts())
    if not prefixes:
        return None
    return Subscription(prefixes=prefixes if len(prefixes) <= MAX_RIS_PREFIXES else ())


def _log_change(change: IncidentChange) -> None:
    incident = change.incident
    log.warning(
        "incident",
        change=change.change,
        id=incident.id,
        kind=incident.kind,
        prefix=incident.prefix,
        origin=incident.observed.origin,
        rpki=incident.rpki.state,
    )


async def follow(
    feed: Feed,
    monitor: Monitor,
    tell: Callable[[IncidentChange], None] = _log_change,
    *,
    tick: float = _TICK_SECONDS,
    backoff: tuple[float, float] = _BACKOFF_SECONDS,
) -> None:
    """Judge what a feed yields until it ends or this is cancelled, and let the monitor's time pass where it is silent.

    What cannot be written is given again until it can; meanwhile the feed queues, and counts what it has to drop.
    """
    source = feed.batches()
    while True:
        arrival = asyncio.ensure_future(anext(source))
        try:
            while not (await asyncio.wait({arrival}, timeout=tick))[0]:
                await _judge(monitor, None, tell, backoff)
        finally:
            if not arrival.done():
                arrival.cancel()
                await asyncio.wait({arrival})
        try:
            batches = arrival.result()
        except StopAsyncIteration:
            return
        for batch in batches:
            await _judge(monitor, batch, tell, backoff)


async def _judge(
    monitor: Monitor, batch: RouteBatch | None, tell: Callable[[IncidentChange], None], backoff: tuple[float, float]
) -> None:
    wait, longest = backoff
    while True:
        try:
            changes = monitor.tick(time.time()) if batch is None else monitor.process(batch, time.time())
        except StateError as error:
            log.error("batch_not_judged", again_in=wait, error=str(error))
            await asyncio.sleep(wait)
            wait = min(2 * wait, longest)
        else:
            for change in changes:
                tell(change)
            return


async def watch_silence(
    feed: Feed, outbox: Outbox, *, look: float = _LOOK_SECONDS, grace: float = _GRACE_SECONDS
) -> None:
    """Put `feed.stale` into the outbox, once for each silence, until cancelled.

    A silence begins where a feed that was live is stale or down, or where one has not come up within `grace` seconds.
    """
    up_by = time.monotonic() + grace
    told = False
    while True:
        status = feed.status
        if status.state == "live":
            up_by, told = 0.0, False
        elif status.state != "connecting" and not told and time.monotonic() >= up_by:
            told = _tell_silence(status, outbox)
        await asyncio.sleep(look)


def _tell_silence(status: FeedStatus, outbox: Outbox) -> bool:
    """Whether it is written now."""
    data = {"feed": status.name, "state": status.state, "last_message": status.last_message, "url": status.url}
    try:
        outbox.enqueue("feed.stale", data, time.time())
    except StateError as error:
        log.error("feed_stale_not_told", feed=status.name, state=status.state, error=str(error))
        return False
    log.error("feed_stale", feed=status.name, state=status.state)
    return True
