"""The RTR server: accepts routers, bounds how many there are, and tells them of news."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress

import structlog

from rpkival.limits import (
    MAX_RTR_ANSWER_SECONDS,
    MAX_RTR_FIRST_QUERY_SECONDS,
    MAX_RTR_HOLD_SECONDS,
    MAX_RTR_SESSIONS,
    MAX_RTR_SESSIONS_PER_ADDRESS,
)
from rpkival.listening import cannot_listen
from rpkival.rtr.cache import Cache
from rpkival.rtr.connection import Connection, SessionInfo
from rpkival.rtr.errors import ErrorCode
from rpkival.rtr.session import Session

__all__ = ["RtrServer", "SessionInfo"]

NOTIFY_SECONDS = 60.0
"""RFC 8210 section 8.2: Serial Notifies no more often than once a minute."""

FAREWELL_SECONDS = 2.0
"""For the routers to take the hundred octets that tell them why the cache goes."""

_BACKLOG = 1024
"""Connections that wait to be accepted: after a restart all routers come at once."""

log = structlog.get_logger("rpkival.rtr")


class RtrServer:
    """Serves `cache` to routers in the running event loop. `notify_seconds` is 0 where nobody minds, as in a lab."""

    def __init__(
        self,
        cache: Cache,
        *,
        notify_seconds: float = NOTIFY_SECONDS,
        max_sessions: int = MAX_RTR_SESSIONS,
        max_sessions_per_address: int = MAX_RTR_SESSIONS_PER_ADDRESS,
        first_query_seconds: float = MAX_RTR_FIRST_QUERY_SECONDS,
        answer_seconds: float = MAX_RTR_ANSWER_SECONDS,
        hold_seconds: float = MAX_RTR_HOLD_SECONDS,
    ) -> None:
        self._cache = cache
        self._notify_seconds = notify_seconds
        self._max_sessions = max_sessions
        self._max_sessions_per_address = max_sessions_per_address
        self.first_query_seconds = first_query_seconds
        self.answer_seconds = answer_seconds
        self.hold_seconds = hold_seconds
        self._connections: dict[Connection, None] = {}
        self._addresses: Counter[str] = Counter()
        self._server: asyncio.Server | None = None
        self._closing = False
        self._all_gone = asyncio.Event()
        self._notified_at = float("-inf")
        self._notify_timer: asyncio.TimerHandle | None = None

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen; gives the address and the port as they are, also for port 0. Raises `UsageError`."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                lambda: Connection(self, Session(self._cache, patient=self.hold_seconds > 0)),
                host,
                port,
                backlog=_BACKLOG,
            )
        except OSError as error:
            raise cannot_listen("RTR", host, port, error) from error
        name = self._server.sockets[0].getsockname()
        log.info("rtr_listening", host=name[0], port=name[1])
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

    async def close(self, *, code: ErrorCode = ErrorCode.CACHE_RESTART) -> None:
        """Stop listening and drop all routers, telling those of version 2 why.

        After `CACHE_RESTART` they keep what they have until it expires, as routers of older versions do in any case;
        after `CACHE_SHUTDOWN` they forget it at once (draft-ietf-sidrops-8210bis-26 section 8.5 and 8.6).
        """
        self._closing = True
        if self._notify_timer:
            self._notify_timer.cancel()
            self._notify_timer = None
        if self._server:
            self._server.close()
        for connection in tuple(self._connections):
            connection.leave(code)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._until_all_are_gone(), FAREWELL_SECONDS)
        for connection in tuple(self._connections):
            connection.abort("it did not take the farewell")
        await self._until_all_are_gone()
        if self._server:
            await self._server.wait_closed()
            self._server = None

    async def _until_all_are_gone(self) -> None:
        if self._connections:
            await self._all_gone.wait()

    def admit(self, connection: Connection) -> str | None:
        """Count a new router in, or give the reason why there is no room for it."""
        if self._closing:
            refusal = "this cache is shutting down"
        elif len(self._connections) >= self._max_sessions:
            refusal = f"there are {self._max_sessions} routers already"
        elif self._addresses[connection.address] >= self._max_sessions_per_address:
            refusal = f"there are {self._max_sessions_per_address} routers of this address already"
        else:
            self._connections[connection] = None
            self._all_gone.clear()
            self._addresses[connection.address] += 1
            return None
        log.warning("rtr_refused", peer=connection.peer, reason=refusal)
        return refusal

    def forget(self, connection: Connection) -> None:
        """Count a router out, if it ever was in."""
        if connection not in self._connections:
            return
        del self._connections[connection]
        self._addresses[connection.address] -= 1
        if not self._addresses[connection.address]:
            del self._addresses[connection.address]
        if not self._connections:
            self._all_gone.set()

    def _notify_all(self) -> None:
        self._notify_timer = None
        if any(connection.has_data for connection in self._connections):
            # Who waits for the first data is answered, not notified, which leaves the pace as it is.
            self._notified_at = asyncio.get_running_loop().time()
        for connection in tuple(self._connections):
            connection.notify()
