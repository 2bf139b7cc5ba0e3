"""TCP-MD5 signatures (RFC 2385), by plain socket options of Linux.

Obsolete as RFC 5925 says, and still what most routers can do (RFC 8210 section 9.3). The kernel signs every segment of
a connection with an address that has a key, and drops whatever comes from there unsigned: to such a router nobody
answers, which looks like a firewall. Addresses without a key go on unsigned.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from rpkival.errors import UsageError
from rpkival.rtr.access import Network, parse_network, plain_address

__all__ = ["Md5Key", "read_secret", "sign_connection", "sign_listener", "signed"]

_TCP_MD5SIG = 14
_TCP_MD5SIG_EXT = 32
_FLAG_PREFIX = 1
_MAX_KEY = 80
"""TCP_MD5SIG_MAXKEYLEN of linux/tcp.h."""

_OPTION = struct.Struct("=128sBBHi80s")
"""struct tcp_md5sig: address, flags, prefix length, key length, interface, key."""


@dataclass(frozen=True, slots=True)
class Md5Key:
    """The key that routers of a network share with this cache."""

    network: Network
    secret: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str, environment: Mapping[str, str]) -> Self:
        """`192.0.2.0/24=FILE`, or `192.0.2.0/24=env:NAME`. Raises `UsageError`."""
        network, equals, place = text.partition("=")
        if not equals or not place:
            raise UsageError(f"{text!r} names no key; write it as 192.0.2.0/24=FILE or 192.0.2.0/24=env:NAME.")
        return cls(parse_network(network), read_secret(place, environment))


def read_secret(place: str, environment: Mapping[str, str]) -> bytes:
    """The key in a file, or with `env:NAME` in the environment; blanks around it do not count. Raises `UsageError`."""
    if place.startswith("env:"):
        name = place.removeprefix("env:")
        if name not in environment:
            raise UsageError(f"The environment has no {name}, which is to hold the key of TCP-MD5.")
        secret = os.fsencode(environment[name]).strip()
    else:
        try:
            secret = Path(place).read_bytes().strip()
        except OSError as error:
            raise UsageError(f"The key of TCP-MD5 cannot be read from {place}: {error.strerror}.") from error
    if not 1 <= len(secret) <= _MAX_KEY:
        raise UsageError(f"A key of TCP-MD5 has 1 to {_MAX_KEY} octets; that of {place} has {len(secret)}.")
    return secret


def sign_listener(listener: socket.socket, keys: Iterable[Md5Key]) -> None:
    """Sign what is accepted from the networks that have keys. Raises `UsageError`."""
    family = listener.family
    for key in keys:
        version = 4 if family == socket.AF_INET else 6
        if key.network.version == version:
            flags = (_TCP_MD5SIG_EXT, _FLAG_PREFIX, key.network.prefixlen)
            _set(listener, str(key.network.network_address), key.secret, *flags)


def sign_connection(connection: socket.socket, address: str, secret: bytes) -> None:
    """Sign all to and from `address`; before `connect`. Raises `UsageError`."""
    _set(connection, address, secret, _TCP_MD5SIG, 0, 0)


def signed(keys: Iterable[Md5Key], address: str) -> bool:
    """Whether what comes from `address` is signed."""
    plain = plain_address(address)
    return any(plain in key.network for key in keys)


def _set(connection: socket.socket, address: str, secret: bytes, option: int, flags: int, length: int) -> None:
    octets = socket.inet_pton(connection.family, address.partition("%")[0])
    # struct sockaddr_storage begins with the family and the port; IPv6 has a flow label before the address.
    blank = b"" if connection.family == socket.AF_INET else bytes(4)
    storage = struct.pack("=HH", connection.family, 0) + blank + octets
    try:
        connection.setsockopt(socket.IPPROTO_TCP, option, _OPTION.pack(storage, flags, length, len(secret), 0, secret))
    except OSError as error:
        what = error.strerror
        if error.errno in (errno.ENOPROTOOPT, errno.EINVAL):
            what = "this system's kernel has no TCP-MD5 (CONFIG_TCP_MD5SIG)"
        raise UsageError(f"Connections with {address} cannot be signed: {what}.") from error
