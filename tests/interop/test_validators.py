"""rpki-client, FORT and we fetch the same repositories by rsync and must find the same VRPs in them."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rpkival.lab.build import build, change
from rpkival.lab.ca import trust_anchor
from rpkival.lab.certificates import Validity
from rpkival.lab.keys import KeyRing
from rpkival.lab.number_resources import Resources
from rpkival.lab.plan import Plan
from rpkival.lab.publisher import Publisher
from rpkival.lab.rsync_daemon import RsyncDaemon
from rpkival.payload.formats import read_vrps

pytestmark = pytest.mark.interop

AT = int(datetime(2026, 3, 16, 8, tzinfo=UTC).timestamp())
DAY = 24 * 3600

RPKIVAL = (sys.executable, "-c", "from rpkival.cli.main import main; main()")

VrpSet = set[tuple[str, str, int]]


@dataclass(frozen=True)
class Internet:
    """A place that other users may read, and an `rsync` in `bin` that finds every host on our daemon."""

    place: Path
    daemon: RsyncDaemon
    faketime: str

    @property
    def environment(self) -> dict[str, str]:
        """With that rsync first; faketime wants to know where it is."""
        return os.environ | {"TZ": "UTC", "PATH": f"{self.place / 'bin'}:/usr/sbin:{os.environ['PATH']}"}

    def serve(self, tree: Path) -> None:
        """Serve each `host/module` of a tree; no two hosts here have a module of the same name."""
        for module in tree.glob("*/*"):
            self.daemon.serve(module.name, module)

    def run(self, *command: str | Path) -> None:
        """Run a validator at the moment of all these tests."""
        moment = datetime.fromtimestamp(AT, UTC).strftime("%Y-%m-%d %H:%M:%S")
        done = subprocess.run(
            [self.faketime, moment, *command],
            cwd=self.place,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def internet(public_place: Path, faketime: str, rsync_daemon: RsyncDaemon) -> Internet:
    """Every host on loopback, at the moment of these tests."""
    return Internet(public_place, rsync_daemon, faketime)


def vrps(path: Path) -> VrpSet:
    """VRPs of a CSV file; only its first three columns are the same everywhere."""
    header, *rows = csv.reader(path.read_text().splitlines())
    assert header[0] == "ASN"
    return {(row[0], row[1], int(row[2])) for row in rows}


def ours(internet: Internet, tal: Path) -> VrpSet:
    """`rpkival validate`, the real command, fetching by rsync."""
    output = internet.place / "rpkival.csv"
    internet.run(
        *RPKIVAL, "validate", "--tal", tal, "--data-dir", internet.place / "rpkival",
        "--at", datetime.fromtimestamp(AT, UTC).isoformat(), "--format", "csv", "--output", output,
    )  # fmt: skip
    return vrps(output)


def rpki_client(internet: Internet, tal: Path) -> VrpSet:
    """OpenBSD's."""
    for name in ("cache", "out"):
        (internet.place / name).mkdir()
        if os.geteuid() == 0:
            shutil.chown(internet.place / name, "_rpki-client")
    readable = Path(shutil.copy(tal, internet.place))
    internet.run(
        "rpki-client", "-R", "-B", "-c", "-j", "-o", "-e", internet.place / "bin/rsync", "-t", readable,
        "-d", internet.place / "cache", internet.place / "out",
    )  # fmt: skip
    return vrps(internet.place / "out/csv")


def fort(internet: Internet, tal: Path) -> VrpSet:
    """NIC Mexico's."""
    (internet.place / "fort").mkdir()
    configuration = {
        "mode": "standalone",
        "tal": str(tal),
        "local-repository": str(internet.place / "fort"),
        "http": {"enabled": False},
        "rsync": {
            "program": str(internet.place / "bin/rsync"),
            "arguments-recursive": ["-rt", "--delete", "$REMOTE", "$LOCAL"],
            "arguments-flat": ["-t", "$REMOTE", "$LOCAL"],
        },
        "output": {"roa": str(internet.place / "fort.csv")},
    }
    (internet.place / "fort.json").write_text(json.dumps(configuration))
    internet.run("fort", "--configuration-file", internet.place / "fort.json")
    return vrps(internet.place / "fort.csv")


def test_a_registry(internet: Internet, unpacked: Callable[[str], Path], program: Callable[..., str]) -> None:
    """All of TWNIC's tree: 4,363 VRPs, the same in all three, and those that are expected."""
    program("rpki-client")
    program("fort")
    data = unpacked("twnic.tar.xz")
    internet.serve(data / "rsync")
    expected = vrps(data / "expected.csv")

    assert len(expected) == 4363
    assert ours(internet, data / "ta.tal") == expected
    assert rpki_client(internet, data / "ta.tal") == expected
    assert fort(internet, data / "ta.tal") == expected


def test_the_files_of_rpki_client(
    internet: Internet, unpacked: Callable[[str], Path], program: Callable[..., str]
) -> None:
    """BIRD's and OpenBGPD's configuration line by line as rpki-client writes it; and its JSON is what ours is."""
    program("rpki-client")
    data = unpacked("twnic.tar.xz")
    internet.serve(data / "rsync")
    ours(internet, data / "ta.tal")
    rpki_client(internet, data / "ta.tal")
    mine: dict[str, bytes] = {}
    for fmt in ("bird", "openbgpd", "json"):
        output = internet.place / f"rpkival.{fmt}"
        internet.run(
            *RPKIVAL, "validate", "--tal", data / "ta.tal", "--data-dir", internet.place / "rpkival", "--offline",
            "--at", datetime.fromtimestamp(AT, UTC).isoformat(), "--format", fmt, "--output", output,
        )  # fmt: skip
        mine[fmt] = output.read_bytes()

    def lines(text: bytes) -> list[bytes]:
        rows = (line.partition(b" expires ")[0] for line in text.splitlines())
        return sorted(line for line in rows if line.startswith(b"\t") and b"table" not in line)

    for fmt in ("bird", "openbgpd"):
        assert lines(mine[fmt]) == lines((internet.place / "out" / fmt).read_bytes())
    theirs = read_vrps((internet.place / "out/json").read_bytes(), name="json").vrps
    own = read_vrps(mine["json"], name="json").vrps
    for each, other in zip(own, theirs, strict=True):
        assert replace(each, expires=0) == replace(other, expires=0)
        # With us a VRP ends no later than what CRLs and manifests further up say, which rpki-client 8.2 does not count.
        assert AT < each.expires <= other.expires


@pytest.fixture
def lab(internet: Internet, tmp_path: Path, lab_keys: KeyRing) -> Path:
    """The locator of a tree with everything that may go wrong with single objects and with whole points."""
    year = Validity(AT - DAY, AT + 365 * DAY)
    today = Validity(AT - 3600, AT + DAY)
    world = Resources(["10.0.0.0/8", "192.0.2.0/24", "2001:db8::/32"], [(64496, 64511), 65000])
    anchor = trust_anchor("lab", world, year, lab_keys)
    anchor.issue_roa(64496, [("192.0.2.0/24", 24)])

    good = anchor.issue_ca("good", Resources(["10.1.0.0/16", "10.2.0.0/15", "2001:db8:1::/48"], [64500]))
    good.issue_roa(64500, [("10.1.0.0/16", 24), ("10.2.0.0/15", 15), ("2001:db8:1::/48", 64)])
    good.issue_roa(0, [("10.1.128.0/17", 32)])
    good.revoke(good.issue_roa(64501, [("10.1.1.0/24", 24)]), AT - 60)
    good.issue_roa(64502, [("10.1.2.0/24", 24)], validity=Validity(AT - DAY, AT - 60))
    good.issue_roa(64503, [("10.1.3.0/24", 24)], validity=Validity(AT + DAY, AT + 2 * DAY))
    good.issue_roa(64504, [("10.9.0.0/16", 24)])  # not its own
    below = good.issue_ca("below", Resources(["10.3.0.0/16"]))
    below.issue_roa(64505, [("10.3.0.0/16", 16)])
    greedy = good.issue_ca("greedy", Resources(["10.3.0.0/16", "10.8.0.0/16"]))
    greedy.issue_roa(64506, [("10.3.1.0/24", 24)])
    revoked = anchor.issue_ca("revoked", Resources(["10.4.0.0/16"]))
    revoked.issue_roa(64507, [("10.4.0.0/16", 16)])
    anchor.revoke("revoked.cer", AT - 60)
    changed = anchor.issue_ca("changed", Resources(["10.5.0.0/16"]))
    altered = changed.issue_roa(64508, [("10.5.0.0/16", 16)])
    changed.issue_roa(64509, [("10.5.1.0/24", 24)])
    incomplete = anchor.issue_ca("incomplete", Resources(["10.6.0.0/16"]))
    missing = incomplete.issue_roa(64508, [("10.6.0.0/16", 16)])
    incomplete.issue_roa(64509, [("10.6.1.0/24", 24)])
    stale = anchor.issue_ca("stale", Resources(["10.7.0.0/16"]))
    stale.issue_roa(64510, [("10.7.0.0/16", 16)])

    files = anchor.tree(today)
    old = stale.publication_point(Validity(AT - 2 * DAY, AT - DAY))
    files |= {stale.repository + name: data for name, data in old.items()}
    octets = bytearray(files[changed.repository + altered])
    octets[-1] ^= 1
    files[changed.repository + altered] = bytes(octets)
    del files[incomplete.repository + missing]
    publisher = Publisher(tmp_path / "lab")
    (tal,) = publisher.publish(anchor, files=files)
    internet.serve(publisher.rsync)
    return tal


LAB_VRPS = {
    ("AS64496", "192.0.2.0/24", 24),
    ("AS64500", "10.1.0.0/16", 24),
    ("AS64500", "10.2.0.0/15", 15),
    ("AS64500", "2001:db8:1::/48", 64),
    ("AS0", "10.1.128.0/17", 32),
    ("AS64505", "10.3.0.0/16", 16),
}


@pytest.mark.parametrize(("validator", "name"), [(ours, "rsync"), (rpki_client, "rpki-client"), (fort, "fort")])
def test_the_lab(
    internet: Internet,
    lab: Path,
    program: Callable[..., str],
    validator: Callable[[Internet, Path], VrpSet],
    name: str,
) -> None:
    """What the lab signs well all three take; what it spoils, or claims without right, none does."""
    program(name)

    assert validator(internet, lab) == LAB_VRPS


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of some 300 objects of every kind, three levels deep, on four hosts, and its next version."""
    directory = tmp_path_factory.mktemp("built")
    build(directory, Plan(hosts=4), at=AT)
    change(directory, 20)
    return directory


@pytest.mark.parametrize(("validator", "name"), [(ours, "rsync"), (rpki_client, "rpki-client"), (fort, "fort")])
def test_a_built_repository(
    internet: Internet,
    built: Path,
    program: Callable[..., str],
    validator: Callable[[Internet, Path], VrpSet],
    name: str,
) -> None:
    """All three find what `rpkival lab build` says is there, whatever else lies beside the ROAs."""
    program(name)
    internet.serve(built / "rsync")
    expected = vrps(built / "expected.csv")

    assert len(list((built / "rsync").rglob("*.*"))) > 300
    assert len(expected) > 150
    assert validator(internet, built / "lab.tal") == expected
