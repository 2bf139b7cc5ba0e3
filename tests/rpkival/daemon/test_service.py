"""The whole service on loopback: what it serves, and what it survives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from rpkival.config import Config, Rtr, Slurm
from rpkival.daemon.job import Job
from rpkival.daemon.service import Addresses, Service
from rpkival.errors import UsageError
from rpkival.lab.topology import LAB
from rpkival.rtr.client import RtrClient, fetch_payload
from rpkival.rtr.doors import Door
from rpkival.rtr.pdu import Timers
from rpkival.storage import DATABASE_NAME
from web.view import View

ANYWHERE = ("127.0.0.1", 0)


@asynccontextmanager
async def running(directory: Path, job: Job, view: View) -> AsyncIterator[tuple[Service, Addresses]]:
    """A service that is ended at the end."""
    service = Service(Config(), directory, job, view, rtr=ANYWHERE, http=ANYWHERE)
    addresses = await service.start()
    try:
        yield service, addresses
    finally:
        await service.close()


async def until(condition: Callable[[], object]) -> None:
    """Wait for `condition`, but not for ever."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - a view sets no Event
            await asyncio.sleep(0.02)


async def test_signed_objects_reach_routers_and_the_page(job: Job, tmp_path: Path) -> None:
    """From the registry's ROAs to RTR and HTTP."""
    view = View()

    async with running(tmp_path, job, view) as (_, addresses):
        vrps = (await asyncio.to_thread(fetch_payload, *addresses.rtr[0].address, timeout=30)).vrps
        await until(lambda: view.snapshot)
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{addresses.http[1]}/csv") as csv:
            lines = (await csv.text()).splitlines()

    assert {(vrp.asn, vrp.prefix, vrp.max_length) for vrp in vrps} == set(LAB.roas)
    assert len(lines) == len(LAB.roas) + 1


def test_every_address_is_told() -> None:
    """A line each, in the words of the first lines of `rpkival up`."""
    doors = (Door(("192.0.2.1", 323)), Door(("2001:db8::1", 324), tls=True))

    assert Addresses(doors, ("::1", 8323)).told() == [
        "page, API, metrics   http://[::1]:8323",
        "RTR for routers      192.0.2.1:323",
        "RTR over TLS         [2001:db8::1]:324",
    ]


async def test_local_exceptions_are_followed(job: Job, tmp_path: Path) -> None:
    """From the configuration to routers; a change of the file is there without a validation."""

    def write(prefix: str) -> Path:
        path = tmp_path / "slurm.json"
        path.write_text(
            '{"slurmVersion": 1, "validationOutputFilters": {"prefixFilters": [{"prefix": "0.0.0.0/0"}, '
            '{"prefix": "::/0"}], "bgpsecFilters": []}, "locallyAddedAssertions": {"prefixAssertions": '
            f'[{{"asn": 1, "prefix": "{prefix}"}}], "bgpsecAssertions": []}}}}'
        )
        return path

    config = Config(slurm=Slurm(files=(write("10.0.0.0/8"),)))
    view = View()
    service = Service(config, tmp_path, job, view, rtr=ANYWHERE, http=ANYWHERE)
    try:
        addresses = await service.start()
        first = (await asyncio.to_thread(fetch_payload, *addresses.rtr[0].address, timeout=30)).vrps
        await until(lambda: view.snapshot)
        write("11.0.0.0/8")
        await until(lambda: view.snapshot and view.snapshot.serial == 1)
        second = (await asyncio.to_thread(fetch_payload, *addresses.rtr[0].address, timeout=30)).vrps
    finally:
        await service.close()

    assert [vrp.prefix for vrp in first] == ["10.0.0.0/8"]
    assert [vrp.prefix for vrp in second] == ["11.0.0.0/8"]


async def test_routers_are_told_the_configured_timers(job: Job, tmp_path: Path) -> None:
    """`[rtr]` of the configuration; what cannot be is told before anything listens."""
    service = Service(
        Config(rtr=Rtr(refresh=60, retry=5, expire=700)), tmp_path, job, View(), rtr=ANYWHERE, http=ANYWHERE
    )
    try:
        addresses = await service.start()
        with RtrClient(*addresses.rtr[0].address, timeout=30) as client:
            await asyncio.to_thread(client.sync)
            assert client.timers == Timers(60, 5, 700)
    finally:
        await service.close()

    wrong = Service(Config(rtr=Rtr(retry=7201)), tmp_path, job, View(), rtr=ANYWHERE, http=ANYWHERE)
    with pytest.raises(UsageError, match=r"\[rtr\]: The retry interval of RTR must be between 1 and 7200"):
        await wrong.start()


async def test_a_damaged_database_stops_alerts_and_not_routers(job: Job, tmp_path: Path) -> None:
    """The page says that nobody watches; routers get what they need."""
    (tmp_path / DATABASE_NAME).write_bytes(b"this is no database" * 1000)
    view = View()

    async with running(tmp_path, job, view) as (_, addresses):
        vrps = (await asyncio.to_thread(fetch_payload, *addresses.rtr[0].address, timeout=30)).vrps
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{addresses.http[1]}/") as page:
            text = await page.text()

    assert len(vrps) == len(LAB.roas)
    assert "Hijacks are not watched" in text


async def test_a_listener_that_fails_keeps_nothing_from_the_others(job: Job, tmp_path: Path) -> None:
    """One room's fault is its own."""
    view, told = View(), []

    def broken() -> None:
        raise RuntimeError

    service = Service(Config(), tmp_path, job, view, rtr=ANYWHERE, http=ANYWHERE)
    service.on_payload(broken)
    service.on_payload(lambda: told.append(view.snapshot))
    await service.start()
    await until(lambda: told)
    await service.close()


async def test_one_data_directory_is_for_one_process(job: Job, tmp_path: Path) -> None:
    """Two would give out the same serials for different data."""
    async with running(tmp_path, job, View()):
        other = Service(Config(), tmp_path, job, View(), rtr=ANYWHERE, http=ANYWHERE)

        with pytest.raises(UsageError, match="data directory"):
            await other.start()
