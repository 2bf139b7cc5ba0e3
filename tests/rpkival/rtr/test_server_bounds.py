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
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.rtr import connection
from rpkival.rtr.access import Access
from rpkival.rtr.cache import AnswerKind
from rpkival.rtr.client import RtrClient, fetch_payload
from rpkival.rtr.errors import ErrorCode
from rpkival.rtr.pdu import CacheReset, EndOfData, ErrorReport, ResetQuery, SerialQuery

Run = Callable[[Coroutine[Any, Any, None]], None]
HOST = "127.0.0.1"
ONE = Vrps.of([Vrp("192.0.2.0/24", 24, 64496)])
DEADLINE = 30.0


def test_routers_that_do_not_read_cost_little(run: Run, wire: Any) -> None:
    """Twenty stalled routers hold one chunk each at most, and others are served meanwhile."""

    async def main() -> None:
        async with wire.serving(wire.many(400_000)) as (_, server, port):
            stalled = [wire.stalled_router(port) for _ in range(20)]
            await wire.until(lambda: [info.state for info in server.sessions()].count("sending") == 20)

            queued = [connection._transport.get_write_buffer_size() for connection in server._connections]
            assert max(queued) <= 256 * 1024
            with RtrClient(HOST, port, timeout=DEADLINE) as client:
                await asyncio.to_thread(client.sync)
                assert len(client.vrps) == 400_000
            for router in stalled:
                router.close()

    run(main())


def test_a_router_that_does_not_take_its_answer_is_cut(run: Run, wire: Any) -> None:
    """After a bounded time, so that it does not hold an old snapshot for ever."""

    async def main() -> None:
        async with wire.serving(wire.many(400_000), answer_seconds=0.3) as (_, server, port):
            with wire.stalled_router(port):
                await wire.until(lambda: len(server.sessions()) == 1)

                await wire.until(lambda: not server.sessions())

    run(main())


def test_a_slow_router_gets_everything(run: Run, wire: Any) -> None:
    """Reading in small steps with a small window, all octets arrive, in order."""

    async def main() -> None:
        async with wire.serving(wire.many(50_000)) as (cache, server, port):
            with wire.stalled_router(port) as router:
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

    run(main())


def test_a_burst_of_queries_is_answered_in_turn(run: Run, wire: Any) -> None:
    """Five Reset Queries at once: five whole answers, and reading pauses between."""

    async def main() -> None:
        async with wire.serving(wire.many(20_000)) as (cache, server, port):
            reader, writer = await asyncio.open_connection(HOST, port)
            writer.write(ResetQuery(1).serialize() * 2_000)
            expected = b"".join(cache.respond(ResetQuery(1)).buffers)
            async with asyncio.timeout(DEADLINE):
                for _ in range(5):
                    assert await reader.readexactly(len(expected)) == expected
            writer.transport.abort()
            await wire.until(lambda: not server.sessions())

    run(main())


def test_a_flood_of_small_queries_leaves_time_for_others(run: Run, wire: Any) -> None:
    """Twenty thousand Serial Queries in one go: all answered, and another router gets its answer in between."""

    async def main() -> None:
        async with wire.serving(ONE) as (_, server, port), wire.connected(port) as (reader, writer):
            writer.write(SerialQuery(1, 7, 99).serialize() * 20_000)
            async with wire.connected(port) as (other_reader, other_writer):
                other_writer.write(ResetQuery(1).serialize())
                assert len(await wire.read_answer(other_reader)) == 3
                assert server.sessions()[0].bytes_sent < 80_000
                async with asyncio.timeout(DEADLINE):
                    resets = await reader.readexactly(8 * 20_000)
                assert resets == CacheReset(1).serialize() * 20_000

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
        async with wire.serving(ONE) as (_, server, port):
            with RtrClient(HOST, port, timeout=DEADLINE) as good:
                await asyncio.to_thread(good.sync)
                async with wire.connected(port) as (reader, writer):
                    writer.write(bytes.fromhex(octets))
                    report = await wire.read_pdu(reader)
                    assert isinstance(report, ErrorReport)
                    assert report.code == code
                await wire.until(lambda: len(server.sessions()) == 1)
                assert await asyncio.to_thread(good.sync) is AnswerKind.DELTA

    run(main())


def test_who_sends_much_nonsense_can_read_why_it_is_dropped(run: Run, wire: Any) -> None:
    """The report and a clean end arrive though megabytes were on their way to us, and then the router is gone."""

    async def main() -> None:
        async with wire.serving(ONE) as (_, server, port):
            async with wire.connected(port) as (reader, writer):
                writer.write(b"\xff" * 4_000_000)
                report = await wire.read_pdu(reader)
                assert isinstance(report, ErrorReport)
                assert report.code == ErrorCode.CORRUPT_DATA
                async with asyncio.timeout(DEADLINE):
                    assert await reader.read() == b""
                    await writer.drain()
            await wire.until(lambda: not server.sessions())

    run(main())


def test_who_does_not_leave_is_thrown_out(run: Run, wire: Any) -> None:
    """After an Error Report there is a short time to read it, and no more."""

    async def main() -> None:
        async with wire.serving(None) as (_, server, port):
            with patch.object(connection, "LINGER_SECONDS", 0.2), socket.create_connection((HOST, port)) as router:
                router.sendall(bytes.fromhex("01 03 0000 00000008"))
                await wire.until(lambda: [info.state for info in server.sessions()] == ["closed"])
                await wire.until(lambda: not server.sessions())

    run(main())


def test_the_number_of_routers_is_bounded(run: Run, wire: Any) -> None:
    """In all and for each address; who leaves makes room."""

    async def main() -> None:
        for bound in ("max_sessions", "max_sessions_per_address"):
            async with wire.serving(ONE, **{bound: 2}) as (_, server, port):
                first, second, third = [await asyncio.open_connection(HOST, port) for _ in range(3)]
                with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                    await wire.read_pdu(third[0])
                assert len(server.sessions()) == 2
                first[1].close()
                await wire.until(lambda server=server: len(server.sessions()) == 1)
                fourth = await asyncio.open_connection(HOST, port)
                fourth[1].write(ResetQuery(1).serialize())
                assert len(await wire.read_answer(fourth[0])) == 3
                for _, writer in (second, third, fourth):
                    writer.close()

    run(main())


def test_who_says_nothing_is_dropped(run: Run, wire: Any) -> None:
    """A connection without a query hears why it ends; one with a query may be silent for an hour."""

    async def main() -> None:
        async with wire.serving(ONE, first_query_seconds=0.3, answer_seconds=0.3) as (_, server, port):
            silent_reader, silent_writer = await asyncio.open_connection(HOST, port)
            async with wire.connected(port) as (reader, writer):
                writer.write(SerialQuery(1, 7, 0).serialize())
                await wire.read_answer(reader)

                report = await wire.read_pdu(silent_reader)
                assert isinstance(report, ErrorReport)
                assert report.code == ErrorCode.TRANSPORT
                silent_writer.close()
                await asyncio.sleep(0.5)

                await wire.until(lambda: [info.state for info in server.sessions()] == ["open"])

    run(main())


def test_only_who_is_allowed_is_served(run: Run, wire: Any) -> None:
    """Whoever comes from elsewhere is closed at once, without an octet."""

    async def main() -> None:
        for networks, served in ((["127.0.0.0/8"], True), (["192.0.2.0/24", "2001:db8::/32"], False)):
            async with (
                wire.serving(ONE, access=Access.of(networks)) as (_, _, port),
                wire.connected(port) as (reader, writer),
            ):
                writer.write(ResetQuery(1).serialize())
                if served:
                    assert len(await wire.read_answer(reader)) == 3
                else:
                    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                        await wire.read_pdu(reader)

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
        async with (
            wire.serving(wire.many(5000), answer_seconds=0.5) as (_, server, port),
            wire.connected(port) as (idle_reader, idle),
        ):
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

    run(main())
