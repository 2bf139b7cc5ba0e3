"""Several caches as one: preference, failover, quorum, expiry; with real sockets and a cache that lies."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from unittest.mock import patch

import pytest

from rpkival.errors import FetchError
from rpkival.payload.payload import Payload
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.rtr import upstreams
from rpkival.rtr.cache import Cache
from rpkival.rtr.client import RtrClient
from rpkival.rtr.server import RtrServer
from rpkival.rtr.upstreams import Upstream, Upstreams, combine

HOST = "127.0.0.1"
DEADLINE = 30.0
A, B, LIE = Vrp("192.0.2.0/24", 24, 64496), Vrp("2001:db8::/32", 48, 64497), Vrp("192.0.2.0/24", 24, 64666)


def payload(*vrps: Vrp) -> Payload:
    """Sorted and unique."""
    return Payload(Vrps.of(vrps)).unique_sorted()


def prefixes(told: Payload) -> list[tuple[str, int]]:
    """What is told, in its order."""
    return [(vrp.prefix, vrp.asn) for vrp in told.vrps]


class Serving:
    """A cache in a thread."""

    def __init__(self, first: Payload) -> None:
        self.cache = Cache(7)
        self.cache.update(first)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._server = RtrServer(self.cache, notify_seconds=0)
        self.port = self._run(self._server.start(HOST, 0))[1]

    def serve(self, now: Payload) -> None:
        """Serve this, and notify."""

        async def update() -> None:
            self.cache.update(now)
            self._server.notify()

        self._run(update())

    def close(self) -> None:
        """Leave."""
        if self._loop.is_closed():
            return
        self._run(self._server.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, coroutine):  # type: ignore[no-untyped-def]
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(DEADLINE)


@pytest.fixture
def serving() -> Iterator[Callable[[Payload], Serving]]:
    """`serving(payload)`: a cache that serves it."""
    running: list[Serving] = []

    def start(first: Payload) -> Serving:
        running.append(Serving(first))
        return running[-1]

    yield start
    for each in running:
        each.close()


@pytest.fixture
def follow() -> Iterator[Callable[..., Upstreams]]:
    """`follow(quorum, cache, ...)`: all of them, followed until the test ends."""
    running: list[Upstreams] = []

    def start(quorum: int | None, *caches: Serving) -> Upstreams:
        each = [
            Upstream(f"cache{number}", RtrClient(HOST, cache.port, timeout=DEADLINE), lambda: None)
            for number, cache in enumerate(caches)
        ]
        running.append(Upstreams(each, quorum))
        running[-1].start()
        return running[-1]

    yield start
    for each in running:
        each.stop()
        for upstream in each._upstreams:
            upstream._thread.join(DEADLINE)


def eventually(source: Upstreams, expected: list[tuple[str, int]]) -> None:
    """What is served becomes `expected`."""
    end = time.monotonic() + DEADLINE
    while prefixes(source.now().payload) != expected:
        assert time.monotonic() < end, prefixes(source.now().payload)
        time.sleep(0.02)


def test_the_first_that_says_anything() -> None:
    """Preference is the order; who says nothing is passed over, and nobody at all is an error."""
    assert prefixes(combine([("a", payload(A)), ("b", payload(B))], None).payload) == prefixes(payload(A))
    assert prefixes(combine([("a", None), ("b", payload(B))], None).payload) == prefixes(payload(B))
    assert not len(combine([("a", payload()), ("b", payload(B))], None).payload)
    with pytest.raises(FetchError, match="0 of 2 RTR caches have data, and 1 must"):
        combine([("a", None), ("b", None)], None)


def test_a_quorum_and_who_disagrees() -> None:
    """A lie of one is not told; who lies and who is behind are named."""
    words = [("true", payload(A, B)), ("lies", payload(A, B, LIE)), ("behind", payload(A)), ("gone", None)]
    combined = combine(words, 2)
    assert prefixes(combined.payload) == prefixes(payload(A, B))
    told = {name: (prefixes(each.extra), prefixes(each.missing)) for name, each in combined.dissents}
    assert told == {
        "true": ([], []),
        "lies": (prefixes(payload(LIE)), []),
        "behind": ([], prefixes(payload(B))),
    }
    with pytest.raises(FetchError, match="3 of 4 RTR caches have data, and 4 must"):
        combine(words, 4)


def test_a_lying_cache_among_three(serving: Callable[[Payload], Serving], follow: Callable[..., Upstreams]) -> None:
    """Over real sessions: followed by deltas, and what two say counts, whatever the third does."""
    caches = [serving(payload(A)) for _ in range(3)]
    source = follow(2, *caches)
    assert prefixes(source.wait(DEADLINE).payload) == prefixes(payload(A))
    caches[2].serve(payload(A, LIE))
    caches[0].serve(payload(A, B))
    caches[1].serve(payload(A, B))
    eventually(source, prefixes(payload(A, B)))
    caches[2].serve(payload())
    caches[1].serve(payload(B))
    eventually(source, prefixes(payload(B)))


def test_failover_waits_for_the_expiry(serving: Callable[[Payload], Serving], follow: Callable[..., Upstreams]) -> None:
    """A preferred cache that is gone is believed until its data expire, and then the next is."""
    first, second = serving(payload(A)), serving(payload(B))
    source = follow(None, first, second)
    assert prefixes(source.wait(DEADLINE).payload) == prefixes(payload(A))
    first.close()
    eventually(source, prefixes(payload(A)))
    far = time.monotonic() + 7200 + 60
    with patch.object(upstreams, "time") as clock:
        clock.monotonic.return_value = far
        preferred, other = source._upstreams
        assert preferred.word(far)[1] is None
        assert other.word(far - 7200)[1] is not None
        other._said = (payload(B), far + 1)
        assert prefixes(source.now().payload) == prefixes(payload(B))
        other._said = (payload(B), far - 1)
        assert not len(source.now().payload)


def test_a_cache_that_is_away_at_first_is_found_later(
    serving: Callable[[Payload], Serving], follow: Callable[..., Upstreams]
) -> None:
    """Asked again after a moment, without a word from us."""
    away = serving(payload(A))
    away.close()
    with patch.object(upstreams, "RTR_UPSTREAM_RETRY_SECONDS", 0.05):
        source = follow(None, away)
        with pytest.raises(FetchError, match="0 of 1"):
            source.wait(DEADLINE)
        back = serving(payload(A))
        source._upstreams[0]._client._address = (HOST, back.port)
        end = time.monotonic() + DEADLINE
        while source._upstreams[0].word(time.monotonic())[1] is None:
            assert time.monotonic() < end
            time.sleep(0.02)
        assert prefixes(source.now().payload) == prefixes(payload(A))
