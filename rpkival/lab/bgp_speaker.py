"""The transit provider that a router on the same machine gets: it connects, takes the table, follows what changes.

Nothing that a router announces is used; it is only looked at for faults.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from feeds.bgp_message import HEADER_BYTES, KEEPALIVE, Notification, NotificationCode, decode_header
from feeds.bgp_update import end_of_rib
from rpkival.errors import BgpError
from rpkival.lab.bgp_session import BgpSession, NotificationReceived, State
from rpkival.lab.updates import NextHops, Paths, updates_between
from rpkival.limits import BGP_OPEN_SECONDS, BGP_SEND_HOLD_SECONDS, MAX_LAB_ROUTERS
from rpkival.listening import cannot_listen
from rpkival.listening_socket import stop_accepting
from rpkival.log import Log
from rpkival.prefixes import Family

__all__ = ["BgpSpeaker", "SessionStatus"]

NEXT_HOPS: NextHops = {4: IPv4Address("192.0.2.1"), 6: IPv6Address("2001:db8:ffff::1")}
"""Documentation addresses: a router refuses its own address as next hop, and on loopback ours would be just that."""

_GOODBYE_SECONDS: Final = 1.0
"""For a router that does not read; what it has not read by then is lost to it."""

_ADMINISTRATIVE_SHUTDOWN = Notification(NotificationCode.CEASE, 2)
_CONNECTION_REJECTED = Notification(NotificationCode.CEASE, 5)

log = Log(__name__)


@dataclass(frozen=True, slots=True)
class SessionStatus:
    """One router: its address and AS number (0 before it said so), and how many routes it has been told."""

    address: str
    asn: int
    established: bool
    routes: int


class BgpSpeaker:
    """A passive BGP speaker (RFC 4271) for any number of routers of any other AS.

    Each router is told the difference between the table and what it already knows, so one that reads slowly costs its
    own memory of the table and never a queue.
    """

    def __init__(self, asn: int, router_id: IPv4Address, next_hops: NextHops = NEXT_HOPS) -> None:
        self.asn = asn
        self.router_id = router_id
        self.next_hops = next_hops
        self.table: Paths = {}
        self._routers: dict[_Router, asyncio.Task[None]] = {}
        self._server: asyncio.Server | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> tuple[str, int]:
        """Listen; returns the address in use. Raises `UsageError` where the port is taken."""
        try:
            self._server = await asyncio.start_server(self._accept, host, port)
        except OSError as error:
            raise cannot_listen("BGP", host, port, error) from error
        address = self._server.sockets[0].getsockname()
        return address[0], address[1]

    def set_table(self, table: Paths) -> None:
        """What all routers are to know from now on."""
        self.table = table
        for router in self._routers:
            router.changed.set()

    def sessions(self) -> tuple[SessionStatus, ...]:
        """Who is connected."""
        return tuple(router.status() for router in self._routers)

    async def close(self) -> None:
        """Stop listening, say goodbye to all routers, and wait until they are gone."""
        server, self._server = self._server, None
        if server is not None:
            await stop_accepting(server.sockets)
            server.close()
        for router in self._routers:
            router.shutdown.set()
        await asyncio.gather(*self._routers.values(), return_exceptions=True)
        if server is not None:
            await server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._server is None or len(self._routers) >= MAX_LAB_ROUTERS:
            writer.write(_CONNECTION_REJECTED.encode())
            writer.close()
            return
        router = _Router(self, reader, writer)
        task = asyncio.create_task(router.run())
        self._routers[router] = task
        task.add_done_callback(lambda _: self._routers.pop(router))


class _Router:
    """One connection: one task reads, one writes, one waits for the shutdown; whichever ends first ends all."""

    def __init__(self, speaker: BgpSpeaker, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._speaker = speaker
        self._reader = reader
        self._writer = writer
        self._session = BgpSession(speaker.asn, speaker.router_id)
        self._told: Paths = {}
        self._again: set[Family] = set()
        self.changed = asyncio.Event()
        self.shutdown = asyncio.Event()
        address = writer.get_extra_info("peername") or ("?", 0)
        self._address = f"{address[0]}:{address[1]}"

    def status(self) -> SessionStatus:
        peer = self._session.peer
        established = self._session.state is State.ESTABLISHED
        return SessionStatus(self._address, peer.asn if peer else 0, established, len(self._told))

    async def run(self) -> None:
        """Until either side ends it."""
        farewell: Notification | None = _ADMINISTRATIVE_SHUTDOWN
        tasks = [asyncio.create_task(work) for work in (self._receive(), self._send(), self.shutdown.wait())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except BgpError as error:
            farewell = Notification.of(error)
            log.warning("bgp_session_ended_by_us", router=self._address, reason=str(error))
        except NotificationReceived as ended:
            farewell = None
            log.info("bgp_session_ended_by_router", router=self._address, reason=str(ended))
        except (OSError, EOFError) as error:
            farewell = None
            log.info("bgp_connection_lost", router=self._address, reason=str(error) or type(error).__name__)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._hang_up(farewell)

    async def _hang_up(self, farewell: Notification | None) -> None:
        if farewell is not None:
            self._writer.write(farewell.encode())
        self._writer.close()
        try:
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await self._writer.wait_closed()
        except (OSError, TimeoutError):
            self._writer.transport.abort()

    async def _receive(self) -> None:
        self._writer.write(self._session.greeting())
        while True:
            established = self._session.state is State.ESTABLISHED
            patience = self._session.hold_seconds if established else BGP_OPEN_SECONDS
            try:
                async with asyncio.timeout(patience):
                    kind, length = decode_header(await self._reader.readexactly(HEADER_BYTES))
                    body = await self._reader.readexactly(length)
            except TimeoutError:
                raise BgpError(
                    NotificationCode.HOLD_TIMER, 0, f"The router was silent for {patience} seconds."
                ) from None
            answer, again = self._session.receive(kind, body)
            self._writer.write(answer)
            if again is not None:
                self._ask_again(again)
            if self._session.state is State.ESTABLISHED and not established:
                log.info("bgp_session_established", router=self._address, asn=self.status().asn)
                self._ask_again(*self._session.families)

    def _ask_again(self, *families: Family) -> None:
        self._again.update(families)
        self.changed.set()

    async def _send(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._session.keepalive_seconds):
                    await self.changed.wait()
            if self._session.state is not State.ESTABLISHED:
                self.changed.clear()
                continue
            # One write, for after writelines() of Python 3.13.0 drain() does not wait, however much is unsent.
            messages = b"".join(self._news()) if self.changed.is_set() else KEEPALIVE
            self.changed.clear()
            self._writer.write(messages)
            try:
                async with asyncio.timeout(BGP_SEND_HOLD_SECONDS):
                    await self._writer.drain()
            except TimeoutError:
                raise BgpError(NotificationCode.SEND_HOLD_TIMER, 0, "The router reads nothing (RFC 9687).") from None

    def _news(self) -> Iterator[bytes]:
        """What the router does not know yet; all of a family where it asked again or is new."""
        session = self._session
        # No AS tells a path without itself, so what the router asked for again differs from the table in any case.
        told = {prefix: () if prefix.version in self._again else path for prefix, path in self._told.items()}
        next_hops = {family: self._speaker.next_hops[family] for family in session.families}
        table = {prefix: path for prefix, path in self._speaker.table.items() if prefix.version in next_hops}
        for update in updates_between(told, table, next_hops):
            yield update.encode(four_octet_as=session.four_octet_as)
        for family in session.families:
            if family in self._again:
                yield end_of_rib(family)
        self._told = table
        self._again.clear()
