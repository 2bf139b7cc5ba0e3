"""Many routers at one cache: StayRTR and rpkival, the same VRPs, the same played routers, in turn, in one run.

    python benchmarks/rtr_load.py DATA/vrps/rpkiclient_20250720T0931.json.bz2

First so many routers ask for everything at once, and read until all have it or the time is over; what they have read
until then, in a second, is the throughput. Then so many sessions are held by routers that come with the serial they
have, as after a restart; the file loses 1,000 VRPs; the time is from the first Serial Notify that any router hears to
the last octet of the delta of the last one. Ten routers stall all the while: they ask for everything and do not read.
Resident memory is the cache's own, from /proc. The played routers run in this process.
"""

from __future__ import annotations

import argparse
import asyncio
import bz2
import selectors
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from rtr_cache import HOST, PATIENCE, running

from rpkival.cli.file_limit import allow_many_files
from rpkival.rtr.client import RtrClient
from rpkival.rtr.load.measures import Measures
from rpkival.rtr.load.wire import Wire
from rpkival.rtr.pdu import EndOfData, ResetQuery, SerialNotify, SerialQuery

RPKIVAL = (sys.executable, "-c", "from rpkival.cli.main import main; main()")
CHANGED = 1000
RESPONSE_BYTES = 8
END_OF_DATA_BYTES = 24
PER_ADDRESS = 1000
"""Routers of one address, of which caches allow only so many; loopback has enough addresses."""

CACHES: dict[str, Callable[[Path, int], tuple[str, ...]]] = {
    "rpkival": lambda file, port: (*RPKIVAL, "rtr", "serve", "--vrps", str(file), "--listen", f"{HOST}:{port}", "-q"),
    "StayRTR": lambda file, port: (
        *("stayrtr", "-cache", str(file), "-checktime=false", "-bind", f"{HOST}:{port}", "-metrics.addr", f"{HOST}:0"),
        *("-protocol", "1", "-loglevel", "error", "-maxconn", "0", "-refresh", "5"),
    ),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vrps", type=Path, help="rpki-client's JSON, plain or bz2")
    parser.add_argument("--sync", type=int, default=100, help="routers that ask for everything at once")
    parser.add_argument("--hold", type=int, default=2000, help="sessions that are held")
    parser.add_argument("--stall", type=int, default=10, help="routers that stall meanwhile")
    parser.add_argument("--cache", choices=CACHES, action="append", help="only this one; repeatable")
    parser.add_argument("--seconds", type=float, default=60.0, help="for the syncs")
    options = parser.parse_args()
    allow_many_files(2 * options.hold)
    data = options.vrps.read_bytes()
    content = msgspec.json.decode(bz2.decompress(data) if options.vrps.suffix == ".bz2" else data)
    with tempfile.TemporaryDirectory(prefix="rpkival-benchmark-") as directory:
        for name, command in CACHES.items():
            file = Path(directory) / f"{name}.json"
            if name in (options.cache or CACHES) and shutil.which(command(file, 0)[0]):
                measure(name, command, file, content, options)


def measure(
    name: str, command: Callable[[Path, int], tuple[str, ...]], file: Path, content: Any, options: argparse.Namespace
) -> None:
    """One cache, everything."""
    write(content, 0, file)
    with running(command, file) as (process, port):
        print(f"{name}: {resident(process.pid):.0f} MB resident with the VRPs loaded", flush=True)
        octets, seconds, synced = sync_at_once(port, options.sync, options.seconds)
        rate = octets / seconds / 1e6
        print(f"{name}: {synced} of {options.sync} routers synced in {seconds:.2f} s, {rate:,.1f} MB/s", flush=True)
    # A new process: some caches go on writing to routers that have left.
    with running(command, file) as (process, port):
        before = resident(process.pid)
        told, stalled = uvloop.run(hold(port, process.pid, options, lambda: write(content, CHANGED, file)))
        print(f"{name}: {before:.0f} MB resident, with {options.hold} sessions {told['held']:.0f} MB", flush=True)
        print(
            f"{name}: {told['delivered']} of {options.hold} had {CHANGED} changes {told['seconds']:.2f} s after the "
            f"first Serial Notify, {told['since_file']:.2f} s after the file; {stalled} routers stalled; "
            f"{told['after']:.0f} MB at the end",
            flush=True,
        )


def write(content: Any, fewer: int, file: Path) -> None:
    """All VRPs but `fewer`, without expiry: StayRTR leaves out what has expired since the file was made."""
    roas = [{key: value for key, value in roa.items() if key != "expires"} for roa in content["roas"][fewer:]]
    fresh = file.with_suffix(".new")
    fresh.write_bytes(msgspec.json.encode({"metadata": content["metadata"], "roas": roas}))
    fresh.replace(file)


def sync_at_once(port: int, count: int, seconds: float) -> tuple[int, float, int]:
    """Octets that all have read, in how many seconds, and how many routers have all; does nothing but read."""
    with RtrClient(HOST, port, timeout=PATIENCE, version=1) as client:
        client.sync()
        vrps = client.vrps
    answer = RESPONSE_BYTES + 20 * len(vrps.ipv4) + 32 * len(vrps.ipv6) + END_OF_DATA_BYTES
    routers = [socket.create_connection((HOST, port)) for _ in range(count)]
    left = dict.fromkeys(routers, answer)
    buffer = bytearray(1 << 20)
    with selectors.DefaultSelector() as selector:
        for router in routers:
            router.setblocking(False)
            selector.register(router, selectors.EVENT_READ)
        began = time.perf_counter()
        for router in routers:
            router.sendall(ResetQuery(1).serialize())
        while left and time.perf_counter() < began + seconds:
            for key, _ in selector.select(1.0):
                reader = key.fileobj
                assert isinstance(reader, socket.socket)
                got = reader.recv_into(buffer)
                left[reader] -= got
                if not got or left[reader] <= 0:
                    selector.unregister(reader)
                    if left.pop(reader) > 0:
                        raise ConnectionError("the cache closed the connection before the end of its answer")
        took = time.perf_counter() - began
    for router in routers:
        router.close()
    return count * answer - sum(left.values()), took, count - len(left)


async def hold(
    port: int, pid: int, options: argparse.Namespace, change: Callable[[], None]
) -> tuple[dict[str, float], int]:
    """What it takes to hold sessions, and to tell all of them of a change."""
    loop = asyncio.get_running_loop()
    with RtrClient(HOST, port, timeout=PATIENCE, version=1) as client:
        await asyncio.to_thread(client.sync)
        end = client.end
        assert end is not None
    stalled = [await asyncio.to_thread(stall, port) for _ in range(options.stall)]
    wires = [await connect(port, number, Measures()) for number in range(options.hold)]
    for wire in wires:
        wire.send(SerialQuery(1, end.session_id, end.serial).serialize())
        await until_end(wire)
    told = {"held": resident(pid)}
    first: list[float] = []
    last: list[float] = []

    async def follow(wire: Wire) -> None:
        while True:
            came, event = await wire.next()
            if isinstance(event, SerialNotify):
                first.append(came)
                wire.send(SerialQuery(1, end.session_id, end.serial).serialize())
                last.append(await until_end(wire))
                return

    tasks = [asyncio.create_task(follow(wire)) for wire in wires]
    await asyncio.to_thread(change)
    changed = loop.time()
    done, late = await asyncio.wait(tasks, timeout=PATIENCE)
    for task in late:
        task.cancel()
    told |= {
        "delivered": len(last),
        "seconds": max(last) - min(first) if last else float("nan"),
        "since_file": max(last) - changed if last else float("nan"),
        "after": resident(pid),
    }
    for task in done:
        task.result()
    for wire in wires:
        wire.drop()
    for router in stalled:
        router.close()
    return told, len(stalled)


async def connect(port: int, number: int, measures: Measures) -> Wire:
    """One router, from an address that has not too many yet."""
    source = f"127.0.0.{1 + number // PER_ADDRESS}"
    loop = asyncio.get_running_loop()
    _, wire = await loop.create_connection(lambda: Wire(measures), HOST, port, local_addr=(source, 0))
    return wire


async def until_end(wire: Wire) -> float:
    """When the End of Data came, by the loop's clock."""
    while True:
        came, event = await wire.next()
        if isinstance(event, EndOfData):
            return came


def stall(port: int) -> socket.socket:
    """A router that asks for everything and does not read."""
    router = socket.create_connection((HOST, port))
    router.sendall(ResetQuery(1).serialize())
    return router


def resident(pid: int) -> float:
    """Megabytes of a process in memory."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return float("nan")


if __name__ == "__main__":
    main()
