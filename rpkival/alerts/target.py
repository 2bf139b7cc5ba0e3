"""Where a webhook may go: not to this machine or its private network, unless that is allowed by name.

Whoever can set an endpoint must not be able to make us talk to what only we can reach (server-side request forgery).
A name is resolved anew for each connection, so the address is judged where it is final: when the socket is made.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from rpkival.errors import UsageError

__all__ = ["ForbiddenTargetError", "check_url", "guarded_sockets", "is_public"]

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64 = (
    ipaddress.ip_network("64:ff9b::/96"),  # RFC 6052, the well-known prefix
    ipaddress.ip_network("64:ff9b:1::/48"),  # RFC 8215, for local use
)
_COMPATIBLE = ipaddress.ip_network("::/96")  # RFC 4291 section 2.5.5.1, deprecated
_RELAYS = ipaddress.ip_network("192.88.99.0/24")  # RFC 7526, deprecated 6to4 relays


class ForbiddenTargetError(OSError):
    """The address is private; an `OSError` so that another address of the same name can be tried."""


def is_public(address: Address) -> bool:
    """Whether an address, and every IPv4 address inside it, belongs to the Internet at large."""
    return all(_is_public(each) for each in _with_embedded(address))


def check_url(url: str, allow: Sequence[str] = ()) -> str:
    """The host of an endpoint's URL. Raises `UsageError` for one that we would never send to.

    Plain HTTP is only for hosts that are allowed by name or network.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"{url!r} is not a URL: {error}.") from error
    if parts.scheme not in {"http", "https"} or not host:
        raise UsageError(f"{url!r} is not a webhook URL; write it as https://host/path.")
    if parts.username is not None or parts.password is not None:
        raise UsageError("A webhook URL must hold no user name or password; receivers know us by the signature.")
    networks, names = _allowed(allow)
    literal = _literal(host)
    if parts.scheme == "http" and host not in names and not (literal and _is_in(literal, networks)):
        raise UsageError(f"{url!r} is not encrypted; use https, or allow {host} by name.")
    if literal and not is_public(literal) and host not in names and not _is_in(literal, networks):
        raise UsageError(f"{host} is a private address; allow it by name if the webhook is meant to go there.")
    return host


def guarded_sockets(host: str, allow: Sequence[str] = ()) -> Callable[[Any], socket.socket]:
    """What makes sockets for connections to `host`: refuses private addresses with `ForbiddenTargetError`.

    `allow` holds host names, addresses and networks. A name that is allowed may have any address.
    """
    networks, names = _allowed(allow)

    def make(info: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, sockaddr = info
        address = ipaddress.ip_address(sockaddr[0].partition("%")[0])
        if host.lower() not in names and not is_public(address) and not _is_in(address, networks):
            raise ForbiddenTargetError(f"{host} leads to {address}, a private address that is not allowed by name")
        return socket.socket(family, kind, protocol)

    return make


def _with_embedded(address: Address) -> Iterator[Address]:
    yield address
    if isinstance(address, ipaddress.IPv4Address):
        return
    if address.ipv4_mapped:
        yield address.ipv4_mapped
    if address.sixtofour:
        yield address.sixtofour
    yield from address.teredo or ()
    if address in _COMPATIBLE or any(address in network for network in _NAT64):
        yield ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and (address.ipv4_mapped or address.sixtofour):
        return True  # judged as the IPv4 address it is, and not by what this version of Python thinks of the wrapping
    return address.is_global and not address.is_multicast and address not in _RELAYS


def _allowed(allow: Sequence[str]) -> tuple[tuple[Network, ...], frozenset[str]]:
    networks, names = [], set()
    for text in allow:
        try:
            networks.append(ipaddress.ip_network(text))
        except ValueError:
            if "/" in text:
                raise UsageError(f"{text!r} is not a network; write it as 192.0.2.0/24.") from None
            names.add(text.lower())
    return tuple(networks), frozenset(names)


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _is_in(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)
