"""The RIS Live client against a server of its own, which also hangs up, stalls and talks nonsense."""

from __future__ import annotations

import asyncio
import contextlib
import json

import pytest
from aiohttp import WSMsgType, web

from feeds import ris_live
from feeds.ris_live import RisLive, Subscription, Timing
from rpkival.errors import LimitError
from rpkival.http_server import listen

FAST = Timing(connect=5.0, silence=None, ping=30.0, gather=0.01, backoff=(0.01, 0.05))
DEADLINE = 30.0


class Server:
    """Runs `script(server, socket, connection)` for each connection; `requests` are what clients sent."""

    def __init__(self, script):
        self.script = script
        self.requests = []
        self.queries = []
        self.connections = 0

    async def handle(self, request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.connections += 1
        self.queries.append(dict(request.query))
        await self.script(self, socket, self.connections)
        return socket

    async def subscribed(self, socket, count=1):
        """Take the client's requests."""
        for _ in range(count):
            message = await socket.receive(timeout=DEADLINE)
            if message.type is not WSMsgType.TEXT:
                return
            self.requests.append(json.loads(message.data))

    async def wait_for_end(self, socket):
        """Stay until the client goes."""
        while (await socket.receive()).type is WSMsgType.TEXT:
            pass


@contextlib.asynccontextmanager
async def serving(script):
    """A server with a script, and its address."""
    server = Server(script)
    app = web.Application()
    app.router.add_get("/v1/ws/", server.handle)
    http = await listen(app, "127.0.0.1", 0, "RIS Live")
    try:
        yield server, f"{http.url}/v1/ws/".replace("http", "ws")
    finally:
        await http.close()


async def collect(feed, enough):
    """The batches of a feed until `enough(batches)`."""
    found = []
    async with asyncio.timeout(DEADLINE):
        async with contextlib.aclosing(feed.batches()) as batches:
            async for some in batches:
                found.extend(some)
                if enough(found):
                    break
    return found


async def until(condition):
    """Wait for a condition, with a deadline."""
    async with asyncio.timeout(DEADLINE):
        while not condition():  # noqa: ASYNC110 - what a feed's status becomes is polled by everybody
            await asyncio.sleep(0.01)


def rows(batches):
    """How many routes."""
    return sum(len(batch) for batch in batches)


def announcement(prefix):
    """One message."""
    data = {"timestamp": 1.0, "peer": "192.0.2.1", "peer_asn": "64500", "host": "rrc00", "type": "UPDATE"}
    data |= {"path": [64500], "announcements": [{"next_hop": "192.0.2.1", "prefixes": [prefix]}]}
    return json.dumps({"type": "ris_message", "data": data})


@pytest.fixture(scope="module")
def thousand(shared_data):
    """A thousand recorded messages."""
    return (shared_data / "live/rislive/1k-msgs").read_text().splitlines()


async def test_a_recording_comes_through_whole(thousand):
    """Every route of every message, and the account of it."""

    async def replay(server, socket, _):
        await server.subscribed(socket)
        for line in thousand:
            await socket.send_str(line)
        await server.wait_for_end(socket)

    async with serving(replay) as (server, url):
        feed = RisLive(url, client="test", timing=FAST, clock=lambda: 123.0)
        total = 3181
        found = await collect(feed, lambda batches: rows(batches) >= total)
    assert rows(found) == total
    assert server.queries == [{"client": "test"}]
    assert server.requests == [{"type": "ris_subscribe", "data": {"type": "UPDATE"}}]
    status = feed.status
    assert (status.messages, status.routes, status.malformed, status.dropped) == (1000, total, 0, 0)
    assert (status.last_message, status.reconnects, status.error) == (123.0, 0, None)


async def test_it_comes_back_after_a_hang_up():
    """Each connection that ends is followed by another, and nothing that was sent is lost."""

    async def hang_up(server, socket, connection):
        await server.subscribed(socket)
        await socket.send_str(announcement(f"192.0.{connection}.0/24"))
        if connection >= 3:
            await server.wait_for_end(socket)

    async with serving(hang_up) as (server, url):
        feed = RisLive(url, timing=FAST)
        found = await collect(feed, lambda batches: rows(batches) >= 3)
    assert [text for batch in found for text in batch.prefixes.texts()] == [f"192.0.{i}.0/24" for i in (1, 2, 3)]
    assert feed.status.reconnects == 2
    assert server.connections == 3


async def test_silence_is_stale_and_ends():
    """A connected server that says nothing is stale, is tried again, and is live with its first message."""
    states = []
    speak = asyncio.Event()

    async def stall(server, socket, connection):
        await server.subscribed(socket)
        if speak.is_set():
            await socket.send_str(announcement("192.0.2.0/24"))
        await server.wait_for_end(socket)

    async with serving(stall) as (server, url):
        feed = RisLive(url, timing=Timing(silence=0.05, gather=0.01, backoff=(0.01, 0.01)))
        task = asyncio.create_task(collect(feed, rows))
        states.append(feed.status.state)
        await until(lambda: feed.status.state == "stale")
        assert "no message for 0.05 seconds" in feed.status.error
        speak.set()
        found = await task
    assert states == ["connecting"]
    assert rows(found) == 1
    assert server.connections >= 2


async def test_nobody_there_is_down(unused_tcp_port_factory):
    """It says so, keeps trying, and takes up the feed when somebody is there."""
    feed = RisLive(f"ws://127.0.0.1:{unused_tcp_port_factory()}/v1/ws/", timing=FAST)
    task = asyncio.create_task(collect(feed, rows))
    await until(lambda: feed.status.state == "down" and feed.status.reconnects >= 2)
    assert feed.status.connected_since is None
    assert feed.status.error.startswith(f"RIS Live at {feed.status.url}: ")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_web_server_that_is_no_websocket():
    """An HTTP answer is a connection that failed."""

    async def refuse(request):
        raise web.HTTPForbidden

    app = web.Application()
    app.router.add_get("/", refuse)
    server = await listen(app, "127.0.0.1", 0, "A web server")
    feed = RisLive(f"{server.url}/".replace("http", "ws"), timing=FAST)
    task = asyncio.create_task(collect(feed, rows))
    await until(lambda: feed.status.state == "down")
    assert "403" in feed.status.error
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await server.close()


async def test_nonsense_is_counted():
    """Between garbage, errors and binary frames the routes come through."""

    async def talk(server, socket, _):
        await server.subscribed(socket)
        await socket.send_str("{")
        await socket.send_bytes(b"\xff\x00")
        await socket.send_str('{"type":"ris_error","data":{"message":"slow down"}}')
        await socket.send_str(announcement("192.0.2.0/24"))
        await server.wait_for_end(socket)

    async with serving(talk) as (_, url):
        feed = RisLive(url, timing=FAST)
        found = await collect(feed, rows)
    assert rows(found) == 1
    assert (feed.status.messages, feed.status.malformed) == (4, 2)
    assert feed.status.error == "RIS Live says: slow down"


async def test_a_message_beyond_the_limit_ends_the_connection(monkeypatch):
    """It is not taken into memory; the feed goes on with the next connection."""
    monkeypatch.setattr(ris_live, "MAX_RIS_MESSAGE_BYTES", 10_000)

    async def flood(server, socket, connection):
        await server.subscribed(socket)
        await socket.send_str("x" * 20_000 if connection == 1 else announcement("192.0.2.0/24"))
        await server.wait_for_end(socket)

    async with serving(flood) as (server, url):
        feed = RisLive(url, timing=FAST)
        found = await collect(feed, rows)
    assert rows(found) == 1
    assert server.connections == 2


async def test_a_slow_consumer_loses_the_oldest_and_is_told(monkeypatch):
    """The queue is bounded, and what fell out of it is counted."""
    monkeypatch.setattr(ris_live, "MAX_RIS_PENDING_MESSAGES", 10)

    taken = asyncio.Event()

    async def burst(server, socket, _):
        await server.subscribed(socket)
        await socket.send_str(announcement("198.51.100.0/24"))
        await taken.wait()
        for i in range(100):
            await socket.send_str(announcement(f"192.0.{i}.0/24"))
        await server.wait_for_end(socket)

    async with serving(burst) as (_, url):
        feed = RisLive(url, timing=FAST)
        async with asyncio.timeout(DEADLINE), contextlib.aclosing(feed.batches()) as batches:
            first = await anext(batches)
            taken.set()
            await until(lambda: feed.status.messages == 101)
            rest = await anext(batches)
    assert rows(first) == 1
    assert [text for batch in rest for text in batch.prefixes.texts()] == [f"192.0.{i}.0/24" for i in range(90, 100)]
    assert (feed.status.dropped, feed.status.routes) == (90, 11)


async def test_subscriptions_become_requests():
    """One request for the prefixes and one for each AS."""
    wanted = Subscription(host="rrc00", prefixes=("192.0.2.0/24", "2001:db8::/32"), asns=(64496, 64497))

    async def listen(server, socket, _):
        await server.subscribed(socket, 3)
        await socket.send_str(announcement("192.0.2.0/24"))
        await server.wait_for_end(socket)

    async with serving(listen) as (server, url):
        await collect(RisLive(url, subscribe=wanted, timing=FAST), rows)
    common = {"type": "UPDATE", "host": "rrc00"}
    assert [request["data"] for request in server.requests] == [
        common | {"path": "64496"},
        common | {"path": "64497"},
        common | {"prefix": ["192.0.2.0/24", "2001:db8::/32"], "moreSpecific": True, "lessSpecific": False},
    ]


async def test_a_filtered_feed_may_be_silent():
    """Own prefixes are seldom in the news: silence is no fault there, and the connection is live."""

    async def listen(server, socket, _):
        await server.subscribed(socket)
        await server.wait_for_end(socket)

    async with serving(listen) as (server, url):
        wanted = Subscription(prefixes=("192.0.2.0/24",))
        feed = RisLive(url, subscribe=wanted, timing=Timing(silence=0.01, gather=0.01))
        task = asyncio.create_task(collect(feed, rows))
        await until(lambda: feed.status.state == "live")
        await asyncio.sleep(0.1)
        assert (feed.status.state, server.connections) == ("live", 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.parametrize("asked", [{"prefixes": ("192.0.2.0/24",) * 10_001}, {"asns": tuple(range(11))}])
def test_too_large_a_subscription(asked):
    """The server is not asked for more than it should be."""
    with pytest.raises(LimitError, match="subscribe to everything"):
        Subscription(**asked)
