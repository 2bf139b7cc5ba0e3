"""Listening sockets: made, inherited from systemd, and accepted from, whatever the kernel says to that."""

from __future__ import annotations

import asyncio
import errno
import socket
import stat
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from os import fstat

from rpkival.errors import UsageError
from rpkival.limits import RTR_ACCEPT_PAUSE_SECONDS
from rpkival.listening import cannot_listen
from rpkival.listening_socket import bound_socket
from rpkival.log import Log
from rpkival.rtr.tcp_signing import SignedNetwork, sign_listener

__all__ = ["Listener", "inherited_sockets", "listen"]

_BACKLOG = 1024
"""Connections that wait to be accepted: after a restart all routers come at once."""

_HANDSHAKES_SECONDS = 0.5
"""For those amid their handshake when the cache leaves: plain TCP has none, and is made in the next turn."""

_FIRST_INHERITED = 3
"""SD_LISTEN_FDS_START: systemd passes sockets as file descriptors from 3 on."""

log = Log("rpkival.rtr")

Accepted = Callable[[socket.socket, tuple[str, int]], Awaitable[None]]


def listen(host: str, port: int, signed: Iterable[SignedNetwork] = ()) -> socket.socket:
    """A socket that listens, and from its first moment on to signed connections only from `signed`.

    Raises `UsageError`.
    """
    listening = bound_socket("RTR", host, port)
    try:
        sign_listener(listening, signed)
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise cannot_listen("RTR", host, port, error) from error
    except UsageError:
        listening.close()
        raise
    return listening


def inherited_sockets(environment: Mapping[str, str], pid: int) -> dict[str, socket.socket]:
    """The sockets that systemd listens on for this process, by the names of its units (sd_listen_fds(3)).

    Raises `UsageError` for one that is no stream socket of IP.
    """
    if environment.get("LISTEN_PID") != str(pid):
        return {}
    try:
        count = int(environment.get("LISTEN_FDS", "0"))
    except ValueError:
        count = 0
    names = environment.get("LISTEN_FDNAMES", "").split(":")
    sockets: dict[str, socket.socket] = {}
    for number, descriptor in enumerate(range(_FIRST_INHERITED, _FIRST_INHERITED + count)):
        name = names[number] if number < len(names) and names[number] else f"fd{descriptor}"
        try:
            if not stat.S_ISSOCK(fstat(descriptor).st_mode):
                raise UsageError(f"What systemd passes as {name} is no socket.")
            inherited = socket.socket(fileno=descriptor)
        except OSError as error:
            raise UsageError(f"What systemd passes as {name} cannot be used: {error.strerror}.") from error
        if inherited.family not in (socket.AF_INET, socket.AF_INET6) or inherited.type != socket.SOCK_STREAM:
            raise UsageError(f"The socket that systemd passes as {name} is not one of TCP.")
        sockets[name] = inherited
    return sockets


class Listener:
    """Accepts from one socket until closed. `accepted` owns what it is given and raises nothing."""

    def __init__(self, listening: socket.socket, accepted: Accepted) -> None:
        listening.setblocking(False)
        self._socket = listening
        self._accepted = accepted
        self._handling: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._pause: asyncio.TimerHandle | None = None
        self._watch()

    async def close(self) -> None:
        """Accept no more, and drop what is still amid its handshake after a moment."""
        self._loop.remove_reader(self._socket)
        if self._pause:
            self._pause.cancel()
        if self._handling:
            # uvloop forgets a connection that is cancelled while it is made, so that its end would never be told.
            await asyncio.wait(self._handling, timeout=_HANDSHAKES_SECONDS)
        for task in self._handling:
            task.cancel()
        await asyncio.gather(*self._handling, return_exceptions=True)
        self._socket.close()

    def _watch(self) -> None:
        # Not sock_accept(): what it has accepted is lost where its task is cancelled in that moment.
        self._loop.add_reader(self._socket, self._accept)

    def _accept(self) -> None:
        try:
            connection, address = self._socket.accept()
        except OSError as error:
            if error.errno in (errno.ECONNABORTED, errno.EAGAIN, errno.EINTR):
                return
            # EMFILE and the like pass when connections end; who waits in the backlog is accepted then.
            log.warning("rtr_not_accepted", reason=error.strerror)
            self._loop.remove_reader(self._socket)
            self._pause = self._loop.call_later(RTR_ACCEPT_PAUSE_SECONDS, self._watch)
            return
        connection.setblocking(False)
        task = self._loop.create_task(self._handle(connection, (address[0], address[1])))
        self._handling.add(task)
        task.add_done_callback(self._handling.discard)

    async def _handle(self, connection: socket.socket, address: tuple[str, int]) -> None:
        try:
            await self._accepted(connection, address)
        except asyncio.CancelledError:
            with suppress(OSError):
                connection.close()
            raise
