"""Who may connect: networks by address, decided before a single octet is read."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self, TypeAlias

from rpkival.errors import UsageError

__all__ = ["EVERYBODY", "Access", "Address", "Network", "parse_network", "plain_address"]

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Access:
    """The networks whose routers may connect; without any, all may."""

    networks: tuple[Network, ...] = ()

    @classmethod
    def of(cls, texts: Iterable[str]) -> Self:
        """From prefixes and addresses in words. Raises `UsageError`."""
        return cls(tuple(parse_network(text) for text in texts))

    def admits(self, address: str) -> bool:
        """Whether a router may come from this address."""
        plain = plain_address(address)
        return not self.networks or any(plain in network for network in self.networks)


EVERYBODY = Access()


def parse_network(text: str) -> Network:
    """A prefix or a single address. Raises `UsageError`."""
    try:
        return ipaddress.ip_network(text.strip())
    except ValueError as error:
        raise UsageError(f"{text!r} is not a network; write it as 192.0.2.0/24 or 2001:db8::1 ({error}).") from None


def plain_address(address: str) -> Address:
    """The address that a socket gives: without zone, and IPv4 as such where IPv6 wraps it."""
    plain = ipaddress.ip_address(address.partition("%")[0])
    return getattr(plain, "ipv4_mapped", None) or plain
