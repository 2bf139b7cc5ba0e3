"""TCP-AO signatures (RFC 5925), by the socket option that Linux has from 6.7 on where it was built with CONFIG_TCP_AO.

Both algorithms of RFC 5926, each with a MAC of 96 bits, and one key with the same id both ways.
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
_ALGORITHMS = {"hmac-sha-1-96": b"hmac(sha1)", "aes-128-cmac-96": b"cmac(aes128)"}
"""As RFC 5926 section 3.2 calls them, and as Linux does."""

_USUAL = "hmac-sha-1-96"
_MAC_OCTETS = 12
_OPTION = struct.Struct("=128s64siIH6B80s")
"""struct tcp_ao_add of linux/tcp.h: address, algorithm, interface, flags, reserved, then prefix length, SendID, RecvID,
length of the MAC, flags of the key, length of the key, and the key."""

_DELETION = struct.Struct("=128siIH6B")
"""struct tcp_ao_del: address, interface, flags, reserved, then prefix length, SendID, RecvID, and what is not used."""

_ABSENT = {
    errno.ENOPROTOOPT: "this system's kernel has no TCP-AO (Linux from 6.7 on, built with CONFIG_TCP_AO)",
    errno.ENOENT: "this system's kernel has TCP-AO but not this algorithm; load its module, or take the other",
}


@dataclass(frozen=True, slots=True)
class Ao:
    """A key of TCP-AO; `key_id` (0 to 255) is SendID and RecvID, `algorithm` has the name that RFC 5926 gives it."""

    key_id: int
    secret: bytes = field(repr=False)
    algorithm: str = _USUAL

    @classmethod
    def parse(cls, text: str, environment: Mapping[str, str]) -> Self:
        """From `ID:FILE` or `ID:env:NAME`, or with `ID/ALGORITHM`. Raises `UsageError`."""
        about, _, place = text.partition(":")
        number, _, algorithm = about.partition("/")
        if not (number.isascii() and number.isdigit() and int(number) <= 255 and place):
            raise UsageError(f"{text!r} is no key of TCP-AO; write it as ID:FILE, with an ID from 0 to 255.")
        if algorithm and algorithm not in _ALGORITHMS:
            raise UsageError(f"{algorithm!r} is no algorithm of TCP-AO; choose {' or '.join(_ALGORITHMS)}.")
        return cls(int(number), read_secret(place, environment), algorithm or _USUAL)

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
        algorithm, length_of_key = _ALGORITHMS[self.algorithm], len(self.secret)
        key = _OPTION.pack(peer, algorithm, 0, 0, 0, bits, *ids, _MAC_OCTETS, 0, length_of_key, self.secret)
        set_key(connection, address, _TCP_AO_ADD_KEY, key, _ABSENT)
