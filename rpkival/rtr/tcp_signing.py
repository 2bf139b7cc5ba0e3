"""Signed TCP: the kernel signs every segment of a connection with an address that has a key (RFC 8210 section 9).

It drops whatever comes from there unsigned or with another key: to such a router nobody answers, which looks like a
firewall. Addresses without a key go on unsigned. What follows here is of both kinds, TCP-MD5 and TCP-AO.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from rpkival.errors import UsageError
from rpkival.rtr.access import Network, parse_network, plain_address

__all__ = ["Signature", "SignedNetwork", "read_secret", "set_key", "sign_listener", "socket_address", "transport_of"]

MAX_KEY = 80
"""TCP_MD5SIG_MAXKEYLEN and TCP_AO_MAXKEYLEN of linux/tcp.h."""


class Signature(Protocol):
    """A key, and the way to sign with it."""

    @property
    def transport(self) -> str:
        """What connections signed so are called."""

    def sign(self, connection: socket.socket, address: str, length: int | None = None) -> None:
        """Sign all to and from `address`, or the network of `length` bits that begins there; on a listening socket, or
        before `connect`. Raises `UsageError`.
        """


@dataclass(frozen=True, slots=True)
class SignedNetwork:
    """The key that routers of a network share with this cache."""

    network: Network
    signature: Signature

    @classmethod
    def parse(
        cls, text: str, environment: Mapping[str, str], signature: Callable[[str, Mapping[str, str]], Signature]
    ) -> Self:
        """`192.0.2.0/24=KEY`; `signature` makes something of the key. Raises `UsageError`."""
        network, equals, key = text.partition("=")
        if not equals or not key:
            raise UsageError(f"{text!r} names no key; write it as 192.0.2.0/24= and what the option says of the key.")
        return cls(parse_network(network), signature(key, environment))


def sign_listener(listener: socket.socket, networks: Iterable[SignedNetwork]) -> None:
    """Sign what is accepted from the networks that have keys. Raises `UsageError`."""
    is_ipv6 = listener.family == socket.AF_INET6
    takes_both = is_ipv6 and not listener.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
    for each in networks:
        network = each.network
        address = str(network.network_address)
        if is_ipv6 == (network.version == 6):
            each.signature.sign(listener, address, network.prefixlen)
        elif takes_both:
            # A socket that systemd opened for both families has IPv4 peers wrapped in IPv6, whose length the kernel
            # counts as IPv4's.
            each.signature.sign(listener, f"::ffff:{address}", network.prefixlen)


def transport_of(networks: Iterable[SignedNetwork], address: str) -> str:
    """What a connection from `address` is called, signed or not."""
    plain = plain_address(address)
    return next((each.signature.transport for each in networks if plain in each.network), "tcp")


def read_secret(place: str, environment: Mapping[str, str]) -> bytes:
    """The key in a file, or with `env:NAME` in the environment; blanks around it do not count. Raises `UsageError`.

    What begins with `hex:` are its octets in hexadecimal digits (8210bis-26 sections 9.3 and 9.4).
    """
    if place.startswith("env:"):
        name = place.removeprefix("env:")
        if name not in environment:
            raise UsageError(f"The environment has no {name}, which is to hold the key that signs TCP.")
        secret = os.fsencode(environment[name]).strip()
    else:
        try:
            secret = Path(place).read_bytes().strip()
        except OSError as error:
            raise UsageError(f"The key that signs TCP cannot be read from {place}: {error.strerror}.") from error
    if secret.startswith(b"hex:"):
        try:
            secret = bytes.fromhex(secret.removeprefix(b"hex:").decode("ascii"))
        except ValueError as error:
            raise UsageError(f"The key of {place} begins with hex:, but what follows are no octets in hex.") from error
    if not 1 <= len(secret) <= MAX_KEY:
        raise UsageError(f"A key that signs TCP has 1 to {MAX_KEY} octets; that of {place} has {len(secret)}.")
    return secret


def socket_address(connection: socket.socket, address: str) -> bytes:
    """`address` as the struct sockaddr_storage begins: the family, port 0, for IPv6 a flow label, the address."""
    blank = b"" if connection.family == socket.AF_INET else bytes(4)
    octets = socket.inet_pton(connection.family, address.partition("%")[0])
    return struct.pack("=HH", connection.family, 0) + blank + octets


def set_key(connection: socket.socket, address: str, option: int, key: bytes, absent: Mapping[int, str]) -> None:
    """Give the kernel the key for `address`: the structure that `option` takes.

    Raises `UsageError`, in the words of `absent` for an error number that it has.
    """
    try:
        connection.setsockopt(socket.IPPROTO_TCP, option, key)
    except OSError as error:
        what = absent.get(error.errno or 0, error.strerror)
        raise UsageError(f"Connections with {address} cannot be signed: {what}.") from error
