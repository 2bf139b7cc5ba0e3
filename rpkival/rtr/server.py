"""The RTR server: accepts routers, bounds how many there are, and tells them of news."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

from rpkival.errors import UsageError
from rpkival.limits import (
    MAX_RTR_ANSWER_SECONDS,
    MAX_RTR_FIRST_QUERY_SECONDS,
    MAX_RTR_HANDSHAKE_SECONDS,
    MAX_RTR_HOLD_SECONDS,
    MAX_RTR_SESSIONS,
    MAX_RTR_SESSIONS_PER_ADDRESS,
)
from rpkival.log import Log
from rpkival.rtr.access import EVERYBODY, Access
from rpkival.rtr.cache import Cache
from rpkival.rtr.connection import Connection, SessionInfo
from rpkival.rtr.errors import ErrorCode
from rpkival.rtr.listener import Listener, listen
from rpkival.rtr.session import Session
from rpkival.rtr.tcp_signing import SignedNetwork, sign_listener, transport_of
from rpkival.rtr.tls import TlsServer

__all__ = ["RtrServer", "SessionInfo"]

NOTIFY_SECONDS = 60.0
"""RFC 8210 section 8.2: Serial Notifies no more often than once a minute."""

FAREWELL_SECONDS = 2.0
"""For the routers to take the hundred octets that tell them why the cache goes."""

RENEW_SECONDS = 1.0
"""How often certificates are looked at: their time and size only."""

log = Log("rpkival.rtr")


class RtrServer:
    """Serves `cache` to routers in the running event loop, on any number of addresses.

    `notify_seconds` is 0 where nobody minds, as in a lab. `access` says who may connect at all.
    """

    def __init__(
        self,
        cache: Cache,
        *,
        notify_seconds: float = NOTIFY_SECONDS,
        access: Access = EVERYBODY,
        max_sessions: int = MAX_RTR_SESSIONS,
        max_sessions_per_address: int = MAX_RTR_SESSIONS_PER_ADDRESS,
        first_query_seconds: float = MAX_RTR_FIRST_QUERY_SECONDS,
        answer_seconds: float = MAX_RTR_ANSWER_SECONDS,
        hold_seconds: float = MAX_RTR_HOLD_SECONDS,
    ) -> None:
        self._cache = cache
        self._notify_seconds = notify_seconds
        self._access = access
        self._max_sessions = max_sessions
        self._max_sessions_per_address = max_sessions_per_address
        self.first_query_seconds = first_query_seconds
        self.answer_seconds = answer_seconds
        self.hold_seconds = hold_seconds
        self._connections: dict[Connection, None] = {}
        self._addresses: Counter[str] = Counter()
        self._places = 0
        """Taken: by connections, and by handshakes."""
        self._certificates: dict[Connection, TlsServer] = {}
        self._listeners: list[Listener] = []
        self._renewals: list[asyncio.Task[None]] = []
        self._closing = False
        self._all_gone = asyncio.Event()
        self._notified_at = float("-inf")
        self._notify_timer: asyncio.TimerHandle | None = None

    async def start(
        self, host: str, port: int, *, tls: TlsServer | None = None, signed: Sequence[SignedNetwork] = ()
    ) -> tuple[str, int]:
        """Listen, once more if called again; gives the address and the port as they are, also for port 0.

        With `tls` whoever connects must speak it; networks of `signed` must sign. Raises `UsageError`.
        """
        return self._accept_from(listen(host, port, signed), tls, signed)

    async def serve(
        self, listening: socket.socket, *, tls: TlsServer | None = None, signed: Sequence[SignedNetwork] = ()
    ) -> tuple[str, int]:
        """As `start`, on a socket that listens already."""
        try:
            sign_listener(listening, signed)
        except UsageError:
            listening.close()
            raise
        return self._accept_from(listening, tls, signed)

    def _accept_from(
        self, listening: socket.socket, tls: TlsServer | None, signed: Sequence[SignedNetwork]
    ) -> tuple[str, int]:
        async def accepted(connection: socket.socket, address: tuple[str, int]) -> None:
            await self._accepted(connection, address, tls, transport_of(signed, address[0]))

        if tls is not None:
            self._renewals.append(asyncio.create_task(_renew(tls)))
        self._listeners.append(Listener(listening, accepted))
        name = listening.getsockname()
        log.info("rtr_listening", host=name[0], port=name[1], transport="tls" if tls else "tcp")
        return name[0], name[1]

    def notify(self) -> None:
        """Call after `Cache.update`: all routers that hold older data hear of it, as soon as the RFC's pace allows."""
        if self._notify_timer is not None:
            return
        loop = asyncio.get_running_loop()
        wait = self._notified_at + self._notify_seconds - loop.time()
        if wait > 0:
            self._notify_timer = loop.call_later(wait, self._notify_all)
        else:
            self._notify_all()

    def sessions(self) -> tuple[SessionInfo, ...]:
        """All routers that are connected now, in the order they came."""
        return tuple(connection.info() for connection in self._connections)

    async def close(self, *, code: ErrorCode | None = None) -> None:
        """Stop listening and drop all routers, telling those of version 2 why if there is a `code`.

        Routers that hear nothing keep what they have until it expires. After `CACHE_SHUTDOWN` those of version 2 forget
        it at once (draft-ietf-sidrops-8210bis-26 section 8.6). After `CACHE_RESTART` they are to keep it (section 8.5,
        which wants it said); but BIRD 2.17 and OpenBGPD 8.8 do not know that code, take it for fatal and forget
        everything, so nobody should say it who means it.
        """
        self._closing = True
        if self._notify_timer:
            self._notify_timer.cancel()
            self._notify_timer = None
        for renewal in self._renewals:
            renewal.cancel()
        for listener in self._listeners:
            await listener.close()
        self._listeners.clear()
        for connection in tuple(self._connections):
            connection.leave(code)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._until_all_are_gone(), FAREWELL_SECONDS)
        for connection in tuple(self._connections):
            connection.abort("it did not take the farewell")
        await self._until_all_are_gone()

    async def _until_all_are_gone(self) -> None:
        if self._connections:
            await self._all_gone.wait()

    async def _accepted(
        self, connection: socket.socket, address: tuple[str, int], tls: TlsServer | None, transport: str
    ) -> None:
        """Take a place for the router, or close; then speak with it, behind a handshake if there is one."""
        refusal = self._refusal(address[0])
        if refusal:
            log.warning("rtr_refused", peer=address[0], reason=refusal)
            connection.close()
            return
        self._places += 1
        self._addresses[address[0]] += 1
        session = Session(self._cache, patient=self.hold_seconds > 0)
        router = Connection(self, session, address, "tls" if tls else transport)
        if tls:
            self._certificates[router] = tls
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: router,
                connection,
                ssl=tls.context if tls else None,
                ssl_handshake_timeout=MAX_RTR_HANDSHAKE_SECONDS if tls else None,
            )
        except (OSError, ssl.SSLError) as error:
            log.warning("rtr_handshake_failed", peer=router.peer, reason=str(error))
            connection.close()
        except asyncio.CancelledError:
            # uvloop does not tell the end of a connection that is cancelled right after it was made.
            if router in self._connections:
                router.connection_lost(None)
            raise
        finally:
            # One that was opened is forgotten when it is lost.
            if router not in self._connections:
                self._leave(router)

    def _refusal(self, address: str) -> str | None:
        if self._closing:
            return "this cache is shutting down"
        if not self._access.admits(address):
            return "this address may not connect; the option --allow or the key [rtr] allow has those that may"
        if self._places >= self._max_sessions:
            return f"there are {self._max_sessions} routers already"
        if self._addresses[address] >= self._max_sessions_per_address:
            return f"there are {self._max_sessions_per_address} routers of this address already"
        return None

    def join(self, connection: Connection) -> str | None:
        """List a router that is through its handshake; None, or the reason why its certificate does not do."""
        self._connections[connection] = None
        self._all_gone.clear()
        tls = self._certificates.get(connection)
        refusal = "this cache is shutting down" if self._closing else None
        if tls and not refusal:
            refusal = tls.refusal(connection.certificate, connection.address)
        if refusal:
            log.warning("rtr_refused", peer=connection.peer, reason=refusal)
        return refusal

    def forget(self, connection: Connection) -> None:
        """Count a router out; once more does nothing."""
        self._connections.pop(connection, None)
        self._leave(connection)
        if not self._connections:
            self._all_gone.set()

    def _leave(self, connection: Connection) -> None:
        """Give a place back, once."""
        if connection.left:
            return
        connection.left = True
        self._certificates.pop(connection, None)
        self._places -= 1
        self._addresses[connection.address] -= 1
        if not self._addresses[connection.address]:
            del self._addresses[connection.address]

    def _notify_all(self) -> None:
        self._notify_timer = None
        if any(connection.has_data for connection in self._connections):
            # Who waits for the first data is answered, not notified, which leaves the pace as it is.
            self._notified_at = asyncio.get_running_loop().time()
        for connection in tuple(self._connections):
            connection.notify()


async def _renew(tls: TlsServer) -> None:
    """Take new certificates while the old ones serve."""
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        tls.renew()
