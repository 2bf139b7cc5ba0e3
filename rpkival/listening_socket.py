"""The socket that a server listens on: its beginning, and its end without anything left open."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from typing import Final, Protocol

from rpkival.listening import cannot_listen

__all__ = ["bound_socket", "stop_accepting"]

_TURNS_UNTIL_MADE: Final = 3
"""Of the loop, after it has heard of a connection: it is accepted, its transport is made, its protocol is told."""


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
