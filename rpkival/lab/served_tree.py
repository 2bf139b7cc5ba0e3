"""A small tree that changes: one member by RRDP, one by rsync, both on loopback, and a new version when told."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from rpkival.lab.ca import CertificateAuthority, trust_anchor
from rpkival.lab.certificates import Validity
from rpkival.lab.keys import Keys
from rpkival.lab.number_resources import Resources
from rpkival.lab.plan import Vrp
from rpkival.lab.publisher import trust_anchor_locator
from rpkival.lab.rrdp_server import RrdpServer
from rpkival.lab.rsync_daemon import RsyncDaemon

__all__ = ["ServedTree"]

_DAYS = 30 * 86_400


class ServedTree:
    """Serves until closed; a context manager.

    `alpha` publishes by RRDP alone, at `rrdp`, `beta` and the trust anchor by rsync. In each version a member has
    `roas` ROAs, all of which name the version's AS, 64496 and up; what holds of each member in each version tells
    `vrps`. `tal` is the locator's path and `ca_file` has the certificate to be trusted for RRDP.
    """

    def __init__(self, directory: Path, keys: Keys, now: int, *, roas: int = 4) -> None:
        """Version 1 is there at once. Raises `UsageError` where rsync is not installed."""
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._now = now
        self._roas = roas
        self.version = 0
        self._servers = ExitStack()
        self.daemon = self._servers.enter_context(RsyncDaemon())
        self.rrdp = self._servers.enter_context(RrdpServer(host="localhost"))
        self.ca_file = self.rrdp.ca_file
        lab, beta = (self._module(name) for name in ("lab", "beta"))
        valid = Validity(now - 3600, now + _DAYS)
        self.anchor = trust_anchor("lab", Resources(["10.0.0.0/8"], [(64496, 65551)]), valid, keys, repository=lab)
        self.alpha = self._member("alpha", 1, f"rsync://{self.daemon.authority}/alpha/alpha/", self.rrdp.notify_uri)
        self.beta = self._member("beta", 2, f"{beta}beta/", None)
        self.tal = directory / "lab.tal"
        self.tal.write_text(trust_anchor_locator(self.anchor), "ascii")
        self.publish()

    def publish(self) -> None:
        """The next version of everything, by both ways."""
        self.version += 1
        current = Validity(self._now - 3600 + self.version, self._now + _DAYS)
        for number, member in enumerate((self.alpha, self.beta), 1):
            member.products.clear()
            for roa in range(self._roas):
                member.issue_roa(self.asn(self.version), [(f"10.{number}.{roa}.0/24", 24)])
        self.rrdp.publish(_files(self.alpha, current))
        self._write(_files(self.beta, current))
        self._write(_files(self.anchor, current) | {self.anchor.certificate_uri: self.anchor.certificate})

    @staticmethod
    def asn(version: int) -> int:
        """Of all ROAs of a version."""
        return 64495 + version

    def vrps(self, member: int, version: int) -> frozenset[Vrp]:
        """What holds of alpha (1) or beta (2) in a version."""
        return frozenset((self.asn(version), f"10.{member}.{roa}.0/24", 24) for roa in range(self._roas))

    @property
    def now_valid(self) -> frozenset[Vrp]:
        """What holds of both in the present version."""
        return self.vrps(1, self.version) | self.vrps(2, self.version)

    def close(self) -> None:
        """End the servers."""
        self._servers.close()

    def _member(self, name: str, number: int, repository: str, notify: str | None) -> CertificateAuthority:
        resources = Resources([f"10.{number}.0.0/16"])
        return self.anchor.issue_ca(name, resources, repository=repository, notify=notify)

    def _module(self, name: str) -> str:
        return self.daemon.serve(name, self._directory / self.daemon.authority / name)

    def _write(self, files: Mapping[str, bytes]) -> None:
        """Exactly these files in their directories."""
        paths = {self._directory / uri.removeprefix("rsync://"): content for uri, content in files.items()}
        for path, content in paths.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            # A second later each time: rsync takes what has the same size and the same second for the same.
            os.utime(path, (self._now + self.version, self._now + self.version))
        for directory in {path.parent for path in paths}:
            for path in directory.iterdir():
                if path.is_file() and path not in paths:
                    path.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _files(authority: CertificateAuthority, current: Validity) -> dict[str, bytes]:
    return {authority.repository + name: data for name, data in authority.publication_point(current).items()}
