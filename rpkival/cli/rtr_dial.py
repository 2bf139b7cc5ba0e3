"""The options of a client's transport as a `Dial`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rpkival.cli.options import parse_peer
from rpkival.errors import UsageError
from rpkival.rtr.dial import Dial
from rpkival.rtr.tcp_ao import Ao
from rpkival.rtr.tcp_md5 import Md5
from rpkival.rtr.tcp_signing import Signature
from rpkival.rtr.tls import TlsClient

__all__ = ["Reach"]


@dataclass(frozen=True, slots=True)
class Reach:
    """How caches are reached: `tls`, `md5_key_file`, `ao_key` (`ID:FILE`) or `ssh` (a user), or plain TCP.

    A cache written as `tls://HOST:PORT` or `ssh://USER@HOST:PORT` is reached so, whatever holds for the others.
    `options` is what the names of the options begin with, for complaints.
    """

    tls: bool = False
    ca_file: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    md5_key_file: str | None = None
    ao_key: str | None = None
    ssh: str | None = None
    options: str = "--"

    def dials(self, caches: Iterable[str]) -> dict[str, Dial]:
        """The transport to each of `caches`. Raises `UsageError`, also for options that none of them needs."""
        transports = {"tls": self.tls, "md5-key-file": self.md5_key_file, "ao-key": self.ao_key, "ssh": self.ssh}
        asked = [name for name, on in transports.items() if on]
        if len(asked) > 1:
            names = " and ".join(f"{self.options}{name}" for name in asked)
            raise UsageError(f"{names} are each a transport; give one of them.")
        if self.key and not self.cert:
            raise UsageError(
                f"A {self.options}key belongs to a {self.options}cert; give both, or one file with both as the latter."
            )
        dials = {cache: self._dial(cache) for cache in caches}
        if (self.ca_file or self.cert) and not any(dial.tls for dial in dials.values()):
            raise UsageError(
                f"{self.options}ca-file, {self.options}cert and {self.options}key are of TLS; "
                "write the cache as tls://HOST:PORT."
            )
        return dials

    def _dial(self, cache: str) -> Dial:
        scheme, separator, rest = cache.rpartition("://")
        if scheme == "tls":
            return Dial(*parse_peer(rest), tls=self._tls())
        if scheme == "ssh":
            user, _, peer = rest.rpartition("@")
            if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", user):
                raise UsageError(f"{cache!r} names no user for ssh; write it as ssh://rpki@cache.example.net:22.")
            return Dial(*parse_peer(peer), ssh=user)
        if separator:
            raise UsageError(
                f"{cache!r} is no transport of RTR; write tls://HOST:PORT, ssh://USER@HOST:PORT or HOST:PORT."
            )
        return Dial(
            *parse_peer(cache),
            tls=self._tls() if self.tls else None,
            signature=self._signature(),
            ssh=self.ssh,
        )

    def _signature(self) -> Signature | None:
        if self.md5_key_file:
            return Md5.parse(self.md5_key_file, os.environ)
        return Ao.parse(self.ao_key, os.environ) if self.ao_key else None

    def _tls(self) -> TlsClient:
        client = TlsClient(self.ca_file, self.cert, self.key or self.cert)
        client.context()  # tells now, and not when the cache is reached, what cannot be used
        return client
