"""The speaker on a real socket, with a router played byte by byte."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, ip_network
from typing import TypeAlias

import pytest

from feeds.bgp_message import HEADER_BYTES, KEEPALIVE, MessageType, Notification, Open, decode_header, frame
from feeds.bgp_update import Update
from rpkival.errors import UsageError
from rpkival.lab import bgp_speaker
from rpkival.lab.bgp_speaker import BgpSpeaker
from rpkival.lab.topology import Network
from rpkival.lab.updates import Paths

Connect: TypeAlias = Callable[..., Awaitable["Router"]]
Eventually: TypeAlias = Callable[..., Awaitable[None]]

VICTIM = ip_network("198.18.64.0/20")
HIJACK = ip_network("198.18.66.0/24")
CAMPUS6 = ip_network("2001:db8:700::/40")
QUIET: Paths = {VICTIM: (64496, 64505), CAMPUS6: (64496, 64497, 64511)}
ATTACK: Paths = QUIET | {HIJACK: (64496, 64510)}


@dataclass
class Router:
    """The other side: keeps the table that it was told, and what else came."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    me: Open
    table: dict[Network, tuple[object, ...]] = field(default_factory=dict)
    next_hops: set[str] = field(default_factory=set)
    announced: int = 0
    ends_of_rib: int = 0
    keepalives: int = 0

    async def next(self) -> tuple[MessageType, bytes]:
        """One message."""
        async with asyncio.timeout(20):
            kind, length = decode_header(await self.reader.readexactly(HEADER_BYTES))
            return kind, await self.reader.readexactly(length)

    async def until(self, done: Callable[[], object]) -> None:
        """Follow what comes until something is so."""
        while not done():
            kind, body = await self.next()
            if kind is MessageType.UPDATE:
                self.learn(Update.decode(body, four_octet_as=self.me.four_octet_as))
            else:
                assert kind is MessageType.KEEPALIVE, (kind, body)
                self.keepalives += 1

    def learn(self, update: Update) -> None:
        """Change the table as told."""
        for prefix in update.withdrawn:
            del self.table[prefix]
        for reach in update.announced:
            self.next_hops |= {str(hop) for hop in reach.next_hops}
            self.announced += len(reach.prefixes)
            self.table |= dict.fromkeys(reach.prefixes, update.as_path)
        self.ends_of_rib += not update.announced and not update.withdrawn

    async def notification(self) -> Notification:
        """The next message, which must end the session."""
        while (got := await self.next())[0] is MessageType.KEEPALIVE:
            pass
        assert got[0] is MessageType.NOTIFICATION, got
        async with asyncio.timeout(20):
            assert await self.reader.read() == b""
        return Notification.decode(got[1])


@pytest.fixture
async def speaker() -> AsyncIterator[BgpSpeaker]:
    """A provider with the quiet day's table."""
    speaker = BgpSpeaker(64496, IPv4Address("192.0.2.1"))
    speaker.set_table(QUIET)
    yield speaker
    await speaker.close()


@pytest.fixture
async def connect(speaker: BgpSpeaker) -> AsyncIterator[Connect]:
    """`await connect(established=True, **open)`: a router at the speaker."""
    host, port = await speaker.start()
    writers = []

    async def go(me: Open | None = None, *, established: bool = True) -> Router:
        reader, writer = await asyncio.open_connection(host, port)
        writers.append(writer)
        router = Router(reader, writer, me or Open(65550, 90, IPv4Address("192.0.2.50")))
        if established:
            writer.write(router.me.encode() + KEEPALIVE)
            kind, body = await router.next()
            assert kind is MessageType.OPEN
            assert Open.decode(body) == Open(64496, 90, IPv4Address("192.0.2.1"))
            assert await router.next() == (MessageType.KEEPALIVE, b"")
        return router

    yield go
    for writer in writers:
        writer.close()


async def test_table_then_what_changes(speaker: BgpSpeaker, connect: Connect) -> None:
    """All routes with End-of-RIB of both families, the hijack, its end."""
    router = await connect()

    await router.until(lambda: router.ends_of_rib == 2)
    assert router.table == QUIET
    assert router.next_hops == {"192.0.2.1", "2001:db8:ffff::1"}
    speaker.set_table(ATTACK)
    await router.until(lambda: HIJACK in router.table)
    assert router.table == ATTACK
    speaker.set_table(QUIET)
    await router.until(lambda: HIJACK not in router.table)
    assert router.table == QUIET
    assert router.announced == 3


async def test_many_routers_each_know_the_same(speaker: BgpSpeaker, connect: Connect) -> None:
    """Whenever they came, and whoever they say they are."""
    early = [await connect(Open(asn, 90, IPv4Address(asn))) for asn in (64500, 65550, 4200000000)]
    for router in early:
        await router.until(lambda router=router: router.ends_of_rib == 2)
    speaker.set_table(ATTACK)
    routers = [*early, await connect()]

    for router in routers:
        await router.until(lambda router=router: router.table == ATTACK)

    assert sorted(status.asn for status in speaker.sessions()) == [64500, 65550, 65550, 4200000000]
    assert {(status.established, status.routes) for status in speaker.sessions()} == {(True, 3)}


async def test_router_of_one_family_and_two_octets(speaker: BgpSpeaker, connect: Connect) -> None:
    """It hears only of IPv4, and long AS numbers survive in AS4_PATH."""
    speaker.set_table({**QUIET, HIJACK: (64496, 65537)})
    me = Open(64511, 90, IPv4Address("192.0.2.50"), families=(4,), four_octet_as=False)

    router = await connect(me)
    await router.until(lambda: router.ends_of_rib)

    assert router.table == {VICTIM: (64496, 64505), HIJACK: (64496, 65537)}


async def test_route_refresh_tells_one_family_again(connect: Connect) -> None:
    """RFC 2918: what routers ask for when their policy or their VRPs change."""
    router = await connect()
    await router.until(lambda: router.ends_of_rib == 2)

    router.writer.write(frame(MessageType.ROUTE_REFRESH, bytes.fromhex("00010001")))
    await router.until(lambda: router.ends_of_rib == 3)

    assert router.announced == 3
    assert router.table == QUIET


async def test_no_routes_before_the_session_is_established(
    speaker: BgpSpeaker, connect: Connect, eventually: Eventually
) -> None:
    """A connected router that says nothing gets our OPEN and nothing else, whatever changes."""
    router = await connect(established=False)
    await eventually(lambda: len(speaker.sessions()) == 1)

    speaker.set_table(ATTACK)
    speaker.set_table(QUIET)

    assert (await router.next())[0] is MessageType.OPEN
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await router.reader.readexactly(1)
    assert [status.established for status in speaker.sessions()] == [False]


async def test_routes_withdrawn_while_a_router_is_away_are_gone(
    speaker: BgpSpeaker, connect: Connect, eventually: Eventually
) -> None:
    """A router that comes back starts from the table of now."""
    speaker.set_table(ATTACK)
    first = await connect()
    await first.until(lambda: HIJACK in first.table)
    first.writer.write(Notification(6, 2).encode())
    await eventually(lambda: not speaker.sessions())
    speaker.set_table(QUIET)

    second = await connect()
    await second.until(lambda: second.ends_of_rib == 2)

    assert second.table == QUIET


@pytest.mark.parametrize(
    ("wrong", "code", "subcode"),
    [
        (bytes(19), 1, 1),
        (KEEPALIVE[:16] + b"\x00\x12\x04", 1, 2),
        (Open(64496, 90, IPv4Address("192.0.2.9")).encode(), 2, 2),
        (Open(65550, 2, IPv4Address("192.0.2.9")).encode(), 2, 6),
        (KEEPALIVE, 5, 1),
    ],
)
async def test_wrong_messages_are_answered(wrong: bytes, code: int, subcode: int, connect: Connect) -> None:
    """A NOTIFICATION that names the fault, and the end."""
    router = await connect(established=False)
    await router.next()

    router.writer.write(wrong)

    answer = await router.notification()
    assert (answer.code, answer.subcode) == (code, subcode)


async def test_a_torn_connection_is_forgotten(speaker: BgpSpeaker, connect: Connect, eventually: Eventually) -> None:
    """In the middle of a message, by reset."""
    router = await connect()
    router.writer.write(KEEPALIVE[:7])
    router.writer.transport.abort()

    await eventually(lambda: not speaker.sessions())


async def test_silent_router_is_dropped(connect: Connect) -> None:
    """Hold time 3 seconds: keepalives come each second, then Hold Timer Expired (4)."""
    router = await connect(Open(65550, 3, IPv4Address("192.0.2.50")))
    await router.until(lambda: router.keepalives)

    assert (await router.notification()).code == 4


async def test_router_that_never_says_open_is_dropped(monkeypatch: pytest.MonkeyPatch, connect: Connect) -> None:
    """The same, for whoever only connects."""
    monkeypatch.setattr(bgp_speaker, "BGP_OPEN_SECONDS", 0.2)
    router = await connect(established=False)
    await router.next()

    assert (await router.notification()).code == 4


async def test_router_that_does_not_read_is_dropped(
    monkeypatch: pytest.MonkeyPatch,
    speaker: BgpSpeaker,
    connect: Connect,
    eventually: Eventually,
) -> None:
    """RFC 9687: the send hold timer, for a socket whose buffers are full."""
    monkeypatch.setattr(bgp_speaker, "BGP_SEND_HOLD_SECONDS", 0.2)
    await connect()
    await eventually(lambda: speaker.sessions()[0].established)
    big: Paths = {ip_network((n << 8, 24)): (64496, n) for n in range(1, 30_000)}
    flip = True

    def gone() -> bool:
        nonlocal flip
        flip = not flip
        speaker.set_table(big if flip else {})
        return not speaker.sessions()

    await eventually(gone, 60)


async def test_closing_says_goodbye(speaker: BgpSpeaker, connect: Connect) -> None:
    """Cease, Administrative Shutdown (RFC 4486)."""
    router = await connect()
    await router.until(lambda: router.ends_of_rib == 2)

    await speaker.close()

    assert await router.notification() == Notification(6, 2)
    assert speaker.sessions() == ()


async def test_too_many_routers(monkeypatch: pytest.MonkeyPatch, connect: Connect) -> None:
    """Cease, Connection Rejected; those who are there stay."""
    monkeypatch.setattr(bgp_speaker, "MAX_LAB_ROUTERS", 1)
    first = await connect()
    second = await connect(established=False)

    assert await second.notification() == Notification(6, 5)
    await first.until(lambda: first.ends_of_rib == 2)


async def test_port_in_use(speaker: BgpSpeaker) -> None:
    """One sentence."""
    host, port = await speaker.start()

    with pytest.raises(UsageError, match=f"port {port}"):
        await BgpSpeaker(64497, IPv4Address("192.0.2.2")).start(host, port)
