"""Feeds to the monitor: every batch judged, every silence told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

import structlog

from feeds.ris_live import Subscription
from feeds.route_batch import RouteBatch
from feeds.status import FeedStatus
from rpkival.alerts.outbox import Outbox
from rpkival.errors import StateError
from rpkival.limits import MAX_RIS_PREFIXES
from rpkival.monitor.expectations import Expectations
from rpkival.monitor.monitor import Monitor

__all__ = ["Feed", "follow", "subscription_to", "watch_silence"]

_LOOK_SECONDS = 5.0

log = structlog.get_logger("rpkival.monitor")


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


async def follow(feed: Feed, monitor: Monitor) -> None:
    """Judge what a feed yields, until cancelled."""
    async for batches in feed.batches():
        for batch in batches:
            try:
                changes = monitor.process(batch, time.time())
            except StateError as error:
                log.error("batch_not_judged", feed=feed.status.name, error=str(error))
                continue
            for change in changes:
                log.warning(
                    "incident",
                    change=change.change,
                    id=change.incident.id,
                    kind=change.incident.kind,
                    prefix=change.incident.prefix,
                    origin=change.incident.observed.origin,
                    rpki=change.incident.rpki.state,
                )


async def watch_silence(feed: Feed, outbox: Outbox) -> None:
    """Put `feed.stale` into the outbox whenever a feed that was live falls silent, until cancelled."""
    was_live = False
    while True:
        status = feed.status
        is_live = status.state == "live"
        if was_live and status.state in {"stale", "down"}:
            data = {"feed": status.name, "state": status.state, "last_message": status.last_message, "url": status.url}
            outbox.enqueue("feed.stale", data, time.time())
            log.error("feed_stale", feed=status.name, state=status.state)
        if is_live or status.state in {"stale", "down"}:
            was_live = is_live
        await asyncio.sleep(_LOOK_SECONDS)
