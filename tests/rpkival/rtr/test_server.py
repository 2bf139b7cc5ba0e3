"""The server on loopback, over real sockets: what routers get, how they hear of news, where it listens, how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from rpkival.errors import UsageError
from rpkival.payload.payload import Payload
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.rtr.cache import AnswerKind, Cache
from rpkival.rtr.client import RtrClient
from rpkival.rtr.errors import ErrorCode
from rpkival.rtr.pdu import EndOfData, ErrorReport, PduType, ResetQuery
from rpkival.rtr.server import RtrServer

Key = tuple[str, int, int]
Run = Callable[[Coroutine[Any, Any, None]], None]
HOST = "127.0.0.1"
ONE = Vrps.of([Vrp("192.0.2.0/24", 24, 64496)])
TWO = Vrps.of([Vrp("192.0.2.0/24", 24, 64496), Vrp("2001:db8::/32", 48, 64497)])
DEADLINE = 30.0


def test_a_router_takes_everything_and_follows(run: Run, wire: Any, keys: Callable[[Vrps], list[Key]]) -> None:
    """Reset, Serial Notify, Serial Query answered by the delta; an operator sees it all."""

    async def main() -> None:
        async with wire.serving(ONE, notify_seconds=0) as (cache, server, port):
            with RtrClient(HOST, port, timeout=DEADLINE) as client:
                assert await asyncio.to_thread(client.sync) is AnswerKind.SNAPSHOT
                assert keys(client.vrps) == keys(ONE)
                (before,) = server.sessions()
                assert (before.version, before.serial, before.state) == (2, 0, "open")
                assert before.last_answer is AnswerKind.SNAPSHOT
                assert before.peer.startswith("127.0.0.1:")
                await wire.until(lambda: server.sessions()[0].updated is not None)
                (before,) = server.sessions()
                assert before.connected_since <= before.reset == before.updated
                assert (before.snapshots, before.deltas, before.cache_resets) == (1, 0, 0)

                cache.update(Payload(TWO))
                server.notify()
                assert await asyncio.to_thread(client.wait_for_notify)
                assert await asyncio.to_thread(client.sync) is AnswerKind.DELTA

                assert keys(client.vrps) == keys(TWO)
                (after,) = server.sessions()
                assert (after.serial, after.last_answer) == (1, AnswerKind.DELTA)
                assert after.bytes_sent - before.bytes_sent == 12 + 8 + 32 + 24
                await wire.until(lambda: server.sessions()[0].updated > before.updated)
                (after,) = server.sessions()
                assert after.reset == before.reset
                assert (after.snapshots, after.deltas, after.cache_resets) == (1, 1, 0)
            await wire.until(lambda: not server.sessions())

    run(main())


def test_who_comes_before_the_data_waits_for_them(run: Run, wire: Any) -> None:
    """Told at once that there are none, a router would stay away for ten minutes."""

    async def main() -> None:
        async with wire.serving(None) as (cache, server, port), wire.connected(port) as (reader, writer):
            writer.write(ResetQuery(1).serialize())
            await wire.until(lambda: any(session.state == "open" for session in server.sessions()))

            cache.update(Payload(ONE))
            server.notify()

            assert isinstance((await wire.read_answer(reader))[-1], EndOfData)

    run(main())


def test_who_waits_for_data_in_vain_is_told(run: Run, wire: Any) -> None:
    """Waiting has an end, and the session is still good for the next query."""

    async def main() -> None:
        async with wire.serving(None, hold_seconds=0.05) as (cache, _, port), wire.connected(port) as (reader, writer):
            writer.write(ResetQuery(1).serialize())

            report = await wire.read_pdu(reader)
            assert isinstance(report, ErrorReport)
            assert report.code == ErrorCode.NO_DATA_AVAILABLE
            cache.update(Payload(ONE))
            writer.write(ResetQuery(1).serialize())

            assert isinstance((await wire.read_answer(reader))[-1], EndOfData)

    run(main())


def test_notifications_keep_the_rfcs_pace(run: Run, wire: Any) -> None:
    """Two changes within the interval: one notification at once, one at its end, and that for the last serial."""

    async def main() -> None:
        async with (
            wire.serving(ONE, notify_seconds=0.3) as (cache, server, port),
            wire.connected(port) as (reader, writer),
        ):
            writer.write(ResetQuery(1).serialize())
            await wire.read_answer(reader)

            loop = asyncio.get_running_loop()
            start = loop.time()
            for vrps in (TWO, ONE, TWO):
                cache.update(Payload(vrps))
                server.notify()
            notes = [await wire.read_pdu(reader), await wire.read_pdu(reader)]

            assert [(note.type, getattr(note, "serial", None)) for note in notes] == [
                (PduType.SERIAL_NOTIFY, 1),
                (PduType.SERIAL_NOTIFY, 3),
            ]
            assert loop.time() - start >= 0.29

    run(main())


def test_a_notification_never_cuts_into_an_answer(run: Run, wire: Any) -> None:
    """News while a router reads its snapshot: it gets the old serial whole, and then the note."""

    async def main() -> None:
        async with wire.serving(wire.many(400_000), notify_seconds=0) as (cache, server, port):
            router = wire.stalled_router(port)
            await wire.until(lambda: [info.state for info in server.sessions()] == ["sending"])

            cache.update(Payload(ONE))
            server.notify()
            router.setblocking(False)
            reader, writer = await asyncio.open_connection(sock=router)
            async with asyncio.timeout(DEADLINE):
                snapshot = await reader.readexactly(8 + 400_000 * 20)
            end, note = await wire.read_pdu(reader), await wire.read_pdu(reader)

            assert {snapshot[at] for at in range(9, len(snapshot), 20)} == {PduType.IPV4_PREFIX}
            assert (end.type, getattr(end, "serial", None)) == (PduType.END_OF_DATA, 0)
            assert (note.type, getattr(note, "serial", None)) == (PduType.SERIAL_NOTIFY, 1)
            writer.close()

    run(main())


def test_a_fault_of_ours_costs_one_router(run: Run, wire: Any) -> None:
    """An unforeseen exception while answering ends that session only, and the next router is served."""

    async def main() -> None:
        async with wire.serving(ONE) as (cache, _, port):
            respond = cache.respond
            cache.respond = lambda query: 1 / 0
            async with wire.connected(port) as (reader, writer):
                writer.write(ResetQuery(1).serialize())
                report = await wire.read_pdu(reader)
                assert isinstance(report, ErrorReport)
                assert report.code == ErrorCode.INTERNAL_ERROR

            cache.respond = respond
            with RtrClient(HOST, port, timeout=DEADLINE) as client:
                assert await asyncio.to_thread(client.sync) is AnswerKind.SNAPSHOT

    run(main())


def test_one_server_listens_on_several_addresses(run: Run) -> None:
    """All routers are in one list and hear of news alike; closing closes all."""

    async def main() -> None:
        cache = Cache(7)
        cache.update(Payload(ONE))
        server = RtrServer(cache)
        places = [await server.start(HOST, 0), await server.start("::1", 0)]
        for host, port in places:
            with RtrClient(host, port, timeout=DEADLINE) as client:
                assert await asyncio.to_thread(client.sync) is AnswerKind.SNAPSHOT
        await server.close()
        for host, port in places:
            with pytest.raises(OSError, match=r"."):
                await asyncio.open_connection(host, port)

    run(main())


def test_a_taken_port_is_told_in_a_sentence(run: Run, wire: Any) -> None:
    """And so is an address that is not ours."""

    async def main() -> None:
        async with wire.serving(None) as (_, _, port):
            with pytest.raises(UsageError, match=f"port {port}: another program listens there already"):
                await RtrServer(Cache(7)).start(HOST, port)
            with pytest.raises(UsageError, match="does not have that address"):
                await RtrServer(Cache(7)).start("192.0.2.1", 0)

    run(main())


def test_closing_drops_all_and_frees_the_port(run: Run, wire: Any) -> None:
    """Also while an answer is on its way; a new server can have the port at once."""

    async def main() -> None:
        cache = Cache(7)
        cache.update(Payload(wire.many(400_000)))
        server = RtrServer(cache)
        host, port = await server.start(HOST, 0)
        routers = [wire.stalled_router(port) for _ in range(3)]
        await wire.until(lambda: len(server.sessions()) == 3)

        await server.close()

        assert server.sessions() == ()
        again = RtrServer(cache)
        assert await again.start(host, port) == (host, port)
        await again.close()
        for router in routers:
            router.close()

    run(main())
