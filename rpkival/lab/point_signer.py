"""Signs the publication points of a plan, each by itself, in whichever process has time."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from rpkival.lab.ca import CertificateAuthority, trust_anchor
from rpkival.lab.certificates import Validity
from rpkival.lab.keys import RouterKey
from rpkival.lab.plan import Host, Plan
from rpkival.lab.prime_keys import PrimeKeys

__all__ = ["PointSigner", "router_key"]

_MARGIN = 3600
"""Seconds before `at` from which everything holds, for validators whose clock is late."""


def router_key(plan: Plan, ca: int, index: int) -> RouterKey:
    """The key of the router with this index at a CA; the same in all versions."""
    return RouterKey.derived(f"{plan.seed} {ca} router {index}".encode())


@dataclass(frozen=True)
class PointSigner:
    """Signs any publication point of a plan. Everything holds from an hour before `at` for `days`.

    CAs publish on each of `hosts` in turn.
    """

    plan: Plan
    hosts: tuple[Host, ...]
    primes: tuple[int, ...]
    at: int
    days: int
    directory: Path

    @property
    def validity(self) -> Validity:
        """Of all certificates."""
        return Validity(self.at - _MARGIN, self.at + self.days * 86_400)

    def publish(self, ca: int, version: int) -> int:
        """Write a publication point in place of what was there; returns its number of files."""
        authority = self._authority(ca)
        for child in self.plan.children[ca]:
            authority.issue_ca(
                self.plan.ca_name(child),
                self.plan.resources(child),
                repository=self._repository(child),
                notify=self._host(child).notify,
            )
        self._issue(authority, ca, version)
        # Later by a second each time, since a manifest must not be older than the one before it.
        current = Validity(self.validity.not_before + version, self.validity.not_after)
        files = authority.publication_point(current)
        directory = self.directory / "rsync" / authority.repository.removeprefix("rsync://")
        directory.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (directory / name).write_bytes(content)
            # rsync tells versions of one size apart by the second.
            os.utime(directory / name, (current.not_before,) * 2)
        for path in directory.iterdir():
            if path.name not in files:
                path.unlink()
        if ca == 0:
            (directory.parent / f"{self.plan.name}.cer").write_bytes(authority.certificate)
        return len(files)

    def anchor(self) -> CertificateAuthority:
        """The trust anchor, without what it publishes."""
        plan = self.plan
        return trust_anchor(plan.name, plan.resources(0), self.validity, self._keys, repository=self._host(0).rsync)

    @cached_property
    def _keys(self) -> PrimeKeys:
        return PrimeKeys(self.primes)

    def _authority(self, ca: int) -> CertificateAuthority:
        if ca == 0:
            return self.anchor()
        name = self.plan.ca_name(ca)
        return CertificateAuthority(
            name,
            self._keys.key(name),
            b"",  # its parent publishes it
            self.validity,
            self._repository(ca),
            f"{self._repository(self.plan.parents[ca])}{name}.cer",
            self._keys,
        )

    def _repository(self, ca: int) -> str:
        return f"{self._host(ca).rsync}{self.plan.ca_name(ca) if ca else self.plan.name}/"

    def _host(self, ca: int) -> Host:
        return self.hosts[ca % len(self.hosts)]

    def _issue(self, authority: CertificateAuthority, ca: int, version: int) -> None:
        authority.count_from(version + 1)
        point = self.plan.point(ca, version)
        for roa in point.roas:
            authority.issue_roa(roa.asn, roa.prefixes)
        for aspa in point.aspas:
            authority.issue_aspa(aspa.customer, aspa.providers)
        for index, asn in enumerate(point.router_asns):
            authority.issue_router_key(asn, router_key(self.plan, ca, index))
        if point.prefix_list is not None:
            authority.issue_prefix_list(point.prefix_list.asn, [prefix for prefix, _ in point.prefix_list.prefixes])
        if point.contact is not None:
            authority.issue_ghostbusters(f"{point.contact} of {authority.name}", "noc@lab.example")
        if ca == 0:
            authority.issue_trust_anchor_key()
