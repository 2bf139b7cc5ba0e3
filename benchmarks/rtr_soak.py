"""A cache and its routers in bad weather, and a checker that compares every router's set with ours at every serial.

    python benchmarks/rtr_soak.py [--seconds 600] [--routers 12] [--vrps 5000] [--seed 1]

VRPs, ASPAs and router keys come and go at random; the cache restarts, with its session or without; routers restart; the
network cuts connections wherever they are. Each router speaks one of the versions 0, 1 and 2, and is held to what was
served at the serial that it has: one difference, one breach of the protocol, or memory that grows, and the exit code is
1. The last line says what was seen.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import structlog
import uvloop

from rpkival.errors import FetchError, ProtocolError
from rpkival.payload.changes import Changes
from rpkival.payload.payload import Aspa, Payload, RouterKey
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.rtr.cache import AnswerKind, Cache
from rpkival.rtr.client import RtrClient
from rpkival.rtr.errors import ErrorCode
from rpkival.rtr.pdu import PeerError
from rpkival.rtr.server import RtrServer

HOST = "127.0.0.1"
PATIENCE = 20.0
SETTLE_SECONDS = 60.0
GROWTH = 1.2
GROWTH_MEGABYTES = 30.0
"""Resident memory may grow by a fifth and this from its first fifth of the time to the end: allocators breathe."""

_REMEMBERED = 900
"""Serials of each version, three hundred: none of the routers is slower than that many changes."""

Told = tuple[frozenset[object], frozenset[object], frozenset[object]]


def main() -> None:
    """Run and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--routers", type=int, default=12)
    parser.add_argument("--vrps", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = random.randrange(2**32) if options.seed is None else options.seed
    print(f"Seed {seed}.", flush=True)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    soak = Soak(options.routers, options.vrps, random.Random(seed))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(soak.run(options.seconds))
    seen = ", ".join(f"{count} {what}" for what, count in sorted(soak.seen.items()))
    print(f"{seen}; {soak.memory[0]:.0f} MB resident after a fifth of the time, {soak.memory[1]:.0f} MB at the end.")
    for fault in soak.faults:
        print(f"FAULT: {fault}")
    sys.exit(1 if soak.faults else 0)


def told(payload: Payload, version: int) -> Told:
    """What a router of `version` is to have."""
    return (
        frozenset((vrp.prefix, vrp.max_length, vrp.asn) for vrp in payload.vrps),
        frozenset(key.identity for key in payload.router_keys) if version >= 1 else frozenset(),
        frozenset((aspa.customer, aspa.providers) for aspa in payload.aspas) if version >= 2 else frozenset(),
    )


class Soak:
    """The cache, the network, the routers, and what was served at which serial."""

    def __init__(self, routers: int, vrps: int, rng: random.Random) -> None:
        self._rng = rng
        self._pool = [
            Vrp(f"10.{n >> 8 & 255}.{n & 255}.0/24", 24, 1 + n)
            if n % 4
            else Vrp(f"2001:db8:{n:x}::/48", 48 + n % 16, 1 + n)
            for n in range(vrps)
        ]
        self._chosen = set(range(0, vrps, 2))
        self._aspas: dict[int, tuple[int, ...]] = {}
        self._keys: set[int] = set()
        self._served: dict[tuple[int, int], Payload] = {}
        self._history: tuple[Changes, ...] = ()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._steady = threading.Event()
        self._settled = [False] * routers
        self._routers = routers
        self._wires: set[asyncio.WriteTransport] = set()
        self.seen: Counter[str] = Counter()
        self.faults: list[str] = []
        self.memory = [0.0, 0.0]

    async def run(self, seconds: float) -> None:
        """Rage for `seconds`, then let every router come to rest at the last serial."""
        loop = asyncio.get_running_loop()
        self._cache = Cache(self._rng.randrange(2**16), self._rng.choice([0, 2**32 - 20]))
        self._update()
        self._server = RtrServer(self._cache, notify_seconds=0)
        self._inner = await self._server.start(HOST, 0)
        network = await asyncio.start_server(self._forward, HOST, 0, backlog=256)
        port = network.sockets[0].getsockname()[1]
        threads = [
            threading.Thread(target=self._router, args=(number, port, random.Random(self._rng.random())))
            for number in range(self._routers)
        ]
        for thread in threads:
            thread.start()
        began = loop.time()
        try:
            await self._rage(began, began + seconds)
            self._steady.set()
            end = loop.time() + SETTLE_SECONDS
            while not all(self._settled) and not self.faults and loop.time() < end:  # noqa: ASYNC110 - threads set no Event
                await asyncio.sleep(0.1)
            if not all(self._settled):
                self.faults.append(f"{self._settled.count(False)} routers never came to the last serial")
        finally:
            self._over.set()
            self.memory[1] = resident()
            for thread in threads:
                await asyncio.to_thread(thread.join)
            await self._server.close()
            network.close()
        if self.memory[1] > GROWTH * self.memory[0] + GROWTH_MEGABYTES:
            self.faults.append(f"memory grew from {self.memory[0]:.0f} to {self.memory[1]:.0f} MB")

    async def _rage(self, began: float, end: float) -> None:
        loop, rng = asyncio.get_running_loop(), self._rng
        fates: tuple[tuple[float, Callable[[], object]], ...] = (
            (0.80, self._change),
            (0.15, self._cut),
            (0.03, lambda: self._restart(keep=True)),
            (0.01, lambda: self._restart(keep=False)),
            (0.01, self._change_much),
        )
        while loop.time() < end and not self.faults:
            (fate,) = rng.choices([what for _, what in fates], [share for share, _ in fates])
            running = fate()
            if asyncio.iscoroutine(running):
                await running
            await asyncio.sleep(rng.uniform(0, 0.2))
            if not self.memory[0] and loop.time() > began + (end - began) / 5:
                self.memory[0] = resident()

    # --- what happens ---

    async def _change(self) -> None:
        rng = self._rng
        self._chosen ^= set(rng.sample(range(len(self._pool)), rng.randrange(1, 20)))
        customer = rng.randrange(1, 50)
        if rng.random() < 0.3:
            self._aspas.pop(customer, None)
        else:
            self._aspas[customer] = tuple(sorted(rng.sample(range(1, 1000), rng.randrange(1, 5))))
        self._keys ^= {rng.randrange(50)}
        await self._put()

    async def _change_much(self) -> None:
        self._chosen = set(self._rng.sample(range(len(self._pool)), self._rng.randrange(len(self._pool))))
        await self._put()

    async def _put(self) -> None:
        if await asyncio.to_thread(self._update):
            self.seen["serials"] += 1
            self._server.notify()

    def _update(self) -> bool:
        payload = Payload(
            Vrps.of(self._pool[row] for row in sorted(self._chosen)),
            tuple(Aspa(customer, providers) for customer, providers in sorted(self._aspas.items())),
            tuple(RouterKey(key, bytes([key]) * 20, b"key %d" % key) for key in sorted(self._keys)),
        )
        return self._cache.update(payload, save=self._remember)

    def _remember(self, payload: Payload, serial: int, history: tuple[Changes, ...]) -> None:
        """Before any router can have it."""
        self._history = history
        with self._lock:
            for version in range(3):
                self._served[self._cache.session_id_of(version), serial] = payload
            while len(self._served) > _REMEMBERED:
                del self._served[next(iter(self._served))]

    async def _cut(self) -> None:
        """A connection, or all of them."""
        wires = list(self._wires)
        for wire in wires if self._rng.random() < 0.1 else self._rng.sample(wires, min(1, len(wires))):
            wire.abort()
            self.seen["cuts"] += 1

    async def _restart(self, *, keep: bool) -> None:
        """As a process does that has kept its session, serial and maybe history, or one that has lost them."""
        old = self._cache
        await self._server.close()
        await asyncio.sleep(self._rng.uniform(0, 0.5))
        session = old.session_id if keep else self._rng.randrange(2**16)
        history = self._history if keep and self._rng.random() < 0.5 else ()
        self._cache = Cache(session, old.serial if keep else self._rng.randrange(2**32), history=history)
        self._cache.update(old.payload, save=self._remember)
        self._server = RtrServer(self._cache, notify_seconds=0)
        await self._server.start(*self._inner)
        self.seen["restarts with the session" if keep else "restarts without"] += 1

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The network: octets to the cache and back, until it is cut."""
        try:
            to_cache, cache = await asyncio.open_connection(*self._inner)
        except OSError:
            writer.transport.abort()
            return
        self._wires.add(writer.transport)
        ways = [asyncio.create_task(pipe(reader, cache)), asyncio.create_task(pipe(to_cache, writer))]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        self._wires.discard(writer.transport)
        writer.transport.abort()
        cache.transport.abort()

    # --- routers, each in a thread ---

    def _router(self, number: int, port: int, rng: random.Random) -> None:
        version = number % 3
        client = RtrClient(HOST, port, timeout=PATIENCE, version=version, strict_order=True)
        while not self._over.is_set():
            try:
                kind = client.sync()
            except FetchError:
                self._count("syncs cut short")
                time.sleep(rng.uniform(0, 0.3))
                continue
            except PeerError as error:
                if error.report.code != ErrorCode.CACHE_RESTART:
                    self._fault(number, f"was told {error}")
                continue
            except (ProtocolError, AssertionError) as error:
                self._fault(number, f"says {error}")
                continue
            self._check(number, version, client, kind)
            if rng.random() < 0.02 and not self._steady.is_set():
                client.close()
                client = RtrClient(HOST, port, timeout=PATIENCE, version=version, strict_order=True)
                self._count("router restarts")
            time.sleep(rng.uniform(0, 0.3))
        client.close()

    def _check(self, number: int, version: int, client: RtrClient, kind: AnswerKind) -> None:
        end = client.end
        assert end is not None
        with self._lock:
            served = self._served.get((end.session_id, end.serial))
        if served is None:
            self._fault(number, f"has serial {end.serial} of session {end.session_id}, which never was")
        elif told(client.payload, version) != told(served, version):
            self._fault(number, f"differs at serial {end.serial}, after a {kind}")
        self._count(f"comparisons after a {kind}")
        if self._steady.is_set() and end.serial == self._cache.serial:
            self._settled[number] = True

    def _count(self, what: str) -> None:
        with self._lock:
            self.seen[what] += 1

    def _fault(self, number: int, what: str) -> None:
        with self._lock:
            self.faults.append(f"Router {number} {what}.")


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Octets from here to there, until there are no more."""
    while data := await reader.read(64 * 1024):
        writer.write(data)
        await writer.drain()


def resident() -> float:
    """Megabytes of this process in memory."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    main()
