"""Where routers come in: addresses and sockets, each with its transport, opened all or none."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from rpkival.errors import UsageError
from rpkival.listening import ListenAddress, shown_listen
from rpkival.rtr.listener import inherited_sockets
from rpkival.rtr.server import RtrServer
from rpkival.rtr.tcp_ao import Ao
from rpkival.rtr.tcp_md5 import Md5
from rpkival.rtr.tcp_signing import SignedNetwork
from rpkival.rtr.tls import TlsServer

__all__ = ["Door", "Doors", "open_doors"]

_TLS_SOCKET = "tls"
"""Sockets of systemd whose name (FileDescriptorName=) ends with this speak TLS."""


@dataclass(frozen=True, slots=True)
class Door:
    """One that is open: its address, the port as it is also where any was asked for, and what is spoken there."""

    address: ListenAddress
    tls: bool = False

    def __str__(self) -> str:
        return shown_listen(self.address)


@dataclass(frozen=True, slots=True)
class Doors:
    """`plain` and `tls_at`: address and port to listen on, without TLS and with it, None for nowhere.

    `sockets` are those that listen already, by name; a plain one of them takes the place of `plain`, one for TLS the
    place of `tls_at`. `signed` has the keys of routers that sign, on whatever socket.
    """

    plain: ListenAddress | None
    tls_at: ListenAddress | None = None
    tls: TlsServer | None = None
    signed: tuple[SignedNetwork, ...] = ()
    sockets: dict[str, socket.socket] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        plain: ListenAddress | None,
        *,
        tls_at: ListenAddress | None = None,
        certificate: Path | None = None,
        key: Path | None = None,
        client_ca: Path | None = None,
        client_names: Sequence[str] = (),
        md5: Sequence[str] = (),
        ao: Sequence[str] = (),
        environment: Mapping[str, str] = os.environ,
    ) -> Self:
        """From what an operator wrote, and the sockets that systemd passed. Raises `UsageError`."""
        sockets = inherited_sockets(environment, os.getpid())
        if certificate is None and (tls_at or key or client_ca or client_names):
            raise UsageError("TLS needs a certificate and its key; name the files of both.")
        if client_names and client_ca is None:
            raise UsageError("Names of routers are checked in their certificates; name the CA that signs those.")
        tls = TlsServer(certificate, key or certificate, client_ca, client_names) if certificate else None
        if tls and tls_at is None and not any(_speaks_tls(name) for name in sockets):
            raise UsageError("There is a certificate and nothing to use it on; say where to listen for TLS.")
        signed = [SignedNetwork.parse(text, environment, Md5.parse) for text in md5]
        signed += [SignedNetwork.parse(text, environment, Ao.parse) for text in ao]
        return cls(plain, tls_at, tls, tuple(signed), sockets)


async def open_doors(server: RtrServer, doors: Doors) -> tuple[Door, ...]:
    """Listen wherever `doors` says; gives all that are open, those without TLS first. Raises `UsageError`.

    Whoever calls this closes the server afterwards, also where it raises.
    """
    plain = [each for name, each in doors.sockets.items() if not _speaks_tls(name)]
    secure = [each for name, each in doors.sockets.items() if _speaks_tls(name)]
    if secure and doors.tls is None:
        raise UsageError("systemd passes a socket for TLS, which needs a certificate and its key.")
    opened = [Door(await server.serve(each, signed=doors.signed)) for each in plain]
    if doors.plain and not plain:
        opened.append(Door(await server.start(*doors.plain, signed=doors.signed)))
    opened += [Door(await server.serve(each, tls=doors.tls, signed=doors.signed), tls=True) for each in secure]
    if doors.tls_at and not secure:
        opened.append(Door(await server.start(*doors.tls_at, tls=doors.tls, signed=doors.signed), tls=True))
    if not opened:
        raise UsageError("There is nowhere to listen for routers.")
    return tuple(opened)


def _speaks_tls(name: str) -> bool:
    return name.endswith(_TLS_SOCKET)
