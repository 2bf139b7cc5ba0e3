"""Full syncs of many routers at a time: StayRTR and rpkival, the same VRPs, the same routers, in turn, in one run.

    python benchmarks/rtr.py ../shared/data/vrps/rpkiclient_20250720T0931.json.bz2 [--routers 1 20 100]

Each router is a socket that sends a Reset Query in version 1 and reads until it has seen as many octets as the whole
answer has, which one router measured before; all are served by one small epoll loop in a process of its own, which does
nothing but read, so that the caches are measured and not the routers. From fifty routers on, only every eighth VRP is
served, by all caches alike. The time is from the first query to the last
octet of the last router; CPU seconds are the cache's own.
"""

from __future__ import annotations

import argparse
import bz2
import os
import selectors
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgspec
from rtr_cache import HOST, PATIENCE, running

from rpkival.rtr.pdu import EndOfData, ResetQuery, parse

RPKIVAL = (sys.executable, "-c", "from rpkival.cli.main import main; main()")
END_OF_DATA_BYTES = 24
MANY = 50
EIGHTH = 8
"""From `MANY` routers on, every cache serves an eighth of the VRPs: StayRTR would take minutes for all of them."""


@dataclass(frozen=True)
class Result:
    """One run."""

    octets: int
    seconds: float
    cpu_seconds: float

    @property
    def rate(self) -> float:
        """Megabytes a second, of all routers together."""
        return self.octets / self.seconds / 1e6


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vrps", type=Path, help="rpki-client's JSON, plain or bz2")
    parser.add_argument("--routers", type=int, nargs="+", default=[1, 20, 100])
    options = parser.parse_args()
    data = options.vrps.read_bytes()
    content = msgspec.json.decode(bz2.decompress(data) if options.vrps.suffix == ".bz2" else data)
    results: dict[str, dict[int, Result]] = {}
    with tempfile.TemporaryDirectory(prefix="rpkival-benchmark-") as directory:
        for share, counts in (
            (1, [count for count in options.routers if count < MANY]),
            (EIGHTH, [count for count in options.routers if count >= MANY]),
        ):
            file = Path(directory) / f"vrps{share}.json"
            write_timeless(content, share, file)
            for name, command in CACHES.items():
                if counts and shutil.which(command(file, 0)[0]):
                    results.setdefault(name, {}).update(measure(command, file, counts))
    print(f"{'routers':>8}  {'cache':<8} {'MB each':>8} {'seconds':>8} {'MB/s':>8} {'CPU s':>7} {'ratio':>7}")
    for routers in options.routers:
        for name, runs in results.items():
            run, ours = runs[routers], results["rpkival"][routers]
            print(
                f"{routers:>8}  {name:<8} {run.octets / routers / 1e6:>8.2f} {run.seconds:>8.2f} {run.rate:>8.1f} "
                f"{run.cpu_seconds:>7.2f} {run.seconds / ours.seconds:>6.1f}x"
            )


def write_timeless(content: Any, share: int, file: Path) -> None:
    """Every `share`th VRP without its expiry: StayRTR leaves out what has expired since the file was made."""
    roas = [{key: value for key, value in roa.items() if key != "expires"} for roa in content["roas"][::share]]
    file.write_bytes(msgspec.json.encode({"metadata": content["metadata"], "roas": roas}))


def measure(command: Callable[[Path, int], tuple[str, ...]], file: Path, counts: list[int]) -> dict[int, Result]:
    """Each number of routers against one cache."""
    with running(command, file) as (process, port):
        octets = answer_octets(port)
        return {count: full_syncs(port, count, octets, process.pid) for count in counts}


def answer_octets(port: int) -> int:
    """The length of the answer to a Reset Query, from one router that looks for the End of Data."""
    received = bytearray()
    with socket.create_connection((HOST, port), timeout=PATIENCE) as router:
        router.sendall(ResetQuery(1).serialize())
        while True:
            received += router.recv(1 << 20)
            if received[-END_OF_DATA_BYTES:][:2] == b"\x01\x07":
                assert isinstance(parse(bytes(received[-END_OF_DATA_BYTES:])), EndOfData)
                return len(received)


def full_syncs(port: int, count: int, octets: int, pid: int) -> Result:
    """`count` routers at a time."""
    before = cpu_seconds(pid)
    context = get_context("spawn")
    parent, child = context.Pipe()
    reader = context.Process(target=read_all, args=(port, count, octets, child))
    reader.start()
    seconds = parent.recv()
    reader.join()
    return Result(octets * count, seconds, cpu_seconds(pid) - before)


def read_all(port: int, count: int, octets: int, result: Connection) -> None:
    """Connect, ask, read everything, and tell how long it took."""
    routers = [socket.create_connection((HOST, port)) for _ in range(count)]
    remaining = dict.fromkeys(routers, octets)
    buffer = bytearray(1 << 20)
    with selectors.DefaultSelector() as selector:
        for router in routers:
            router.setblocking(False)
            selector.register(router, selectors.EVENT_READ)
        start = time.perf_counter()
        for router in routers:
            router.sendall(ResetQuery(1).serialize())
        while remaining:
            for key, _ in selector.select(PATIENCE):
                assert isinstance(key.fileobj, socket.socket)
                ready = key.fileobj
                got = ready.recv_into(buffer)
                if not got:
                    raise ConnectionError("the cache closed the connection before the end of its answer")
                remaining[ready] -= got
                if remaining[ready] <= 0:
                    del remaining[ready]
                    selector.unregister(ready)
        result.send(time.perf_counter() - start)
    for router in routers:
        router.close()


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


CACHES: dict[str, Callable[[Path, int], tuple[str, ...]]] = {
    "StayRTR": lambda file, port: (
        *("stayrtr", "-cache", str(file), "-checktime=false", "-bind", f"{HOST}:{port}", "-metrics.addr", f"{HOST}:0"),
        *("-protocol", "1", "-loglevel", "error", "-maxconn", "0"),
    ),
    "rpkival": lambda file, port: (*RPKIVAL, "rtr", "serve", "--vrps", str(file), "--listen", f"{HOST}:{port}", "-q"),
}


if __name__ == "__main__":
    main()
