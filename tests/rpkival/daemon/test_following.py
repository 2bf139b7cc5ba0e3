"""Feeds to the monitor."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any

import msgspec
import pytest

from feeds.ris_message import decode_messages
from feeds.route_batch import RouteBatch
from feeds.status import FeedState, FeedStatus
from rpkival.alerts.outbox import Outbox
from rpkival.daemon.following import follow, subscription_to, watch_silence
from rpkival.monitor.expectations import Expectations, Own
from rpkival.monitor.incidents import IncidentChange
from rpkival.monitor.monitor import Monitor
from rpkival.monitor.store import IncidentStore
from rpkival.origin.index import OriginIndex
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.storage import Database, open_database

OWN = Own.of(["AS64496"])
ROA = Vrp("192.0.2.0/24", 24, 64496)
HIJACKER = Vrp("192.0.2.0/24", 24, 64666)
NO_SPACE = "CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(FAIL, 'disk is full'); END"


class Feed:
    """Yields what is put into `routes`, and is as `status` says."""

    def __init__(self) -> None:
        self.status = FeedStatus("test", "ws://test.example/")
        self.routes: asyncio.Queue[Sequence[RouteBatch]] = asyncio.Queue()
        self.closed = False

    async def batches(self) -> AsyncIterator[Sequence[RouteBatch]]:
        """As a live feed does."""
        try:
            while True:
                yield await self.routes.get()
        finally:
            self.closed = True

    def hijack(self) -> None:
        """One announcement of our prefix by somebody else."""
        update = {
            "timestamp": time.time(),
            "peer": "192.0.2.9",
            "peer_asn": "64500",
            "host": "rrc00",
            "type": "UPDATE",
            "path": [64500, 64666],
            "announcements": [{"next_hop": "192.0.2.9", "prefixes": ["192.0.2.0/24"]}],
        }
        message = msgspec.json.encode({"type": "ris_message", "data": update})
        self.routes.put_nowait(decode_messages([message]).batches)


@pytest.fixture
def database() -> Database:
    """One in memory."""
    return open_database(None)


@pytest.fixture
def monitor(database: Database) -> Monitor:
    """One over that database."""
    vrps = Vrps.of([ROA])
    expectations = Expectations.build(vrps, OWN)
    return Monitor(IncidentStore(database), expectations=expectations, index=OriginIndex.build(vrps))


@contextlib.asynccontextmanager
async def running(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """`work` beside the test, which fails with it."""
    task = asyncio.create_task(work)
    yield
    assert not task.done()
    task.cancel()
    await asyncio.wait({task})


async def until(condition: Callable[[], bool]) -> None:
    """Wait for it, half a minute at most."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - a database sets no Event
            await asyncio.sleep(0.01)


def told(database: Database) -> list[str]:
    """The types of all events."""
    return [row["type"] for row in database.rows("SELECT type FROM events ORDER BY number")]


async def test_a_batch_that_cannot_be_written_is_given_again(database: Database, monitor: Monitor) -> None:
    """A disk that was full for a while costs time, not incidents; no router repeats an announcement."""
    feed = Feed()
    database.write(NO_SPACE)
    async with running(follow(feed, monitor, tick=0.01, backoff=(0.01, 0.02))):
        feed.hijack()
        await until(feed.routes.empty)
        for _ in range(5):
            await asyncio.sleep(0.02)
        assert told(database) == []
        database.write("DROP TRIGGER full")

        await until(lambda: told(database) == ["incident.opened"])

    assert feed.closed


async def test_time_passes_without_messages(database: Database, monitor: Monitor) -> None:
    """A new ROA ends an incident though nobody says anything more of the prefix."""
    feed = Feed()
    changes: list[str] = []

    def tell(change: IncidentChange) -> None:
        changes.append(change.change)

    async with running(follow(feed, monitor, tell, tick=0.01)):
        feed.hijack()
        await until(lambda: changes == ["opened"])

        vrps = Vrps.of([ROA, HIJACKER])
        monitor.update(Expectations.build(vrps, OWN), OriginIndex.build(vrps))

        await until(lambda: changes == ["opened", "resolved"])
    assert told(database) == ["incident.opened", "incident.resolved"]


async def test_a_silence_is_told_once(database: Database) -> None:
    """Each time that a live feed ends, and not at each look."""
    feed = Feed()
    silences: tuple[FeedState, ...] = ("down", "stale")
    async with running(watch_silence(feed, Outbox(database), look=0.01)):
        for state in silences:
            feed.status.state = "live"
            await asyncio.sleep(0.1)
            feed.status.state = state
            await asyncio.sleep(0.1)

    assert told(database) == ["feed.stale", "feed.stale"]


async def test_a_silence_that_cannot_be_written_is_told_later(database: Database) -> None:
    """The database and the network may fail together."""
    feed = Feed()
    feed.status.state = "live"
    database.write(NO_SPACE)
    async with running(watch_silence(feed, Outbox(database), look=0.01)):
        await asyncio.sleep(0.1)
        feed.status.state = "down"
        await asyncio.sleep(0.1)
        database.write("DROP TRIGGER full")

        await until(lambda: told(database) == ["feed.stale"])


async def test_a_feed_that_never_comes_up_is_told(database: Database) -> None:
    """Not at the first attempt, for the network may start after us; but nobody watches until it is up."""
    feed = Feed()
    feed.status.state = "down"
    async with running(watch_silence(feed, Outbox(database), look=0.01, grace=3600)):
        await asyncio.sleep(0.1)
        assert told(database) == []
    async with running(watch_silence(feed, Outbox(database), look=0.01, grace=0.1)):
        await until(lambda: told(database) == ["feed.stale"])


def test_without_prefixes_nothing_is_subscribed_to() -> None:
    """An empty list of prefixes would ask RIS Live for every route of the world."""
    own = Own.of(["AS64496"])

    assert subscription_to(Expectations.build(Vrps.empty(), own)) is None
    wanted = subscription_to(Expectations.build(Vrps.of([Vrp("192.0.2.0/24", 24, 64496)]), own))
    assert wanted is not None
    assert wanted.prefixes == ("192.0.2.0/24",)
