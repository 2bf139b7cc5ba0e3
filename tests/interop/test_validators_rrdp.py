"""rpki-client, FORT and we follow the same repositories, some by RRDP and some by rsync, through several versions."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from rpkival.lab.ca import CertificateAuthority, trust_anchor
from rpkival.lab.certificates import Validity
from rpkival.lab.keys import KeyRing
from rpkival.lab.number_resources import Resources
from rpkival.lab.publisher import trust_anchor_locator
from rpkival.lab.rrdp_server import RrdpServer
from rpkival.lab.rsync_daemon import RsyncDaemon

pytestmark = pytest.mark.interop

HOUR = 3600
SYSTEM_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
"""What rpki-client trusts, which it lets nobody choose."""

BY_RSYNC = "rsync://rsync.example/rsync/"

VrpSet = set[tuple[str, str, int]]


@dataclass
class World:
    """A trust anchor whose members publish by rsync, at one RRDP server, and at another."""

    place: Path
    daemon: RsyncDaemon
    servers: dict[str, RrdpServer]
    anchor: CertificateAuthority
    expected: VrpSet = field(default_factory=set)

    @property
    def tal(self) -> Path:
        """The locator."""
        return self.place / "lab.tal"

    def publish(self) -> None:
        """Everything as it is now, each at its host."""
        now = int(time.time())
        files = self.anchor.tree(Validity(now - HOUR, now + 24 * HOUR))
        for host, server in self.servers.items():
            server.publish({uri: data for uri, data in files.items() if uri.startswith(f"rsync://{host}.example/")})
        for uri, data in files.items():
            if uri.startswith(BY_RSYNC):
                path = self.place / "tree" / uri.removeprefix(BY_RSYNC)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)

    def roa(self, authority: CertificateAuthority, asn: int, prefix: str, max_length: int) -> str:
        """One more, which all have to find."""
        self.expected.add((f"AS{asn}", prefix, max_length))
        return authority.issue_roa(asn, [(prefix, max_length)])

    def run(self, *command: str | Path) -> None:
        """Run a validator, with an rsync that finds our daemon under every name."""
        environment = os.environ | {"PATH": f"{self.place / 'bin'}:/usr/sbin:{os.environ['PATH']}"}
        done = subprocess.run(
            command, cwd=self.place, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def world(public_place: Path, rsync_daemon: RsyncDaemon, lab_keys: KeyRing) -> Iterator[World]:
    """Three members, one of them with a customer, objects of several kinds."""
    year = Validity(int(time.time()) - HOUR, int(time.time()) + 365 * 24 * HOUR)
    resources = Resources(["10.0.0.0/8", "2001:db8::/32"], [(64496, 64511)])
    anchor = trust_anchor("anchor", resources, year, lab_keys, repository=BY_RSYNC)
    place = public_place
    with RrdpServer() as one, RrdpServer() as two:
        (place / "tree").mkdir(mode=0o755)
        rsync_daemon.serve("rsync", place / "tree")
        (place / "ca.pem").write_bytes(one.ca_file.read_bytes() + two.ca_file.read_bytes())
        world = World(place, rsync_daemon, {"one": one, "two": two}, anchor)
        alpha = anchor.issue_ca("alpha", Resources(["10.1.0.0/16", "2001:db8:1::/48"]), **at("one", one))
        customer = alpha.issue_ca("customer", Resources(["10.1.128.0/17"]), **at("two", two))
        beta = anchor.issue_ca("beta", Resources(["10.2.0.0/16"], [(64496, 64500)]), **at("two", two))
        gamma = anchor.issue_ca("gamma", Resources(["10.3.0.0/16"]))
        world.roa(anchor, 64496, "10.0.0.0/16", 24)
        world.roa(alpha, 64497, "10.1.0.0/16", 17)
        world.roa(alpha, 64497, "2001:db8:1::/48", 64)
        world.roa(customer, 64498, "10.1.128.0/17", 32)
        world.roa(beta, 64499, "10.2.0.0/16", 16)
        world.roa(gamma, 64500, "10.3.0.0/16", 16)
        beta.issue_aspa(64499, [64496, 64497])
        beta.issue_router_key(64500)
        alpha.issue_ghostbusters("Who", "who@example.net")
        world.tal.write_text(trust_anchor_locator(anchor))
        yield world


def at(host: str, server: RrdpServer) -> dict[str, str]:
    """Where a CA publishes."""
    return {
        "repository": f"rsync://{host}.example/{host}/",
        "notify": server.notify_uri,
    }


def vrps(path: Path) -> VrpSet:
    """VRPs of a CSV file; only its first three columns are the same everywhere."""
    _, *rows = csv.reader(path.read_text().splitlines())
    return {(row[0], row[1], int(row[2])) for row in rows}


def ours(world: World) -> VrpSet:
    """`rpkival validate`, as a user would have it, but for the lab's addresses and certificates."""
    output = world.place / "rpkival.csv"
    world.run(
        sys.executable, "-m", "rpkival", "validate", "--tal", world.tal, "--data-dir", world.place / "rpkival",
        "--ca-file", world.place / "ca.pem", "--allow-dubious-hosts", "--rrdp-fallback", "never", "--complete",
        "--format", "csv", "--output", output,
    )  # fmt: skip
    return vrps(output)


def rpki_client(world: World) -> VrpSet:
    """OpenBSD's, in a mount namespace where the lab's certificates are the system's."""
    for name in ("cache", "out"):
        (world.place / name).mkdir(exist_ok=True)
        shutil.chown(world.place / name, "_rpki-client")
    command = (
        f"mount --bind {world.place}/ca.pem {SYSTEM_CERTIFICATES} && "
        f"exec rpki-client -c -e {world.place}/bin/rsync -t {world.tal} -d {world.place}/cache {world.place}/out"
    )
    world.run("unshare", "--mount", "sh", "-c", command)
    return vrps(world.place / "out/csv")


def fort(world: World) -> VrpSet:
    """NIC Mexico's."""
    (world.place / "fort").mkdir(exist_ok=True)
    trusted = world.place / "trusted"
    if not trusted.exists():
        trusted.mkdir()
        for name, server in world.servers.items():
            shutil.copy(server.ca_file, trusted / f"{name}.pem")
        subprocess.run(["openssl", "rehash", trusted], check=True)
    configuration = {
        "mode": "standalone",
        "tal": str(world.tal),
        "local-repository": str(world.place / "fort"),
        "http": {"enabled": True, "priority": 60, "ca-path": str(trusted)},
        "rsync": {
            "program": str(world.place / "bin/rsync"),
            "arguments-recursive": ["-rt", "--delete", "$REMOTE", "$LOCAL"],
            "arguments-flat": ["-t", "$REMOTE", "$LOCAL"],
        },
        "output": {"roa": str(world.place / "fort.csv")},
    }
    (world.place / "fort.json").write_text(json.dumps(configuration))
    world.run("fort", "--configuration-file", world.place / "fort.json")
    return vrps(world.place / "fort.csv")


def test_three_validators_follow_the_same_repositories(world: World, program: Callable[..., str]) -> None:
    """From a snapshot, by deltas, through a new session, and after more changes than a list of deltas tells of."""
    for name in ("rpki-client", "fort", "unshare", "openssl"):
        program(name)
    if os.geteuid() != 0 or not SYSTEM_CERTIFICATES.exists():
        pytest.skip("only root can give rpki-client other certificates, in place of those of ca-certificates")

    def all_agree() -> None:
        world.publish()
        for validator in (ours, rpki_client, fort):
            before = {name: len(server.requests) for name, server in world.servers.items()}
            assert validator(world) == world.expected, validator.__name__
            assert all(len(server.requests) > before[name] for name, server in world.servers.items())

    all_agree()
    alpha, beta, _ = world.anchor.children
    (customer,) = alpha.children
    gone = next(name for name in alpha.products if name.startswith("AS64497"))
    alpha.withdraw(gone)
    world.expected.discard(("AS64497", "10.1.0.0/16", 17))
    world.roa(customer, 64501, "10.1.192.0/18", 24)
    all_agree()

    world.servers["two"].publication.begin_session()
    world.roa(beta, 64502, "10.2.128.0/17", 24)
    all_agree()

    for number in range(12):  # more than the server keeps deltas of
        world.roa(beta, 64503, f"10.2.{number}.0/24", 24)
        world.publish()
    all_agree()
