"""Beacons answer as they would behind the chosen ISP, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias

import aiohttp
import pytest

from rpkival.errors import UsageError
from rpkival.lab import beacons as beacons_module
from rpkival.lab.beacons import BeaconAddress, Beacons
from rpkival.lab.propagation import IsInvalid, best_routes, nothing_invalid
from rpkival.lab.topology import LAB

Ask: TypeAlias = Callable[[str], Awaitable[dict[str, Any] | None]]


@pytest.fixture
async def beacons(by_the_roas: IsInvalid) -> AsyncIterator[Beacons]:
    """On the quiet day."""
    beacons = Beacons(LAB, best_routes(LAB, LAB.announcements(), by_the_roas))
    yield beacons
    await beacons.close()


@pytest.fixture
async def ask(beacons: Beacons) -> AsyncIterator[Ask]:
    """`await ask("valid")`: what the IPv4 beacon answers; None where it stays silent for a while."""
    urls = {beacon.name: beacon.url for beacon in await beacons.start() if beacon.family == 4}
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:

        async def go(name: str, patience: float = 20.0) -> dict[str, Any] | None:
            try:
                async with asyncio.timeout(patience), session.get(urls[name] + "some/path?x=1") as answer:
                    assert answer.headers["Access-Control-Allow-Origin"] == "*"
                    assert answer.headers["Cache-Control"] == "no-store"
                    return dict(await answer.json())
            except TimeoutError:
                return None

        yield go


@pytest.mark.parametrize(("isp", "asn"), LAB.isps)
async def test_valid_beacon_always_answers(isp: str, asn: int, beacons: Beacons, ask: Ask) -> None:
    """And names the ISP that the visitor sits behind."""
    beacons.set_isp(isp)

    answer = await ask("valid")

    assert answer is not None
    assert (answer["route"], answer["family"], answer["asn"]) == ("valid", 4, asn)
    assert answer["name"] == LAB.system(asn).name
    assert answer["crossed"][0] == asn


@pytest.mark.parametrize(("isp", "route"), [("drops", "valid"), ("accepts", "invalid"), ("half", "invalid")])
async def test_covered_beacon_tells_which_route_was_taken(isp: str, route: str, beacons: Beacons, ask: Ask) -> None:
    """It answers either way, even where the ISP drops and its provider does not."""
    beacons.set_isp(isp)

    answer = await ask("covered")

    assert answer is not None
    assert answer["route"] == route


async def test_invalid_beacon_answers_behind_who_accepts(beacons: Beacons, ask: Ask) -> None:
    """There is a route, an invalid one."""
    beacons.set_isp("accepts")

    answer = await ask("invalid")

    assert answer is not None
    assert answer["route"] == "invalid"


@pytest.mark.parametrize("isp", ["drops", "half"])
async def test_invalid_beacon_is_silent_behind_who_drops(
    isp: str,
    beacons: Beacons,
    ask: Callable[..., Awaitable[object]],
    eventually: Callable[..., Awaitable[None]],
) -> None:
    """The connection is accepted and never answered, as far as anybody waits; who gave up is not counted any more."""
    beacons.set_isp(isp)

    assert await ask("invalid", 0.3) is None

    await eventually(lambda: beacons._silent == 0)


async def test_isp_and_routes_change_while_it_runs(beacons: Beacons, ask: Callable[..., Awaitable[object]]) -> None:
    """At once, both."""
    assert beacons.isp == "drops"
    assert await ask("invalid", 0.2) is None
    beacons.set_isp("accepts")
    assert await ask("invalid")
    beacons.set_isp("drops")
    assert await ask("invalid", 0.2) is None
    beacons.set_tables(best_routes(LAB, LAB.announcements(), nothing_invalid))
    assert await ask("invalid")


async def test_request_may_name_its_isp(beacons: Beacons) -> None:
    """Whatever others are behind; an ISP that is not there is named."""
    [covered] = [each.url for each in await beacons.start(host6=None) if each.name == "covered"]
    async with aiohttp.ClientSession() as session:
        async with session.get(covered, params={"isp": "accepts"}) as answer:
            assert (await answer.json())["route"] == "invalid"
        async with session.get(covered) as answer:
            assert (await answer.json())["route"] == "valid"
        async with session.get(covered, params={"isp": "<b>"}) as answer:
            assert answer.status == 404
            assert answer.content_type == "text/plain"
            assert "drops, accepts, half" in await answer.text()


async def test_silence_ends(
    monkeypatch: pytest.MonkeyPatch, beacons: Beacons, ask: Callable[..., Awaitable[object]]
) -> None:
    """By a hang-up, after a while or where too many wait; nothing was said."""
    monkeypatch.setattr(beacons_module, "SILENT_SECONDS", 0.05)
    with pytest.raises(aiohttp.ClientError):
        await ask("invalid")
    monkeypatch.setattr(beacons_module, "SILENT_SECONDS", 60)
    monkeypatch.setattr(beacons_module, "MAX_SILENT_REQUESTS", 0)
    with pytest.raises(aiohttp.ClientError):
        await ask("invalid")


async def test_closing_does_not_wait_for_the_silent(beacons: Beacons, ask: Callable[..., Awaitable[object]]) -> None:
    """Requests that nobody answers end with the server."""
    waiting = asyncio.create_task(ask("invalid"))
    await ask("valid")
    await asyncio.sleep(0.05)

    async with asyncio.timeout(10):
        await beacons.close()
        with pytest.raises(aiohttp.ClientError):
            await waiting


async def test_both_families_each_on_its_own_port(beacons: Beacons) -> None:
    """Three of IPv4, and three of IPv6 where the machine has it."""
    addresses = await beacons.start()
    by_family = {family: [each.name for each in addresses if each.family == family] for family in (4, 6)}

    assert by_family[4] == ["valid", "invalid", "covered"]
    assert by_family[6] in ([], ["valid", "invalid", "covered"])
    assert len({each.url for each in addresses}) == len(addresses)
    async with aiohttp.ClientSession() as session:
        for each in addresses:
            if each.name == "covered":
                async with session.get(each.url) as answer:
                    assert (await answer.json())["family"] == each.family


async def test_without_ipv6(beacons: Beacons) -> None:
    """None asks for none; an address that the machine lacks is no fault."""
    assert {each.family for each in await beacons.start(host6=None)} == {4}
    await beacons.close()
    assert {each.family for each in await beacons.start(host6="2001:db8::dead")} == {4}


async def test_given_ports_and_ports_in_use(beacons: Beacons) -> None:
    """From one on, in order; one sentence where one is taken."""
    first = await beacons.start(host6=None)
    taken = int(first[1].url.rsplit(":", 1)[1].strip("/"))
    other = Beacons(LAB, {})

    with pytest.raises(UsageError, match=f"port {taken}"):
        await other.start(host6=None, port=taken)
    await other.close()


def test_unknown_isp(beacons: Beacons) -> None:
    """Named with those there are."""
    with pytest.raises(UsageError, match="drops, accepts, half"):
        beacons.set_isp("somebody")


def test_address_is_a_value() -> None:
    """For pages and tests to compare."""
    assert BeaconAddress("valid", 4, "http://127.0.0.1:1/") == BeaconAddress("valid", 4, "http://127.0.0.1:1/")
