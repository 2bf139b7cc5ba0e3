"""What rpki-client counts in a tree in which much is wrong, and what we count by its names."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from rpkival.lab.ca import CertificateAuthority, trust_anchor
from rpkival.lab.certificates import Validity, revocation_list
from rpkival.lab.keys import KeyRing
from rpkival.lab.number_resources import Resources
from rpkival.lab.publisher import Publisher
from rpkival.lab.rsync_daemon import RsyncDaemon
from rpkival.lab.signed_objects import manifest_content

pytestmark = pytest.mark.interop

NOW = int(time.time())
YEAR = Validity(NOW - 30 * 86_400, NOW + 300 * 86_400)
DAY = Validity(NOW - 3_600, NOW + 86_400)
LATER = Validity(NOW - 1_800, NOW + 86_400)
YESTERDAY = Validity(NOW - 90_000, NOW - 3_600)

Samples = dict[tuple[str, ...], float]


@dataclass(frozen=True)
class Lab:
    """A trust anchor and, by name, CAs each with another fault."""

    anchor: CertificateAuthority

    def files(self, current: Validity) -> dict[str, bytes]:
        """All of it, with the next number of each manifest, most of them current then."""
        files = self.anchor.tree(current)
        cas = {each.name: each for each in self.anchor.children}
        stale = cas["stale"]
        files |= {stale.repository + name: data for name, data in stale.publication_point(YESTERDAY).items()}
        for name in ("silent", "mute"):
            del files[f"{cas[name].repository}{cas[name].manifest}"]
        revoking = cas["revoking"]
        point = revoking.publication_point(current) | {
            f"{revoking.name}.crl": revocation_list(revoking.key, 9, YESTERDAY, {})
        }
        del point[revoking.manifest]
        point[revoking.manifest] = revoking.sign_manifest(manifest_content(99, current, point), current)
        files |= {revoking.repository + name: data for name, data in point.items()}
        return files


@pytest.fixture
def lab(lab_keys: KeyRing, rsync_daemon: RsyncDaemon) -> Lab:
    """Two CAs that function, and four that do not."""
    anchor = trust_anchor("lab", Resources(["10.0.0.0/8"], [(64496, 64511)]), YEAR, lab_keys)
    for at, name in enumerate(("good", "hasty", "silent", "mute", "stale", "revoking")):
        ca = anchor.issue_ca(name, Resources([f"10.{at}.0.0/16"]))
        ca.issue_roa(64500 + at, [(f"10.{at}.0.0/16", 24)])
        ca.issue_roa(64500 + at, [(f"10.{at}.0.0/16", 24), (f"10.{at}.1.0/24", 24)])
    anchor.issue_roa(64496, [("10.2.0.0/20", 20), ("10.4.9.0/24", 24), ("10.0.0.0/16", 24)])
    return Lab(anchor)


def test_rpki_client_counts_the_same(
    lab: Lab, public_place: Path, rsync_daemon: RsyncDaemon, needed_newer_peers: Path
) -> None:
    """CAs that do not function, gaps in manifests' numbers, VRPs with and without duplicates; in each of two runs."""
    publisher = Publisher(public_place / "lab")
    (tal,) = publisher.publish(lab.anchor, files=lab.files(DAY))
    tal = Path(shutil.copy(tal, public_place / "lab.tal"))
    (module,) = publisher.rsync.glob("*/*")
    rsync_daemon.serve(module.name, module)
    for name in ("cache", "out"):
        (public_place / name).mkdir()
        if os.geteuid() == 0:
            shutil.chown(public_place / name, "_rpki-client")

    def run(*command: str | Path) -> str:
        done = subprocess.run(
            command,
            cwd=public_place,
            env=os.environ | {"PATH": f"{public_place / 'bin'}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def theirs() -> Samples:
        rsync = public_place / "bin/rsync"
        run(
            needed_newer_peers / "rpki-client", "-R", "-m", "-e", rsync, "-t", tal,
            "-d", public_place / "cache", public_place / "out",
        )  # fmt: skip
        return samples((public_place / "out/metrics").read_text())

    def ours() -> Samples:
        options = ("--tal", tal, "--data-dir", public_place / "rpkival", "--format", "openmetrics", "--no-rrdp")
        return samples(run(sys.executable, "-m", "rpkival", "validate", *options))

    first = compare(theirs(), ours())
    assert first["rpki_client_objects", "non-functional", "cert"] == 4
    assert first["rpki_client_objects", "sequence gap", "manifest"] == 0
    assert first["rpki_client_objects", "unique", "vrp"] == 7
    assert first["rpki_client_objects", "total", "vrp"] == 9
    hasty = lab.anchor.children[1]
    hasty.publication_point(DAY)
    publisher.publish(lab.anchor, files=lab.files(LATER))
    assert compare(theirs(), ours())["rpki_client_objects", "sequence gap", "manifest"] == 1
    assert compare(theirs(), ours())["rpki_client_objects", "sequence gap", "manifest"] == 0


def samples(text: str) -> Samples:
    """By name and labels, without those that are empty."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()) if value)): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def compare(theirs: Samples, ours: Samples) -> Samples:
    """What both count: in all, by trust anchor and by repository.

    There, a manifest that is looked for is "valid", whatever becomes of it, and one is "failed parse" where its CRL is
    of no use.
    """
    both = {key: value for key, value in theirs.items() if key in ours and "_objects" in key[0]}
    assert {key[0].removeprefix("rpki_client_") for key in both} == {"objects", "ta_objects", "repository_objects"}
    manifests = {key for key in both if key[-1] == "manifest" and key[-2] in {"valid", "failed parse"}}
    assert {key: ours[key] for key in both.keys() - manifests} == {key: both[key] for key in both.keys() - manifests}
    for key in manifests:
        *place, state, kind = key
        if state == "valid":
            assert both[key] == ours[key] + ours[*place, "failed parse", kind]
        else:
            assert both[key] == ours[*place, "non-functional", "cert"]
    return both
