"""What the tests against real programs share: a cache that serves them, and the world's VRPs."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rpkival.lab.rsync_daemon import RsyncDaemon
from rpkival.payload.formats import read_vrps
from rpkival.payload.payload import Payload
from rpkival.payload.vrps import Vrps
from rpkival.rtr.cache import Cache
from rpkival.rtr.errors import ErrorCode
from rpkival.rtr.server import RtrServer, SessionInfo

DEADLINE = 60.0
MANY_FILES = 1 << 30
"""Octets; those of test_validators_served.py are half of it."""


@pytest.fixture(scope="session")
def newer_peers() -> Path | None:
    """A directory of `rpki-client`, `fort` and `bgpd` with `bgpctl`, newer than those installed; None without one."""
    named = os.environ.get("RPKIVAL_NEWER_PEERS")
    if named is None:
        return None
    directory = Path(named).resolve()
    for name in ("rpki-client", "fort", "bgpd", "bgpctl"):
        assert (directory / name).is_file(), f"RPKIVAL_NEWER_PEERS names {named}, where there is no {name}"
    return directory


@pytest.fixture(scope="session")
def needed_newer_peers(newer_peers: Path | None) -> Path:
    """Those, for tests that have nothing to say to older ones."""
    if newer_peers is None:
        pytest.skip("no newer peers; .ci/newer-peers DIR fetches them, and RPKIVAL_NEWER_PEERS=DIR/bin names them")
    return newer_peers


@pytest.fixture(scope="session")
def roomy() -> Path:
    """Where a hundred thousand files come and go fast: in memory where it has the room, else where temporary files are.

    On a disk that discards what is deleted, deleting them takes minutes.
    """
    memory = Path("/dev/shm")
    if memory.is_dir() and shutil.disk_usage(memory).free > MANY_FILES:
        return memory
    return Path(tempfile.gettempdir())


class LiveCache:
    """A cache and its server in a thread, on a port of loopback."""

    def __init__(self) -> None:
        self.cache = Cache(session_id=4711)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._server = RtrServer(self.cache, notify_seconds=0)
        self.host, self.port = self._run(self._server.start("127.0.0.1", 0))

    def listen_too(self, **transport: Any) -> tuple[str, int]:
        """Listen on another port, by another transport; gives where."""
        address: tuple[str, int] = self._run(self._server.start("127.0.0.1", 0, **transport))
        return address

    def serve(self, served: Vrps | Payload) -> None:
        """Serve this set from now on and notify who is connected."""

        async def update() -> None:
            self.cache.update(Payload(served) if isinstance(served, Vrps) else served)
            self._server.notify()

        self._run(update())

    def restart(self, *, away: float, served: Vrps | None = None) -> None:
        """End, be away for some seconds, and come back as a new process would: from the snapshot of the old one.

        `served` is what has come meanwhile.
        """
        self._run(self._server.close())
        time.sleep(away)
        old = self.cache
        self.cache = Cache(old.session_id, old.serial, timers=old.timers, history=old.history)
        self.cache.update(old.payload)
        if served is not None:
            self.cache.update(Payload(served))
        self._server = RtrServer(self.cache, notify_seconds=0)
        self._run(self._server.start(self.host, self.port))

    def leave(self, code: ErrorCode) -> None:
        """End, and tell the routers so."""
        self._run(self._server.close(code=code))

    def sessions(self) -> tuple[SessionInfo, ...]:
        """The routers that are connected."""

        async def sessions() -> tuple[SessionInfo, ...]:
            return self._server.sessions()

        return self._run(sessions())

    def close(self) -> None:
        """Stop serving."""
        self._run(self._server.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(DEADLINE)


@pytest.fixture
def live_cache() -> Iterator[LiveCache]:
    """A cache without data yet, served to whoever connects."""
    live = LiveCache()
    yield live
    live.close()


_GOBGP = """
[global.config]
  as = 65550
  router-id = "{router_id}"
  port = -1
{rpki}
[[neighbors]]
  [neighbors.config]
    neighbor-address = "{address}"
    peer-as = 64496
  [neighbors.transport.config]
    remote-port = {port}
  [neighbors.timers.config]
    connect-retry = 1
    idle-hold-time-after-reset = 1
  [neighbors.ebgp-multihop.config]
    enabled = true
    multihop-ttl = 5
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv4-unicast"
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv6-unicast"
"""


@pytest.fixture(scope="session")
def gobgp_configuration() -> Callable[..., str]:
    """GoBGP as AS65550 with one neighbour, AS64496 at `address` and `port`; `rpki` is what `rpkival router` prints."""

    def write(router_id: str, address: str, port: int, *, rpki: str = "") -> str:
        return _GOBGP.format(router_id=router_id, address=address, port=port, rpki=rpki)

    return write


@pytest.fixture(scope="session")
def world(shared_data: Path) -> Vrps:
    """All VRPs of the world, as of 2025-07-20."""
    name = "rpkiclient_20250720T0931.json.bz2"
    return read_vrps((shared_data / "vrps" / name).read_bytes(), name=name).vrps


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start a program in the test's directory, its output in files there; ended with the test."""
    running: list[subprocess.Popen[bytes]] = []

    def start_program(*argv: str) -> subprocess.Popen[bytes]:
        log = (tmp_path / f"{Path(argv[0]).name}.log").open("wb")
        with log:
            process = subprocess.Popen(
                argv, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        running.append(process)
        return process

    yield start_program
    for process in running:
        process.terminate()
    for process in running:
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="session")
def eventually() -> Callable[..., None]:
    """`eventually(look, expected)`: what `look()` gives becomes `expected` before the deadline, or the test fails."""

    def wait(look: Callable[[], object], expected: object, *, seconds: float = DEADLINE) -> None:
        end = time.monotonic() + seconds
        while (seen := look()) != expected:
            assert time.monotonic() < end, f"still {seen!r} instead of {expected!r}"
            time.sleep(0.1)

    return wait


@pytest.fixture
def public_place(rsync_daemon: RsyncDaemon) -> Iterator[Path]:
    """A directory that other users may read, and in its `bin` an `rsync` that finds every host on our daemon.

    rpki-client works as a user of its own where root starts it, so pytest's private directories will not do.
    """
    with tempfile.TemporaryDirectory(prefix="rpkival-interop-") as name:
        place = Path(name)
        place.chmod(0o755)
        (place / "bin").mkdir(mode=0o755)
        rsync_daemon.write_client(place / "bin/rsync")
        yield place
