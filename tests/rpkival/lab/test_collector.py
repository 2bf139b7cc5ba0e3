"""The collector over a real websocket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from ipaddress import ip_address, ip_network
from typing import Any, TypeAlias

import aiohttp
import pytest

from rpkival.errors import UsageError
from rpkival.lab import collector as collector_module
from rpkival.lab.collector import Collector, CollectorPeer
from rpkival.lab.updates import Paths

Follow: TypeAlias = Callable[..., Awaitable[aiohttp.ClientWebSocketResponse]]
Eventually: TypeAlias = Callable[..., Awaitable[None]]

OPEN_ISP = CollectorPeer(64501, ((4, ip_address("192.0.2.11")), (6, ip_address("2001:db8:ffff::11"))))
GUARDED_ISP = CollectorPeer(64500, ((4, ip_address("192.0.2.12")), (6, ip_address("2001:db8:ffff::12"))))
VICTIM, HIJACK = ip_network("198.18.64.0/20"), ip_network("198.18.66.0/24")
CAMPUS6 = ip_network("2001:db8:700::/40")
QUIET: dict[CollectorPeer, Paths] = {
    OPEN_ISP: {VICTIM: (64501, 64496, 64505), CAMPUS6: (64501, 64496, 64497, 64511)},
    GUARDED_ISP: {VICTIM: (64500, 64497, 64505)},
}
ATTACK = QUIET | {OPEN_ISP: {**QUIET[OPEN_ISP], HIJACK: (64501, 64496, 64510)}}


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    """One whose peers have the quiet day's tables."""
    collector = Collector(clock=lambda: 1795216000.128)
    collector.set_tables(QUIET)
    yield collector
    await collector.close()


@pytest.fixture
async def follow(collector: Collector) -> AsyncIterator[Follow]:
    """`await follow({...}, ...)`: a client that sent these subscriptions."""
    host, port = await collector.start()
    sockets: list[aiohttp.ClientWebSocketResponse] = []
    async with aiohttp.ClientSession() as session:

        async def go(*subscriptions: dict[str, Any]) -> aiohttp.ClientWebSocketResponse:
            socket = await session.ws_connect(f"http://{host}:{port}/v1/ws/?client=test")
            sockets.append(socket)
            for data in subscriptions:
                await socket.send_json({"type": "ris_subscribe", "data": data})
            return socket

        yield go
        for socket in sockets:
            await socket.close()


async def receive(socket: aiohttp.ClientWebSocketResponse, count: int) -> list[dict[str, Any]]:
    """So many messages."""
    async with asyncio.timeout(20):
        return [json.loads(await socket.receive_str()) for _ in range(count)]


async def test_state_first_then_what_changes(collector: Collector, follow: Follow) -> None:
    """The tables of now as UPDATEs, the hijack from the peer that has it, its withdrawal."""
    socket = await follow({})

    state = [message["data"] for message in await receive(socket, 3)]
    assert [(each["peer"], each["announcements"], each["path"]) for each in state] == [
        ("192.0.2.11", [{"next_hop": "192.0.2.11", "prefixes": ["198.18.64.0/20"]}], [64501, 64496, 64505]),
        (
            "2001:db8:ffff::11",
            [{"next_hop": "2001:db8:ffff::11", "prefixes": ["2001:db8:700::/40"]}],
            [64501, 64496, 64497, 64511],
        ),
        ("192.0.2.12", [{"next_hop": "192.0.2.12", "prefixes": ["198.18.64.0/20"]}], [64500, 64497, 64505]),
    ]
    collector.set_tables(ATTACK)
    [hijack] = await receive(socket, 1)
    assert hijack["type"] == "ris_message"
    assert hijack["data"].pop("id")
    assert hijack["data"] == {
        "timestamp": 1795216000.13,
        "peer": "192.0.2.11",
        "peer_asn": "64501",
        "host": "rrc-lab.rpkival.lab",
        "type": "UPDATE",
        "path": [64501, 64496, 64510],
        "origin": "igp",
        "announcements": [{"next_hop": "192.0.2.11", "prefixes": ["198.18.66.0/24"]}],
    }
    collector.set_tables(QUIET)
    [end] = await receive(socket, 1)
    assert end["data"]["withdrawals"] == ["198.18.66.0/24"]
    assert "announcements" not in end["data"]


async def test_only_what_was_subscribed_to(collector: Collector, follow: Follow) -> None:
    """More-specifics of one prefix; the state is filtered, too."""
    socket = await follow({"prefix": "198.18.66.0/23", "moreSpecific": True})

    collector.set_tables({OPEN_ISP: {}, GUARDED_ISP: {}})
    collector.set_tables(ATTACK)
    await socket.send_json({"type": "ping"})

    messages = await receive(socket, 2)
    assert sorted(message["type"] for message in messages) == ["pong", "ris_message"]
    [heard] = [message["data"] for message in messages if message["type"] == "ris_message"]
    assert heard["announcements"][0]["prefixes"] == ["198.18.66.0/24"]


async def test_acknowledgement_raw_and_the_union_of_subscriptions(collector: Collector, follow: Follow) -> None:
    """`ris_subscribe_ok` repeats the request; a message that two subscriptions want comes once."""
    first = {"peer": "192.0.2.12", "socketOptions": {"acknowledge": True, "includeRaw": True}}
    second = {"prefix": "198.18.64.0/20", "require": "withdrawals", "socketOptions": {"includeRaw": True}}
    socket = await follow(first, second)

    acknowledged, state = await receive(socket, 2)
    assert acknowledged == {
        "type": "ris_subscribe_ok",
        "data": {"subscription": first, "socketOptions": {"includeRaw": True, "acknowledge": True}},
    }
    assert state["data"]["raw"].startswith("FF" * 16)
    await asyncio.sleep(0)
    await socket.send_json({"type": "ping", "data": None})
    assert await receive(socket, 1) == [{"type": "pong", "data": None}]
    collector.set_tables({OPEN_ISP: {}, GUARDED_ISP: {}})
    withdrawn = await receive(socket, 2)
    assert [each["data"]["peer"] for each in withdrawn] == ["192.0.2.11", "192.0.2.12"]
    assert all(each["data"]["raw"] for each in withdrawn)


async def test_unsubscribe_and_list(collector: Collector, follow: Follow) -> None:
    """Nothing comes any more but answers."""
    socket = await follow({})
    await receive(socket, 3)

    await socket.send_json({"type": "ris_unsubscribe", "data": {}})
    await socket.send_json({"type": "request_rrc_list"})
    assert await receive(socket, 1) == [{"type": "ris_rrc_list", "data": ["rrc-lab.rpkival.lab"]}]
    collector.set_tables(ATTACK)
    await socket.send_json({"type": "ping"})

    assert (await receive(socket, 1))[0]["type"] == "pong"


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "{",
        "[]",
        '{"type": 1}',
        '{"type": "ris_what"}',
        '{"type": "ris_subscribe", "data": ' + "[" * 30_000 + "]" * 30_000 + "}",
        '{"type": "ris_subscribe", "data": {"path": ' + "9" * 60_000 + "}}",
        '{"type": "ris_subscribe", "data": {"prefix": "198.18.66.1/8"}}',
    ],
    ids=lambda text: text[:40],
)
async def test_what_cannot_be_understood_is_answered_and_costs_nothing(wrong: str, follow: Follow) -> None:
    """`ris_error`, and the connection goes on."""
    socket = await follow()

    await socket.send_str(wrong)
    await socket.send_json({"type": "ping"})

    error, pong = await receive(socket, 2)
    assert error["type"] == "ris_error"
    assert error["data"]["message"]
    assert pong["type"] == "pong"


async def test_too_many_subscriptions(monkeypatch: pytest.MonkeyPatch, follow: Follow) -> None:
    """The last is refused, the others stay."""
    monkeypatch.setattr(collector_module, "MAX_COLLECTOR_SUBSCRIPTIONS", 1)
    socket = await follow({"peer": "192.0.2.12"}, {})

    state, error = await receive(socket, 2)

    assert state["type"] == "ris_message"
    assert "unsubscribe first" in error["data"]["message"]


async def test_oversized_request_ends_the_connection(
    collector: Collector, follow: Follow, eventually: Eventually
) -> None:
    """With the websocket's own code, 1009."""
    socket = await follow()
    await socket.send_str(" " * 70_000)

    async with asyncio.timeout(20):
        end = await socket.receive()

    assert end.type is aiohttp.WSMsgType.CLOSE
    assert socket.close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
    await eventually(lambda: collector.clients() == 0)


async def test_slow_client_is_told_and_dropped(
    monkeypatch: pytest.MonkeyPatch, collector: Collector, follow: Follow, eventually: Eventually
) -> None:
    """Its backlog is bounded, and others hear everything."""
    monkeypatch.setattr(collector_module, "MAX_COLLECTOR_BACKLOG", 3)
    slow, other = await follow({}), await follow({"prefix": "198.18.66.0/24"})
    await receive(slow, 3)
    await eventually(lambda: collector.clients() == 2)
    await other.send_json({"type": "ping"})
    await receive(other, 1)

    for table in (ATTACK, QUIET) * 2:
        collector.set_tables(table)

    messages = []
    async with asyncio.timeout(20):
        async for message in slow:
            assert message.type is aiohttp.WSMsgType.TEXT
            messages.append(json.loads(message.data))
    assert messages[-1]["type"] == "ris_error"
    assert "too slow" in messages[-1]["data"]["message"]
    assert slow.close_code == aiohttp.WSCloseCode.POLICY_VIOLATION
    async with asyncio.timeout(20):
        await eventually(lambda: slow.closed)


async def test_client_that_reads_nothing_is_dropped(
    monkeypatch: pytest.MonkeyPatch, collector: Collector, follow: Follow, eventually: Eventually
) -> None:
    """All buffers between us are full; it cannot even be told."""
    monkeypatch.setattr(collector_module, "MAX_COLLECTOR_BACKLOG", 10)
    await follow({})
    await eventually(lambda: collector.clients() == 1)

    def gone() -> bool:
        for client in collector._clients:
            client._say(b" " * 1_000_000)
        return collector.clients() == 0

    await eventually(gone, 60)


async def test_binary_messages_end_the_connection(collector: Collector, follow: Follow, eventually: Eventually) -> None:
    """RIS Live speaks text."""
    socket = await follow()
    await eventually(lambda: collector.clients() == 1)

    await socket.send_bytes(b"{}")

    await eventually(lambda: collector.clients() == 0)


async def test_too_many_clients(monkeypatch: pytest.MonkeyPatch, follow: Follow) -> None:
    """503 for the next."""
    monkeypatch.setattr(collector_module, "MAX_COLLECTOR_CLIENTS", 1)
    socket = await follow({})
    await receive(socket, 3)

    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await follow()

    assert caught.value.status == 503


async def test_closing_says_goodbye(collector: Collector, follow: Follow) -> None:
    """1001, going away."""
    socket = await follow({})
    await receive(socket, 3)

    async with asyncio.timeout(20):
        _, last = await asyncio.gather(collector.close(), socket.receive())

    assert last.type is aiohttp.WSMsgType.CLOSE
    assert socket.close_code == aiohttp.WSCloseCode.GOING_AWAY
    assert collector.clients() == 0


async def test_client_that_vanishes_is_forgotten(collector: Collector, follow: Follow, eventually: Eventually) -> None:
    """And the rest goes on."""
    socket = await follow({})
    await receive(socket, 3)

    await socket.close()

    await eventually(lambda: collector.clients() == 0)
    collector.set_tables(ATTACK)


async def test_port_in_use(collector: Collector) -> None:
    """One sentence."""
    host, port = await collector.start()

    with pytest.raises(UsageError, match=f"port {port}"):
        await Collector().start(host, port)
