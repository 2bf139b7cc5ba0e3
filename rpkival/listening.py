"""Where a server listens, why it cannot, in the words of all that do, and how it stops."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import re
import socket
from collections.abc import Iterable
from typing import Final, Protocol, TypeAlias

from rpkival.errors import UsageError

__all__ = ["ListenAddress", "bound_socket", "cannot_listen", "parse_listen", "shown_listen", "stop_accepting"]

ListenAddress: TypeAlias = tuple[str, int]

_TURNS_UNTIL_MADE: Final = 3
"""Of the loop, after it has heard of a connection: it is accepted, its transport is made, its protocol is told."""

_REASONS = {
    errno.EADDRINUSE: "another program listens there already; stop it or choose another port",
    errno.EACCES: "this needs more rights; choose a port above 1023 or grant CAP_NET_BIND_SERVICE",
    errno.EADDRNOTAVAIL: "this machine does not have that address",
}


def cannot_listen(what: str, host: str, port: int, error: OSError) -> UsageError:
    """The error to raise where binding `what` to an address failed."""
    reason = _REASONS.get(error.errno or 0, error.strerror or str(error))
    return UsageError(f"{what} cannot listen on {host} port {port}: {reason}.")


def bound_socket(what: str, host: str, port: int) -> socket.socket:
    """A TCP socket at an IP address, not listening yet; on a free port for 0. Raises `UsageError` naming `what`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise cannot_listen(what, host, port, error) from error
    return bound


class _HasFileno(Protocol):
    def fileno(self) -> int: ...


async def stop_accepting(listening: Iterable[_HasFileno]) -> None:
    """To be awaited before the close of an asyncio server, which must know of all that it has accepted.

    One that is closed while a connection is being made (Python 3.11 to 3.13) leaves that open, and nobody knows of it.
    """
    loop = asyncio.get_running_loop()
    for each in listening:
        loop.remove_reader(each.fileno())
    for _ in range(_TURNS_UNTIL_MADE):
        await asyncio.sleep(0)


def parse_listen(text: str) -> ListenAddress:
    """`127.0.0.1:3323` or `[::1]:3323`. Raises `UsageError`."""
    match = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([^:\[\]]+)):([0-9]{1,5})", text)
    if match is None or int(match[3]) > 65535:
        raise UsageError(f"{text!r} is not an address to listen on; write it as 127.0.0.1:3323 or [::1]:3323.")
    host = match[1] or match[2]
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if host != "localhost":
            raise UsageError(f"{host!r} is not an IP address; write it as 127.0.0.1:3323 or [::1]:3323.") from None
        host = "127.0.0.1"
    return host, int(match[3])


def shown_listen(address: ListenAddress) -> str:
    """As `parse_listen` reads it."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
