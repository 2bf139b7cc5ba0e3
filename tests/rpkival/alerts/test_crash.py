"""kill -9 between an incident and its delivery loses nothing."""

from __future__ import annotations

import asyncio
import signal
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rpkival.alerts.deliverer import Deliverer
from rpkival.monitor.store import IncidentStore
from rpkival.storage import open_database

DETECTS = """
    import asyncio, sys, time
    from pathlib import Path
    import numpy as np
    from feeds.route_batch import PathTable, Peer, RouteBatch
    from rpkival.alerts.deliverer import Deliverer
    from rpkival.alerts.signature import read_secrets
    from rpkival.alerts.webhook import Endpoint
    from rpkival.monitor.expectations import Expectations, Own
    from rpkival.monitor.monitor import Monitor
    from rpkival.monitor.store import IncidentStore
    from rpkival.origin.index import OriginIndex
    from rpkival.payload.vrps import Vrp, Vrps
    from rpkival.prefixes import parse_prefix
    from rpkival.storage import open_database

    database = open_database(Path(sys.argv[1]))
    endpoint = Endpoint(sys.argv[2], read_secrets(Path(sys.argv[3])), ("127.0.0.1",))
    deliverer = Deliverer(database, [endpoint])
    vrps = Vrps.of([Vrp("192.0.2.0/24", 24, 64496)])
    monitor = Monitor(
        IncidentStore(database),
        expectations=Expectations.build(vrps, Own.of(["AS64496"])),
        index=OriginIndex.build(vrps),
    )
    one = RouteBatch(
        parse_prefix("192.0.2.0/25"), np.array([True]), np.array([64666], np.uint32), np.zeros(1, np.uint8),
        np.array([time.time()]), np.zeros(1, np.int32), np.zeros(1, np.int32), np.zeros(1, np.uint32),
        (Peer(64500, "192.0.2.9"),),
        PathTable(np.array([64500, 64666], np.uint32), np.array([0, 2]), np.zeros(2, np.bool_)),
    )
    monitor.process(one, time.time())
"""
THEN_STOPS = (
    DETECTS
    + """
    print("committed", flush=True)
    time.sleep(600)
"""
)
THEN_SENDS = (
    DETECTS
    + """
    print("committed", flush=True)
    asyncio.run(deliverer.run())
"""
)


async def _killed_after(script: str, arguments: list[str], until: Callable[[asyncio.subprocess.Process], Any]) -> None:
    """Run a script until something happens, then kill it as the kernel does when memory is short."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", textwrap.dedent(script), *arguments, stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(60):
        await until(process)
        process.kill()
        assert await process.wait() == -signal.SIGKILL


async def _committed(process: asyncio.subprocess.Process) -> None:
    assert process.stdout
    assert await process.stdout.readline() == b"committed\n"


async def test_killed_before_the_delivery(tmp_path: Path, start_receiver: Callable[[], Any]) -> None:
    """The next process finds the incident and its event, and delivers it."""
    receiver = await start_receiver()
    path, secret = tmp_path / "rpkival.sqlite", tmp_path / "secret"
    secret.write_text(receiver.secret.text())

    await _killed_after(THEN_STOPS, [str(path), receiver.url, str(secret)], _committed)
    assert receiver.requests == 0

    database = open_database(path)
    assert await Deliverer(database, [receiver.endpoint()]).deliver_due(time.time()) == 1
    (incident,) = IncidentStore(database).list(state="open")
    ((_, message),) = receiver.received
    assert message["type"] == "incident.opened"
    assert message["data"]["id"] == incident.id
    database.close()


async def test_killed_while_the_receiver_thinks(tmp_path: Path, start_receiver: Callable[[], Any]) -> None:
    """The answer never arrived: the same message comes again, under the same id."""
    receiver = await start_receiver()
    receiver.patience = 600.0
    path, secret = tmp_path / "rpkival.sqlite", tmp_path / "secret"
    secret.write_text(receiver.secret.text())
    ids = []

    async def asked(process: asyncio.subprocess.Process) -> None:
        ids.append(await receiver.arrivals.get())

    await _killed_after(THEN_SENDS, [str(path), receiver.url, str(secret)], asked)
    receiver.patience = 0.0

    database = open_database(path)
    deliverer = Deliverer(database, [receiver.endpoint()])
    assert await deliverer.deliver_due(time.time() + 60) == 1
    assert await receiver.arrivals.get() == ids[0]
    assert deliverer.outbox.reports()[0].attempts == 2
    database.close()
