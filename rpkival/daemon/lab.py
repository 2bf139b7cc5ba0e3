"""What `rpkival up --lab` puts in front of the machinery: a registry, repositories, ASes, a collector, beacons."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np

from rpkival.daemon.job import Job
from rpkival.errors import UsageError
from rpkival.lab.beacons import BeaconAddress
from rpkival.lab.ca import REPOSITORY, CertificateAuthority, trust_anchor
from rpkival.lab.certificates import Validity
from rpkival.lab.keys import KeyRing
from rpkival.lab.number_resources import Resources
from rpkival.lab.propagation import IsInvalid
from rpkival.lab.publisher import Publisher
from rpkival.lab.rsync_daemon import RsyncDaemon
from rpkival.lab.topology import LAB, AutonomousSystem, Topology
from rpkival.objects.tal import parse_tal
from rpkival.origin.index import OriginIndex
from rpkival.origin.verdict import State
from rpkival.prefixes import parse_prefix
from rpkival.repository.opening import Fetching
from web.beacons import BeaconFamily, BeaconSet

__all__ = ["LabRepository", "beacon_sets", "is_invalid"]

_DAY = 86_400
_MODULE = "repository"


class LabRepository:
    """The registry of a topology: a trust anchor, an authority for each AS that holds something, and its ROAs.

    Served by a real rsync daemon where rsync is installed, else read from the directory.
    """

    def __init__(self, directory: Path, topology: Topology = LAB) -> None:
        self._publisher = Publisher(directory)
        self._daemon: RsyncDaemon | None = None
        repository = REPOSITORY
        try:
            self._daemon = RsyncDaemon()
        except UsageError:
            pass  # no rsync on this machine: the same files are read where they are published
        else:
            repository = f"rsync://{self._daemon.authority}/{_MODULE}/"
            self._daemon.serve(_MODULE, self._publisher.rsync / self._daemon.authority / _MODULE)
        self._anchor = _sign(topology, repository, time.time())
        self.publish()

    @property
    def served_by_rsync(self) -> bool:
        """Whether objects travel over the rsync protocol."""
        return self._daemon is not None

    def publish(self) -> None:
        """Sign new manifests and CRLs, good for a day, and publish the whole tree."""
        now = int(time.time())
        # Clocks of validators may be a little behind ours.
        files = self._anchor.tree(Validity(now - 300, now + _DAY))
        (self._locator,) = self._publisher.publish(self._anchor, files=files)

    def job(self, fetched: Path) -> Job:
        """The validation of this registry; `fetched` is where fetched repositories are kept."""
        tal = parse_tal(self._locator.read_bytes(), "lab")
        if self.served_by_rsync:
            return Job((tal,), fetched, Fetching(allow_dubious_hosts=True))
        return Job((tal,), self._publisher.rsync, Fetching(offline=True))

    def close(self) -> None:
        """Stop serving."""
        if self._daemon is not None:
            self._daemon.close()


def _sign(topology: Topology, repository: str, now: float) -> CertificateAuthority:
    held = [prefix for system in topology.systems for prefix in system.holds]
    validity = Validity(int(now) - _DAY, int(now) + 365 * _DAY)
    asns = [(system.asn, system.asn) for system in topology.systems]
    anchor = trust_anchor("lab", Resources(held, asns), validity, KeyRing(), repository=repository)
    authorities = {
        system.asn: anchor.issue_ca(f"as{system.asn}", Resources(system.holds, [(system.asn, system.asn)]))
        for system in topology.systems
        if system.holds
    }
    for roa in topology.roas:
        holder = _holder(topology.systems, roa.prefix)
        authorities[holder.asn].issue_roa(roa.asn, [(roa.prefix, roa.max_length)])
    return anchor


def _holder(systems: tuple[AutonomousSystem, ...], prefix: str) -> AutonomousSystem:
    network = ipaddress.ip_network(prefix)
    for system in systems:
        for held in map(ipaddress.ip_network, system.holds):
            if held.version == network.version and network.subnet_of(held):  # type: ignore[arg-type]  # same version
                return system
    raise UsageError(f"Nobody in the lab holds {prefix}.")


def is_invalid(index: OriginIndex) -> IsInvalid:
    """The verdict that the lab's ASes drop routes by, as the VRPs in force have it."""

    @cache
    def judge(prefix: str, origin: int) -> bool:
        verdicts = index.classify(parse_prefix(prefix), np.array([origin], np.uint32))
        return bool(verdicts.state[0] == State.INVALID)

    return judge


def beacon_sets(addresses: tuple[BeaconAddress, ...]) -> tuple[BeaconSet, ...]:
    """The lab's beacons as the page wants them, one set a family."""
    families: dict[int, dict[str, str]] = {}
    for address in addresses:
        families.setdefault(address.family, {})[address.name] = address.url
    return tuple(_beacon_set(family, urls) for family, urls in sorted(families.items()))


def _beacon_set(family: int, urls: Mapping[str, str]) -> BeaconSet:
    return BeaconSet(
        name=f"lab-ipv{family}",
        operator="the lab",
        family=BeaconFamily(f"ipv{family}"),
        control=(urls["valid"],),
        invalid=(urls["invalid"],),
        covered=(urls["covered"],),
    )
