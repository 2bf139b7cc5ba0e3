"""What all BGP messages are made of: octets read from the front, and prefixes as NLRI (RFC 4271 section 4.3)."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TypeAlias

from rpkival.errors import BgpError
from rpkival.prefixes import ADDRESS_BITS, Family

__all__ = ["Address", "Network", "Octets", "decode_prefixes", "encode_prefixes"]

Network: TypeAlias = IPv4Network | IPv6Network
Address: TypeAlias = IPv4Address | IPv6Address


class Octets:
    """Octets read from the front and never past the end: where they run short, `short` is raised."""

    __slots__ = ("_at", "_data", "_short")

    def __init__(self, data: bytes, short: BgpError) -> None:
        self._data = data
        self._at = 0
        self._short = short

    def __bool__(self) -> bool:
        """Whether any are left."""
        return self._at < len(self._data)

    def take(self, count: int) -> bytes:
        """The next `count` octets."""
        taken = self._data[self._at : self._at + count]
        if len(taken) != count:
            raise self._short
        self._at += count
        return taken

    def number(self, count: int) -> int:
        """The next `count` octets as a number, most significant octet first."""
        return int.from_bytes(self.take(count))

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self._data) - self._at)


def encode_prefixes(prefixes: Iterable[Network]) -> bytes:
    """Each as its length in bits and the octets that it needs."""
    return b"".join(
        bytes([prefix.prefixlen]) + prefix.network_address.packed[: (prefix.prefixlen + 7) // 8] for prefix in prefixes
    )


def decode_prefixes(data: bytes, family: Family, error: BgpError) -> tuple[Network, ...]:
    """The prefixes of one field; bits behind a prefix's length mean nothing and are cleared. Raises `error`."""
    network_class = IPv4Network if family == 4 else IPv6Network
    bits = ADDRESS_BITS[family]
    octets = Octets(data, error)
    found: list[Network] = []
    while octets:
        length = octets.number(1)
        if length > bits:
            raise error
        address = int.from_bytes(octets.take((length + 7) // 8).ljust(bits // 8, b"\0"))
        found.append(network_class((address, length), strict=False))
    return tuple(found)
