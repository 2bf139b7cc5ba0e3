"""rpki-client, FORT and we find the same in ten thousand objects of every kind on four hosts, by rsync and by RRDP.

Where RPKIVAL_NEWER_PEERS names a directory with newer ones of both, so do those.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from rpkival.lab.plan import Plan
from rpkival.lab.served_build import ServedBuild

pytestmark = pytest.mark.interop

SYSTEM_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
"""What rpki-client trusts, which it lets nobody choose."""

PLAN = Plan(cas=1400, roas=5200, aspas=400, router_keys=200, depth=3, hosts=4)


@dataclass(frozen=True)
class Findings:
    """A payload; None for what the validator does not print."""

    vrps: frozenset[tuple[int, str, int]]
    router_keys: frozenset[tuple[int, str, str]] | None = None
    aspas: frozenset[tuple[int, tuple[int, ...]]] | None = None


@dataclass(frozen=True)
class Way:
    """A directory for what is fetched, and whether RRDP is used; rsync is, wherever RRDP is not announced."""

    place: Path
    lab: ServedBuild
    rrdp: bool
    programs: Path = Path("/usr/sbin")

    def run(self, *command: str | Path) -> None:
        """Run a validator to its end, that of `programs` rather than another."""
        environment = os.environ | {"PATH": f"{self.programs}:{os.environ['PATH']}"}
        done = subprocess.run(
            command, cwd=self.place, env=environment, capture_output=True, text=True, timeout=240, check=False
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


def expected(directory: Path) -> Findings:
    """What is in the repository, by its own account."""
    document = json.loads((directory / "expected.json").read_text())
    return Findings(
        vrps(directory / "expected.csv"),
        frozenset((key["asn"], key["ski"].upper(), key["pubkey"].rstrip("=")) for key in document["bgpsec_keys"]),
        frozenset((aspa["customer_asid"], tuple(aspa["providers"])) for aspa in document["aspas"]),
    )


def vrps(path: Path) -> frozenset[tuple[int, str, int]]:
    """VRPs of a CSV file; only its first three columns are the same everywhere."""
    _, *rows = csv.reader(path.read_text().splitlines())
    return frozenset((int(row[0].removeprefix("AS")), row[1], int(row[2])) for row in rows)


def ours(way: Way) -> Findings:
    """`rpkival validate`, as a user would have it, but for the lab's addresses and certificates."""
    output = way.place / "rpkival.json"
    way.run(
        sys.executable, "-m", "rpkival", "validate", "--tal", way.lab.tal, "--data-dir", way.place / "rpkival",
        "--ca-file", way.lab.ca_file, "--allow-dubious-hosts", "--rrdp-fallback", "never", "--complete",
        *([] if way.rrdp else ["--no-rrdp"]), "--format", "json", "--output", output,
    )  # fmt: skip
    document = json.loads(output.read_text())

    def number(asn: str) -> int:
        return int(asn.removeprefix("AS"))

    return Findings(
        frozenset((number(vrp["asn"]), vrp["prefix"], vrp["maxLength"]) for vrp in document["roas"]),
        # In the alphabet for URLs, as Routinator has them.
        frozenset(
            (number(key["asn"]), key["SKI"], key["routerPublicKey"].translate(str.maketrans("-_", "+/")))
            for key in document["routerKeys"]
        ),
        frozenset((number(aspa["customer"]), tuple(map(number, aspa["providers"]))) for aspa in document["aspas"]),
    )


def rpki_client(way: Way) -> Findings:
    """OpenBSD's, in a mount namespace where the lab's certificates are the system's."""
    for name in ("cache", "out"):
        (way.place / name).mkdir(exist_ok=True)
        shutil.chown(way.place / name, "_rpki-client")
    options = "-j" if way.rrdp else "-j -R"
    command = (
        f"mount --bind {way.lab.ca_file} {SYSTEM_CERTIFICATES} && "
        f"exec rpki-client {options} -t {way.lab.tal} -d {way.place}/cache {way.place}/out"
    )
    way.run("unshare", "--mount", "sh", "-c", command)
    document = json.loads((way.place / "out/json").read_text())
    # 8.2 reads an earlier draft's ASPAs, and prints them under this name.
    aspas = None if "provider_authorizations" in document else document["aspas"]
    return Findings(
        frozenset((vrp["asn"], vrp["prefix"], vrp["maxLength"]) for vrp in document["roas"]),
        frozenset((key["asn"], key["ski"], key["pubkey"].rstrip("=")) for key in document["bgpsec_keys"]),
        aspas and frozenset((aspa["customer_asid"], tuple(aspa["providers"])) for aspa in aspas),
    )


def fort(way: Way) -> Findings:
    """NIC Mexico's."""
    trusted = way.place / "trusted"
    if not trusted.exists():
        trusted.mkdir()
        for number, server in enumerate(way.lab.servers):
            shutil.copy(server.ca_file, trusted / f"{number}.pem")
        subprocess.run(["openssl", "rehash", trusted], check=True)
    (way.place / "fort").mkdir(exist_ok=True)
    configuration = {
        "mode": "standalone",
        "tal": str(way.lab.tal),
        "local-repository": str(way.place / "fort"),
        "http": {"enabled": way.rrdp, "priority": 60, "ca-path": str(trusted)},
        "rsync": {
            "arguments-recursive": ["-rt", "--delete", "$REMOTE", "$LOCAL"],
            "arguments-flat": ["-t", "$REMOTE", "$LOCAL"],
        },
        "output": {"roa": str(way.place / "fort.csv")},
    }
    (way.place / "fort.json").write_text(json.dumps(configuration))
    way.run("fort", "--configuration-file", way.place / "fort.json")
    return Findings(vrps(way.place / "fort.csv"))


Asked = list[tuple[Callable[[Way], Findings], Way]]


def everybody(way: Way, newer_peers: Path | None) -> Asked:
    """Who is asked, and where it works."""
    asked: Asked = [(ours, way), (rpki_client, way), (fort, way)]
    if newer_peers:
        other = replace(way, place=way.place / "newer", programs=newer_peers)
        other.place.mkdir(mode=0o755)
        asked += [(rpki_client, other), (fort, other)]
    return asked


def all_find_it(asked: Asked, there: Findings) -> None:
    """Each at the same time, and everything that it prints."""
    with ThreadPoolExecutor(len(asked)) as pool:
        for (validator, way), found in zip(asked, pool.map(lambda each: each[0](each[1]), asked), strict=True):
            who = way.programs, validator.__name__
            assert found.vrps == there.vrps, who
            assert found.router_keys in {None, there.router_keys}, who
            assert found.aspas in {None, there.aspas}, who


@pytest.fixture
def served(program: Callable[..., str], roomy: Path) -> Iterator[ServedBuild]:
    """The repository, where rpki-client may read it, which works as a user of its own where root starts it."""
    program("rsync")
    with tempfile.TemporaryDirectory(prefix="rpkival-interop-", dir=roomy) as name:
        Path(name).chmod(0o755)
        with ServedBuild(Path(name) / "lab", PLAN, rrdp=2) as served:
            served.build(at=int(time.time()), workers=2)
            yield served


def test_ten_thousand_objects(served: ServedBuild, newer_peers: Path | None, program: Callable[..., str]) -> None:
    """Everything by rsync; then half of the hosts by RRDP; then a delta of one and a new session of the other."""
    for name in ("rpki-client", "fort", "unshare", "openssl"):
        program(name)
    if os.geteuid() != 0 or not SYSTEM_CERTIFICATES.exists():
        pytest.skip("only root can give rpki-client other certificates, in place of those of ca-certificates")
    first, second = served.servers
    ways = []
    for name, rrdp in (("rsync", False), ("rrdp", True)):
        place = served.directory.parent / name
        place.mkdir(mode=0o755)
        ways.append(everybody(Way(place, served, rrdp), newer_peers))
    by_rsync, by_rrdp = ways

    assert sum(path.is_file() for path in (served.directory / "rsync").rglob("*")) > 10_000
    before = expected(served.directory)
    all_find_it(by_rsync, before)
    assert first.requests == second.requests == []

    all_find_it(by_rrdp, before)
    for server in served.servers:
        assert server.requests.count(server.publication.snapshot_path) == len(by_rrdp)

    second.publication.begin_session()
    served.change(5)
    after = expected(served.directory)
    assert before.vrps - after.vrps
    assert after.vrps - before.vrps
    all_find_it(by_rrdp, after)
    # A FORT that is run once knows nothing of the session that it has files of, and asks for the snapshot.
    assert first.requests.count(first.publication.delta_path(first.publication.serial)) >= 2
    assert first.requests.count(first.publication.snapshot_path) <= 1
    assert second.requests.count(second.publication.snapshot_path) == len(by_rrdp)
