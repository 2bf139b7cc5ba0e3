"""TCP-AO signatures (RFC 5925), by the socket option that Linux has from 6.7 on where it was built with CONFIG_TCP_AO.

HMAC-SHA-1-96, which every implementation has (RFC 5926 section 3.2), and one key with the same id both ways.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

from rpkival.errors import UsageError
from rpkival.rtr.tcp_signing import read_secret, set_key, socket_address

__all__ = ["Ao"]

_TCP_AO_ADD_KEY = 38
_TCP_AO_DEL_KEY = 39
_ALGORITHM = b"hmac(sha1)"
_MAC_OCTETS = 12
_OPTION = struct.Struct("=128s64siIH6B80s")
"""struct tcp_ao_add of linux/tcp.h: address, algorithm, interface, flags, reserved, then prefix length, SendID, RecvID,
length of the MAC, flags of the key, length of the key, and the key."""

_DELETION = struct.Struct("=128siIH6B")
"""struct tcp_ao_del: address, interface, flags, reserved, then prefix length, SendID, RecvID, and what is not used."""

_ABSENT = {errno.ENOPROTOOPT: "this system's kernel has no TCP-AO (Linux from 6.7 on, built with CONFIG_TCP_AO)"}


@dataclass(frozen=True, slots=True)
class Ao:
    """A key of TCP-AO; `key_id` (0 to 255) is SendID and RecvID."""

    key_id: int
    secret: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str, environment: Mapping[str, str]) -> Self:
        """From `ID:FILE` or `ID:env:NAME`. Raises `UsageError`."""
        number, _, place = text.partition(":")
        if not (number.isascii() and number.isdigit() and int(number) <= 255 and place):
            raise UsageError(f"{text!r} is no key of TCP-AO; write it as ID:FILE, with an ID from 0 to 255.")
        return cls(int(number), read_secret(place, environment))

    @property
    def transport(self) -> str:
        return "tcp-ao"

    def sign(self, connection: socket.socket, address: str, length: int | None = None) -> None:
        bits = (32 if connection.family == socket.AF_INET else 128) if length is None else length
        peer, ids = socket_address(connection, address), (self.key_id, self.key_id)
        with suppress(OSError):
            # A socket that systemd holds has the keys that the process before gave it, and the kernel takes none twice.
            connection.setsockopt(
                socket.IPPROTO_TCP, _TCP_AO_DEL_KEY, _DELETION.pack(peer, 0, 0, 0, bits, *ids, 0, 0, 0)
            )
        key = _OPTION.pack(peer, _ALGORITHM, 0, 0, 0, bits, *ids, _MAC_OCTETS, 0, len(self.secret), self.secret)
        set_key(connection, address, _TCP_AO_ADD_KEY, key, _ABSENT)
