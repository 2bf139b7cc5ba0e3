"""The whole lab at a hundred times its speed: routers, monitors and browsers see the same hijack begin and end."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address
from typing import TypeAlias

import aiohttp
import pytest

from feeds.bgp_message import HEADER_BYTES, KEEPALIVE, MessageType, Open, decode_header
from feeds.bgp_update import Update
from feeds.ris_live import RisLive, Subscription, Timing
from feeds.route_batch import RouteBatch
from rpkival.errors import UsageError
from rpkival.lab.internet import LabInternet, collector_peers
from rpkival.lab.propagation import IsInvalid
from rpkival.lab.scenario import Scenario
from rpkival.lab.topology import LAB

Eventually: TypeAlias = Callable[..., Awaitable[None]]

HIJACK = str(LAB.hijack.prefix)
BEGIN, END = Scenario(LAB.hijack, repeats=None).events()
STATE = 3 * 24 + 4 * 20
"""Routes of the seven peers on a quiet day; to four of them the four invalid ones do not come."""


async def monitor(url: str, subscribed: asyncio.Event) -> list[tuple[str, str, tuple[int, ...]]]:
    """Subscribe to the hijacked prefix; returns who said what until all who announced it withdrew it."""
    story = []
    async with asyncio.timeout(30), aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        await socket.send_json({"type": "ris_subscribe", "data": {"prefix": HIJACK}})
        await socket.send_json({"type": "ping"})
        announced: set[str] = set()
        while True:
            message = json.loads(await socket.receive_str())
            if message["type"] == "pong":
                subscribed.set()
                continue
            data = message["data"]
            if "announcements" in data:
                story.append(("announced", data["peer_asn"], tuple(data["path"])))
                announced.add(data["peer_asn"])
            else:
                story.append(("withdrawn", data["peer_asn"], ()))
                announced.discard(data["peer_asn"])
                if not announced:
                    return story


async def router(host: str, port: int, ready: asyncio.Event) -> list[str]:
    """A BGP session; returns what became of the hijacked prefix until its withdrawal."""
    story = []
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(Open(65550, 90, IPv4Address("192.0.2.50")).encode() + KEEPALIVE)
    async with asyncio.timeout(30):
        while "withdrawn" not in story:
            kind, length = decode_header(await reader.readexactly(HEADER_BYTES))
            body = await reader.readexactly(length)
            if kind is not MessageType.UPDATE:
                continue
            update = Update.decode(body)
            ready.set()
            if LAB.hijack.prefix in update.withdrawn:
                story.append("withdrawn")
            if any(LAB.hijack.prefix in reach.prefixes for reach in update.announced):
                assert update.as_path == (64496, 64510)
                story.append("announced")
    writer.close()
    await writer.wait_closed()
    return story


async def test_hijack_is_seen_by_routers_and_monitors(by_the_roas: IsInvalid) -> None:
    """It begins after 8 seconds and ends after 60, of which 100 pass in one."""
    async with LabInternet(scenario=Scenario(LAB.hijack, repeats=None), is_invalid=by_the_roas) as lab:
        addresses = await lab.start()
        ready = [asyncio.Event(), asyncio.Event()]
        watching = asyncio.gather(
            monitor(addresses.collector, ready[0]), router(*addresses.bgp, ready[1]), return_exceptions=False
        )
        async with asyncio.timeout(30):
            await asyncio.gather(*(each.wait() for each in ready))
            assert not lab.hijacked
            await lab.run(speed=100)
        assert not lab.hijacked
        heard, learned = await watching

    assert addresses.bgp_asn == 64496
    assert learned == ["announced", "withdrawn"]
    assert sorted(heard) == [
        ("announced", "64496", (64496, 64510)),
        ("announced", "64501", (64501, 64496, 64510)),
        ("announced", "65536", (65536, 64496, 64510)),
        ("withdrawn", "64496", ()),
        ("withdrawn", "64501", ()),
        ("withdrawn", "65536", ()),
    ]


async def test_our_own_client_follows_the_lab(by_the_roas: IsInvalid) -> None:
    """What monitors rest on: the state, the hijack from three peers, its withdrawal; nothing malformed."""
    told: list[tuple[str, bool, int, int, tuple[int, ...]]] = []
    async with LabInternet(is_invalid=by_the_roas) as lab:
        addresses = await lab.start(host6=None)
        feed = RisLive(addresses.collector, subscribe=Subscription(), timing=Timing(gather=0.01))
        async with asyncio.timeout(30):
            async with contextlib.aclosing(feed.batches()) as stream:
                async for batches in stream:
                    told += [row for batch in batches for row in rows(batch)]
                    heard = [prefix for prefix, *_ in told].count(HIJACK)
                    if len(told) == STATE:
                        lab.apply(BEGIN)
                    elif heard == 3 and lab.hijacked:
                        lab.apply(END)
                    elif heard == 6:
                        break

    assert feed.status.malformed == 0
    assert {batch[0] for batch in told[:STATE]} == {str(a.prefix) for a in LAB.announcements()}
    assert sorted(told[STATE : STATE + 3]) == [
        (HIJACK, True, 64496, 64510, (64496, 64510)),
        (HIJACK, True, 64501, 64510, (64501, 64496, 64510)),
        (HIJACK, True, 65536, 64510, (65536, 64496, 64510)),
    ]
    assert sorted(told[STATE + 3 :]) == [(HIJACK, False, asn, 0, ()) for asn in (64496, 64501, 65536)]


def rows(batch: RouteBatch) -> list[tuple[str, bool, int, int, tuple[int, ...]]]:
    """Prefix, whether announced, peer, origin, path."""
    assert batch.collector == "rrc-lab.rpkival.lab"
    return [
        (
            prefix,
            bool(batch.announced[row]),
            batch.peers[batch.peer[row]].asn,
            int(batch.origin[row]),
            tuple(batch.paths.path(batch.path[row])) if batch.announced[row] else (),
        )
        for row, prefix in enumerate(batch.prefixes.texts())
    ]


async def test_who_comes_during_the_hijack_sees_it_at_once(by_the_roas: IsInvalid, eventually: Eventually) -> None:
    """The state comes first, at the collector and over BGP."""
    async with LabInternet(scenario=Scenario(LAB.hijack, starts=0), is_invalid=by_the_roas) as lab:
        addresses = await lab.start()
        running = asyncio.create_task(lab.run())
        await eventually(lambda: lab.hijacked)
        subscribed, ready = asyncio.Event(), asyncio.Event()
        watching = asyncio.gather(monitor(addresses.collector, subscribed), router(*addresses.bgp, ready))
        async with asyncio.timeout(30):
            await asyncio.gather(subscribed.wait(), ready.wait())
        running.cancel()
        for event in list(Scenario(LAB.hijack, repeats=None).events())[1:]:
            lab.apply(event)
        heard, learned = await watching

    assert len(heard) == 6
    assert learned == ["announced", "withdrawn"]


async def test_vrps_that_arrive_make_the_droppers_drop(by_the_roas: IsInvalid) -> None:
    """Before there are any, everybody takes everything; the verdict can change at any time."""
    async with LabInternet() as lab:
        lab.apply(next(Scenario(LAB.hijack).events()))
        holders = {asn for asn, table in lab.tables.items() if LAB.hijack.prefix in table}
        assert holders == {system.asn for system in LAB.systems}

        lab.set_verdict(by_the_roas)

        holders = {asn for asn, table in lab.tables.items() if LAB.hijack.prefix in table}
        assert holders == {64496, 64501, 64505, 64510, 65536, 65537}


async def test_beacons_follow_the_isp(by_the_roas: IsInvalid) -> None:
    """Also through the whole."""
    async with LabInternet(is_invalid=by_the_roas) as lab, aiohttp.ClientSession() as session:
        addresses = await lab.start(host6=None)
        [covered] = [beacon.url for beacon in addresses.beacons if beacon.name == "covered"]
        routes = {}
        for isp, _ in LAB.isps:
            lab.set_isp(isp)
            assert lab.isp == isp
            async with session.get(covered) as answer:
                routes[isp] = (await answer.json())["route"]

    assert routes == {"drops": "valid", "accepts": "invalid", "half": "invalid"}


async def test_nothing_listens_where_one_port_is_taken() -> None:
    """The first server is closed again."""
    async with LabInternet() as lab, LabInternet() as other:
        taken = await lab.start(host6=None)
        port = int(taken.collector.split(":")[2].split("/")[0])

        with pytest.raises(UsageError, match=f"port {port}"):
            await other.start(host6=None, collector_port=port)

        assert other.sessions() == ()
        free = await other.start(host6=None)
        assert free.bgp != taken.bgp


def test_collector_peers_have_addresses_of_their_own() -> None:
    """Two each, all different."""
    peers = collector_peers(LAB)
    addresses = [address for peer in peers for _, address in peer.addresses]

    assert len(peers) == 7
    assert len(set(addresses)) == 14
