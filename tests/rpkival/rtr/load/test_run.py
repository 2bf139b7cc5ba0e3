"""Played routers at a real server, and at caches that misbehave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from rpkival.listening_socket import stop_accepting
from rpkival.payload.payload import Payload
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.rtr.cache import Cache
from rpkival.rtr.load.measures import Measures
from rpkival.rtr.load.routers import Behaviour, Load
from rpkival.rtr.load.run import run_load, share_out
from rpkival.rtr.pdu import ErrorReport, ResetQuery

Run = Callable[[Coroutine[Any, Any, None]], None]
HOST = "127.0.0.1"
VRPS = [Vrp(f"10.{number}.0.0/16", 24, 64496 + number) for number in range(200)]
DEADLINE = 30.0


def test_routers_of_all_kinds(run: Run, wire: Any) -> None:
    """Those that follow hear of news and fetch them, those that reset fetch all, those that go are gone."""

    async def main() -> None:
        async with wire.serving(Vrps.of(VRPS), notify_seconds=0) as (cache, server, port):
            shares = {Behaviour.FOLLOW: 5, Behaviour.RESET: 2, Behaviour.SLOW: 1, Behaviour.DROP: 2}
            load = Load(HOST, port, every=0.2, slow_rate=1e6, sources=("127.0.0.1", "127.0.0.2"))
            running = asyncio.create_task(run_load(load, shares, seconds=2.0))
            addresses: set[str] = set()
            for size in range(1, 10):
                await asyncio.sleep(0.2)
                cache.update(Payload(Vrps.of(VRPS[:-size])))
                server.notify()
                addresses |= {info.peer.partition(":")[0] for info in server.sessions()}
            measures = await running
            assert addresses == {"127.0.0.1", "127.0.0.2"}

            assert measures.errors == {}
            assert len(measures.full_sync) >= 8
            assert len(measures.after_notify) > 0
            assert len(measures.poll) > 0
            assert measures.drops > 0
            assert measures.records > 8 * 190
            assert measures.notifies > 0

    run(main())


@asynccontextmanager
async def cache_that(
    answers: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    """The port of a cache that treats each router so, and then hangs up."""
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answers(reader, writer)
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.create_task(serve(reader, writer)))

    server = await asyncio.start_server(accept, HOST, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        await stop_accepting(server.sockets)
        server.close()
        await asyncio.wait(serving, timeout=DEADLINE)


async def load_of(answer: bytes) -> Measures:
    """One router at a cache that answers everything with the same octets and then closes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(answer)
        await writer.drain()

    async with cache_that(serve) as port:
        return await run_load(Load(HOST, port, patience=DEADLINE), {Behaviour.FOLLOW: 1}, seconds=0.5)


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (b"", "closed by the cache"),
        (bytes([1, 4, 0, 0, 0, 0, 0, 21]), "cannot be 21 octets"),
        (ErrorReport(1, 2, text="later").serialize(), "later"),
        (bytes([1, 8, 0, 0, 0, 0, 0, 8]), "Cache Reset"),
    ],
    ids=["closes", "talks nonsense", "has no data", "resets for ever"],
)
def test_what_goes_wrong_is_told(run: Run, answer: bytes, word: str) -> None:
    """As a sentence with a count; the router comes back and the test goes on."""

    async def main() -> None:
        measures = await load_of(answer)
        assert len(measures.full_sync) == 0
        assert any(word in error for error in measures.errors), measures.errors

    run(main())


def test_who_does_not_answer_in_time_is_told(run: Run) -> None:
    """And counted among those that still waited, where the end came first."""

    async def main() -> None:
        async def mute(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            await reader.read()

        async with cache_that(mute) as port:
            impatient = await run_load(Load(HOST, port, patience=0.1), {Behaviour.RESET: 2}, seconds=0.6)
            patient = await run_load(Load(HOST, port), {Behaviour.RESET: 2}, seconds=0.2)
        assert set(impatient.errors) == {"no answer in 0.1 s"}
        assert (patient.errors, patient.unfinished) == ({}, 2)

    run(main())


def test_a_cache_of_version_1_is_spoken_to_in_it(run: Run) -> None:
    """Error 4 is no error of the cache's: the router steps down."""

    async def main() -> None:
        asked: list[int] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            query = await reader.readexactly(8)
            asked.append(query[0])
            if query[0] > 1:
                writer.write(ErrorReport(1, 4, query, "").serialize())
            else:
                cache = Cache(7)
                cache.update(Payload(Vrps.of(VRPS)))
                writer.write(b"".join(cache.respond(ResetQuery(1)).buffers))
            await reader.read()

        async with cache_that(serve) as port:
            measures = await run_load(Load(HOST, port), {Behaviour.FOLLOW: 1}, seconds=2.5)
        assert (asked, measures.errors, len(measures.full_sync)) == ([2, 1], {}, 1)

    run(main())


def test_shares_add_up() -> None:
    """Every router has a behaviour, whatever the weights."""
    weights = {Behaviour.FOLLOW: 80.0, Behaviour.RESET: 10.0, Behaviour.SLOW: 5.0, Behaviour.DROP: 5.0}
    assert share_out(100, weights) == {kind: int(weight) for kind, weight in weights.items()}
    for routers in range(1, 30):
        assert sum(share_out(routers, weights).values()) == routers
    assert share_out(1, {Behaviour.FOLLOW: 1.0, Behaviour.DROP: 0.0}) == {Behaviour.FOLLOW: 1, Behaviour.DROP: 0}
