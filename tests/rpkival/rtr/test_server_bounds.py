"""The server on loopback, and routers that stall, flood it, talk nonsense, come in numbers, or may not come at all."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any
from unittest.mock import patch

import pytest

from rpkival.errors import FetchError
from rpkival.payload.payload import Payload
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.rtr import connection
from rpkival.rtr.access import Access
from rpkival.rtr.cache import AnswerKind, Cache
from rpkival.rtr.client import RtrClient, fetch_payload
from rpkival.rtr.errors import ErrorCode
from rpkival.rtr.pdu import CacheReset, EndOfData, ErrorReport, ResetQuery, SerialQuery
from rpkival.rtr.server import RtrServer

Run = Callable[[Coroutine[Any, Any, None]], None]
HOST = "127.0.0.1"
ONE = Vrps.of([Vrp("192.0.2.0/24", 24, 64496)])
DEADLINE = 30.0


def test_routers_that_do_not_read_cost_little(run: Run, wire: Any) -> None:
    """Twenty stalled routers hold one chunk each at most, and others are served meanwhile."""

    async def main() -> None:
        cache = Cache(7)
        cache.update(Payload(wire.many(400_000)))
        server = RtrServer(cache)
        host, port = await server.start(HOST, 0)
        stalled = [wire.stalled_router(port) for _ in range(20)]
        await wire.until(lambda: [info.state for info in server.sessions()].count("sending") == 20)

        queued = [connection._transport.get_write_buffer_size() for connection in server._connections]
        assert max(queued) <= 256 * 1024
        with RtrClient(host, port, timeout=DEADLINE) as client:
            await asyncio.to_thread(client.sync)
            assert len(client.vrps) == 400_000
        for router in stalled:
            router.close()
        await server.close()

    run(main())


def test_a_router_that_does_not_take_its_answer_is_cut(run: Run, wire: Any) -> None:
    """After a bounded time, so that it does not hold an old snapshot for ever."""

    async def main() -> None:
        cache = Cache(7)
        cache.update(Payload(wire.many(400_000)))
        server = RtrServer(cache, answer_seconds=0.3)
        _, port = await server.start(HOST, 0)
        router = wire.stalled_router(port)
        await wire.until(lambda: len(server.sessions()) == 1)

        await wire.until(lambda: not server.sessions())

        router.close()
        await server.close()

    run(main())


def test_a_slow_router_gets_everything(run: Run, wire: Any) -> None:
    """Reading in small steps with a small window, all octets arrive, in order."""

    async def main() -> None:
        cache = Cache(7)
        cache.update(Payload(wire.many(50_000)))
        server = RtrServer(cache)
        _, port = await server.start(HOST, 0)
        router = wire.stalled_router(port)
        router.setblocking(False)
        loop = asyncio.get_running_loop()
        expected = b"".join(cache.respond(ResetQuery(1)).buffers)
        got = bytearray()
        async with asyncio.timeout(DEADLINE):
            while len(got) < len(expected):
                got += await loop.sock_recv(router, 3_000)

        assert got == expected
        (info,) = server.sessions()
        assert info.bytes_sent == len(expected)
        router.close()
        await server.close()

    run(main())


def test_a_burst_of_queries_is_answered_in_turn(run: Run, wire: Any) -> None:
    """Five Reset Queries at once: five whole answers, and reading pauses between."""

    async def main() -> None:
        cache = Cache(7)
        cache.update(Payload(wire.many(20_000)))
        server = RtrServer(cache)
        host, port = await server.start(HOST, 0)
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(ResetQuery(1).serialize() * 2_000)
        expected = b"".join(cache.respond(ResetQuery(1)).buffers)
        async with asyncio.timeout(DEADLINE):
            for _ in range(5):
                assert await reader.readexactly(len(expected)) == expected
        writer.transport.abort()
        await wire.until(lambda: not server.sessions())
        await server.close()

    run(main())


def test_a_flood_of_small_queries_leaves_time_for_others(run: Run, wire: Any) -> None:
    """Twenty thousand Serial Queries in one go: all answered, and another router gets its answer in between."""

    async def main() -> None:
        cache = Cache(7)
        cache.update(Payload(ONE))
        server = RtrServer(cache)
        host, port = await server.start(HOST, 0)
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(SerialQuery(1, 7, 99).serialize() * 20_000)
        other_reader, other_writer = await asyncio.open_connection(host, port)
        other_writer.write(ResetQuery(1).serialize())
        assert len(await wire.read_answer(other_reader)) == 3
        assert server.sessions()[0].bytes_sent < 80_000
        async with asyncio.timeout(DEADLINE):
            resets = await reader.readexactly(8 * 20_000)
        assert resets == CacheReset(1).serialize() * 20_000
        for each in (writer, other_writer):
            each.close()
        await server.close()

    run(main())


@pytest.mark.parametrize(
    ("octets", "code"),
    [
        ("03 0b 0000 00000008", ErrorCode.UNSUPPORTED_VERSION),
        ("01 63 0000 00000008", ErrorCode.UNSUPPORTED_TYPE),
        ("01 02 0000 7fffffff", ErrorCode.CORRUPT_DATA),
        ("01 03 0000 00000008", ErrorCode.INVALID_REQUEST),
        ("474554202f20485454502f312e310d0a", ErrorCode.CORRUPT_DATA),
    ],
)
def test_one_bad_router_is_told_and_the_others_go_on(run: Run, wire: Any, octets: str, code: int) -> None:
    """Nonsense (even HTTP) gets an Error Report; a router beside it notices nothing."""

    async def main() -> None:
        cache = Cache(7)
        cache.update(Payload(ONE))
        server = RtrServer(cache)
        host, port = await server.start(HOST, 0)
        with RtrClient(host, port, timeout=DEADLINE) as good:
            await asyncio.to_thread(good.sync)
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(bytes.fromhex(octets))
            report = await wire.read_pdu(reader)
            assert isinstance(report, ErrorReport)
            assert report.code == code
            writer.close()
            await wire.until(lambda: len(server.sessions()) == 1)
            assert await asyncio.to_thread(good.sync) is AnswerKind.DELTA
        await server.close()

    run(main())


def test_who_sends_much_nonsense_can_read_why_it_is_dropped(run: Run, wire: Any) -> None:
    """The report and a clean end arrive though megabytes were on their way to us, and then the router is gone."""

    async def main() -> None:
        cache = Cache(7)
        cache.update(Payload(ONE))
        server = RtrServer(cache)
        host, port = await server.start(HOST, 0)
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"\xff" * 4_000_000)
        report = await wire.read_pdu(reader)
        assert isinstance(report, ErrorReport)
        assert report.code == ErrorCode.CORRUPT_DATA
        async with asyncio.timeout(DEADLINE):
            assert await reader.read() == b""
            await writer.drain()
        writer.close()
        await wire.until(lambda: not server.sessions())
        await server.close()

    run(main())


def test_who_does_not_leave_is_thrown_out(run: Run, wire: Any) -> None:
    """After an Error Report there is a short time to read it, and no more."""

    async def main() -> None:
        server = RtrServer(Cache(7))
        host, port = await server.start(HOST, 0)
        with patch.object(connection, "LINGER_SECONDS", 0.2):
            router = socket.create_connection((host, port))
            router.sendall(bytes.fromhex("01 03 0000 00000008"))
            await wire.until(lambda: [info.state for info in server.sessions()] == ["closed"])
            await wire.until(lambda: not server.sessions())
        router.close()
        await server.close()

    run(main())


def test_the_number_of_routers_is_bounded(run: Run, wire: Any) -> None:
    """In all and for each address; who leaves makes room."""

    async def main() -> None:
        cache = Cache(7)
        cache.update(Payload(ONE))
        for server in (RtrServer(cache, max_sessions=2), RtrServer(cache, max_sessions_per_address=2)):
            host, port = await server.start(HOST, 0)
            first, second, third = [await asyncio.open_connection(host, port) for _ in range(3)]
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await wire.read_pdu(third[0])
            assert len(server.sessions()) == 2
            first[1].close()
            await wire.until(lambda server=server: len(server.sessions()) == 1)  # type: ignore[misc]
            fourth = await asyncio.open_connection(host, port)
            fourth[1].write(ResetQuery(1).serialize())
            assert len(await wire.read_answer(fourth[0])) == 3
            for _, writer in (second, third, fourth):
                writer.close()
            await server.close()

    run(main())


def test_who_says_nothing_is_dropped(run: Run, wire: Any) -> None:
    """A connection without a query hears why it ends; one with a query may be silent for an hour."""

    async def main() -> None:
        cache = Cache(7)
        cache.update(Payload(ONE))
        server = RtrServer(cache, first_query_seconds=0.3, answer_seconds=0.3)
        host, port = await server.start(HOST, 0)
        silent_reader, silent_writer = await asyncio.open_connection(host, port)
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(SerialQuery(1, 7, 0).serialize())
        await wire.read_answer(reader)

        report = await wire.read_pdu(silent_reader)
        assert isinstance(report, ErrorReport)
        assert report.code == ErrorCode.TRANSPORT
        silent_writer.close()
        await asyncio.sleep(0.5)

        await wire.until(lambda: [info.state for info in server.sessions()] == ["open"])
        writer.close()
        await server.close()

    run(main())


def test_only_who_is_allowed_is_served(run: Run, wire: Any) -> None:
    """Whoever comes from elsewhere is closed at once, without an octet."""

    async def main() -> None:
        cache = Cache(7)
        cache.update(Payload(ONE))
        for networks, served in ((["127.0.0.0/8"], True), (["192.0.2.0/24", "2001:db8::/32"], False)):
            server = RtrServer(cache, access=Access.of(networks))
            host, port = await server.start(HOST, 0)
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(ResetQuery(1).serialize())
            if served:
                assert len(await wire.read_answer(reader)) == 3
            else:
                with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                    await wire.read_pdu(reader)
            writer.close()
            await server.close()

    run(main())


WITH_FEW_FILES = """
import asyncio, resource, sys
import uvloop
from rpkival.payload.payload import Payload
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.rtr.cache import Cache
from rpkival.rtr.server import RtrServer

async def main():
    cache = Cache(7)
    cache.update(Payload(Vrps.of([Vrp("192.0.2.0/24", 24, 64496)])))
    server = RtrServer(cache)
    host, port = await server.start("127.0.0.1", 0)
    print(port, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.close()

resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
factory = uvloop.new_event_loop if sys.argv[1] == "uvloop" else asyncio.new_event_loop
with asyncio.Runner(loop_factory=factory) as runner:
    runner.run(main())
"""


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_running_out_of_files_is_survived(loop: str) -> None:
    """More connections than the process may have: it goes on, and serves when some are gone."""
    argv = (sys.executable, "-c", WITH_FEW_FILES, loop)
    process = subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    port = int(next(line for line in process.stdout if line.strip().isdigit()))
    crowd = [socket.create_connection((HOST, port)) for _ in range(100)]
    for router in crowd:
        router.close()

    end = time.monotonic() + DEADLINE
    while True:
        try:
            assert len(fetch_payload(HOST, port, timeout=5)) == 1
            break
        except FetchError:
            assert time.monotonic() < end
            time.sleep(0.2)
    process.communicate(timeout=DEADLINE)
    assert process.returncode == 0


def test_a_router_that_leaves_its_answer_in_the_kernel_is_cut_and_told(run: Run, wire: Any) -> None:
    """We have written it all, and nobody reads: Error 10 stands behind it, for the case that somebody ever does."""

    async def main() -> None:
        cache = Cache(7)
        cache.update(Payload(wire.many(5000)))
        server = RtrServer(cache, answer_seconds=0.5)
        _, port = await server.start(HOST, 0)
        idle_reader, idle = await asyncio.open_connection(HOST, port)
        idle.write(ResetQuery(1).serialize())
        await wire.read_answer(idle_reader)
        router = socket.socket()
        router.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        router.connect((HOST, port))
        router.sendall(ResetQuery(2).serialize())
        stalled = f"127.0.0.1:{router.getsockname()[1]}"
        await wire.until(lambda: any(info.last_error for info in server.sessions() if info.peer == stalled))

        router.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=router)
        assert isinstance((await wire.read_answer(reader))[-1], EndOfData)
        report = await wire.read_pdu(reader)
        assert isinstance(report, ErrorReport)
        assert report.code == ErrorCode.TRANSPORT
        assert "did not take its answer" in report.text
        writer.close()
        assert [info.last_error for info in server.sessions() if info.version == 1] == [""]
        idle.close()
        await server.close()

    run(main())
