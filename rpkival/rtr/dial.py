"""How a client reaches a cache: plain TCP, signed TCP, TLS, or SSH by the program of the system. Blocking, bounded."""

from __future__ import annotations

import socket
import subprocess
from contextlib import suppress
from dataclasses import dataclass

from rpkival.errors import FetchError
from rpkival.limits import MAX_RTR_SSH_EXIT_SECONDS
from rpkival.rtr.tcp_signing import Signature
from rpkival.rtr.tls import TlsClient

__all__ = ["Dial"]

_SUBSYSTEM = "rpki-rtr"
"""The name in draft-ietf-sidrops-8210bis-26 section 9.1."""


@dataclass(frozen=True, slots=True)
class Dial:
    """A cache's address and the transport to it, one of three or none: plain TCP.

    `ssh` is a user, whose keys and known hosts are those of the system's ssh; it never asks for anything.
    """

    host: str
    port: int
    tls: TlsClient | None = None
    signature: Signature | None = None
    ssh: str | None = None

    def connect(self, timeout: float) -> socket.socket:
        """A connection, within `timeout` seconds. Raises `OSError`, `FetchError`, and `UsageError` where this system
        cannot sign.
        """
        if self.ssh is not None:
            return _SshSocket.to(self.host, self.port, self.ssh, timeout)
        if self.signature is not None:
            return _signed(self.host, self.port, self.signature, timeout)
        connection = socket.create_connection((self.host, self.port), timeout)
        if self.tls is None:
            return connection
        try:
            return self.tls.context().wrap_socket(connection, server_hostname=self.host)
        except BaseException:
            connection.close()
            raise


def _signed(host: str, port: int, signature: Signature, timeout: float) -> socket.socket:
    """To the first of the host's addresses that answers."""
    failure: OSError = ConnectionError("the host has no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        connection = socket.socket(family, kind, protocol)
        try:
            signature.sign(connection, str(address[0]))
            connection.settimeout(timeout)
            connection.connect(address)
        except OSError as error:
            connection.close()
            failure = error
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    raise failure


class _SshSocket(socket.socket):
    """One end of a pair whose other end is ssh; ssh goes when this is closed."""

    _ssh: subprocess.Popen[bytes] | None = None

    @classmethod
    def to(cls, host: str, port: int, user: str, timeout: float) -> _SshSocket:
        ours, theirs = socket.socketpair()
        connection = cls(fileno=ours.detach())
        connection.settimeout(timeout)
        # "--" keeps a host that begins with a dash from being an option.
        options = ("-T", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={max(1, int(timeout))}", "-p", str(port))
        try:
            connection._ssh = subprocess.Popen(
                ("ssh", *options, "-l", user, "-s", "--", host, _SUBSYSTEM),
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
            )
        except OSError as error:
            connection.close()
            raise FetchError(f"The program ssh cannot be started: {error.strerror}; is it installed?") from error
        finally:
            theirs.close()
        return connection

    def close(self) -> None:
        super().close()
        ssh, self._ssh = self._ssh, None
        if ssh is None:
            return
        ssh.terminate()
        with suppress(subprocess.TimeoutExpired):
            ssh.wait(MAX_RTR_SSH_EXIT_SECONDS)
            return
        ssh.kill()
        ssh.wait()
