"""TCP-MD5 signatures (RFC 2385), by plain socket options of Linux.

Obsolete as RFC 5925 says, and still what most routers can do (RFC 8210 section 9.3).
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from rpkival.rtr.tcp_signing import read_secret, set_key, socket_address

__all__ = ["Md5"]

_TCP_MD5SIG = 14
_TCP_MD5SIG_EXT = 32
_FLAG_PREFIX = 1
_OPTION = struct.Struct("=128sBBHi80s")
"""struct tcp_md5sig of linux/tcp.h: address, flags, prefix length, key length, interface, key."""

_ABSENT = {errno.ENOPROTOOPT: "this system's kernel has no TCP-MD5 (CONFIG_TCP_MD5SIG)"}


@dataclass(frozen=True, slots=True)
class Md5:
    """A key of TCP-MD5."""

    secret: bytes = field(repr=False)

    @classmethod
    def parse(cls, place: str, environment: Mapping[str, str]) -> Self:
        """From `FILE` or `env:NAME`. Raises `UsageError`."""
        return cls(read_secret(place, environment))

    @property
    def transport(self) -> str:
        return "tcp-md5"

    def sign(self, connection: socket.socket, address: str, length: int | None = None) -> None:
        option, flags = (_TCP_MD5SIG, 0) if length is None else (_TCP_MD5SIG_EXT, _FLAG_PREFIX)
        peer = socket_address(connection, address)
        key = _OPTION.pack(peer, flags, length or 0, len(self.secret), 0, self.secret)
        set_key(connection, address, option, key, _ABSENT)
