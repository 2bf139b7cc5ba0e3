"""Where rpki-client, FORT and we do not agree, case by case, as docs/differences.md explains it.

Each case is a CA of its own with one ROA, or an attack of the lab's. A difference that goes away, or a new one, fails.
Where RPKIVAL_NEWER_PEERS names a directory with newer ones of both, they are asked too.
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
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from rpkival.lab import der
from rpkival.lab.ca import CertificateAuthority, Product, trust_anchor
from rpkival.lab.certificates import Validity, certificate
from rpkival.lab.hostile.stage import Stage
from rpkival.lab.hostile.table import CASES as ATTACK
from rpkival.lab.keys import KeyRing
from rpkival.lab.number_resources import INHERIT, Resources
from rpkival.lab.plan import Vrp
from rpkival.lab.publisher import Publisher, trust_anchor_locator
from rpkival.lab.rsync_daemon import RsyncDaemon
from rpkival.lab.signed_objects import MANIFEST, ROA, roa_content, signed_attributes, signed_object

pytestmark = pytest.mark.interop

ROOT = Path(__file__).parents[2]
HOUR = 3600
INSTALLED = Path("/usr/sbin")
OURS, RPKI_CLIENT_8, RPKI_CLIENT_9 = "rpkival", "rpki-client 8.2", "rpki-client 9.5"
FORT_5, FORT_6 = "FORT 1.5.4", "FORT 1.6.6"
RPKI_CLIENT, FORT = {RPKI_CLIENT_8, RPKI_CLIENT_9}, {FORT_5, FORT_6}
EVERYBODY = {OURS} | RPKI_CLIENT | FORT
_BINARY_SIGNING_TIME = "1.2.840.113549.1.9.16.2.46"


def plain(ca: CertificateAuthority, asn: int, prefix: str) -> None:
    """Nothing is wrong."""
    ca.issue_roa(asn, [(prefix, 16)])


def without_signing_time(ca: CertificateAuthority, asn: int, prefix: str) -> None:
    """As before RFC 9589."""
    content = roa_content(asn, [(prefix, 16)])
    _with_attributes(ca, content, prefix, signed_attributes(ROA, content, ca.validity.not_before)[:2])


def with_binary_signing_time(ca: CertificateAuthority, asn: int, prefix: str) -> None:
    """Beside the signing time."""
    content = roa_content(asn, [(prefix, 16)])
    binary = der.sequence(der.object_identifier(_BINARY_SIGNING_TIME), der.set_of(der.integer(ca.validity.not_before)))
    _with_attributes(ca, content, prefix, (*signed_attributes(ROA, content, ca.validity.not_before), binary))


def with_as_numbers(ca: CertificateAuthority, asn: int, prefix: str) -> None:
    """In the ROA's certificate."""
    ca.issue(f"AS{asn}", "roa", ROA, roa_content(asn, [(prefix, 16)]), Resources([prefix], [asn]))


def with_inherited_addresses(ca: CertificateAuthority, asn: int, prefix: str) -> None:
    """In the ROA's certificate."""
    ca.issue(f"AS{asn}", "roa", ROA, roa_content(asn, [(prefix, 16)]), INHERIT)


def in_the_form_of_ipv6(ca: CertificateAuthority, asn: int, prefix: str) -> None:
    """The prefix as an IPv4-mapped one."""
    ca.issue_roa(asn, [(mapped(prefix), 112)])


def at_another_place(ca: CertificateAuthority, asn: int, prefix: str) -> None:
    """The ROA's certificate says that the ROA is somewhere else."""
    name = ca.issue_roa(asn, [(prefix, 16)])
    ca.products["elsewhere.roa"] = ca.products.pop(name)


def with_a_manifest_of_another_place(ca: CertificateAuthority, asn: int, prefix: str) -> None:
    """The manifest's certificate says that the manifest is somewhere else."""
    plain(ca, asn, prefix)
    ca.__class__ = _Misplaced


def in_ber(ca: CertificateAuthority, asn: int, prefix: str) -> None:
    """With an indefinite length around the whole."""
    name = ca.issue_roa(asn, [(prefix, 16)])
    whole = ca.products[name].content
    content = whole[2 + (whole[1] & 0x7F if whole[1] > 0x80 else 0) :]
    ca.products[name] = Product(b"\x30\x80" + content + b"\0\0", ca.products[name].serial)


def beside_a_broken_record(ca: CertificateAuthority, asn: int, prefix: str) -> None:
    """Whose Ghostbusters record is no signed object."""
    plain(ca, asn, prefix)
    ca.products["broken.gbr"] = Product(b"nothing", 0)


def beside_an_unknown_file(ca: CertificateAuthority, asn: int, prefix: str) -> None:
    """Of a type that nobody knows."""
    plain(ca, asn, prefix)
    ca.products["unknown.xyz"] = Product(b"nothing", 0)


class _Misplaced(CertificateAuthority):
    __slots__ = ()

    def sign_manifest(self, content: bytes, current: Validity) -> bytes:
        return self.sign("elsewhere.mft", MANIFEST, content, INHERIT, current, 78).content


def mapped(prefix: str) -> str:
    """A /16 among the IPv6 addresses that stand for IPv4 ones (RFC 4291 section 2.5.5.2)."""
    return f"::ffff:{prefix.removesuffix('/16')}/112"


def _with_attributes(ca: CertificateAuthority, content: bytes, prefix: str, attributes: tuple[bytes, ...]) -> None:
    signer = certificate(ca.signer("other.roa", Resources([prefix]), ca.validity, 77), ca.key)
    signed = signed_object(
        ROA, content, signer, ca.signer_key, ca.validity.not_before, attributes=der.set_of(*attributes)
    )
    ca.products["other.roa"] = Product(signed, 77)


CASES: dict[str, tuple[Callable[[CertificateAuthority, int, str], None], set[str]]] = {
    "plain": (plain, EVERYBODY),
    "without-signing-time": (without_signing_time, {RPKI_CLIENT_8, FORT_5}),
    "binary-signing-time": (with_binary_signing_time, {RPKI_CLIENT_8, FORT_5}),
    "roa-with-as-numbers": (with_as_numbers, FORT),
    "roa-inherits": (with_inherited_addresses, FORT),
    "roa-with-mapped-ipv4": (in_the_form_of_ipv6, RPKI_CLIENT | FORT),
    "roa-at-another-place": (at_another_place, EVERYBODY - {RPKI_CLIENT_9}),
    "manifest-at-another-place": (with_a_manifest_of_another_place, {RPKI_CLIENT_8}),
    "ber": (in_ber, EVERYBODY),
    "broken-record": (beside_a_broken_record, EVERYBODY - {RPKI_CLIENT_9}),
    "unknown-file": (beside_an_unknown_file, EVERYBODY),
}
"""What is made, and who finds its VRP."""

ATTACKS: dict[str, set[str]] = {
    "unsorted-signed-attrs": RPKI_CLIENT | FORT,
    "keyusage-overlong": RPKI_CLIENT,
    "keyusage-surplus": set(),
    "roa-too-many-prefixes": RPKI_CLIENT | FORT,
    "crl-huge": {RPKI_CLIENT_9} | FORT,
    "manifest-name-twice": {RPKI_CLIENT_8},
    "huge-aspa": set(),
    "over-claim": set(),
}
"""Of the lab's attacks, who finds VRPs that are not expected there."""


@dataclass
class World:
    """The repository, and where validators work."""

    place: Path
    tal: Path
    asns: dict[int, str] = field(default_factory=dict)
    expected: set[Vrp] = field(default_factory=set)

    def work(self) -> Path:
        """A new directory for a validator to work in."""
        made = Path(tempfile.mkdtemp(dir=self.place))
        made.chmod(0o755)
        return made

    def run(self, *command: str | Path, programs: Path = INSTALLED) -> None:
        """Run a validator to its end, that of `programs` rather than another."""
        environment = os.environ | {"PATH": f"{self.place / 'bin'}:{programs}:{os.environ['PATH']}"}
        done = subprocess.run(
            command, cwd=self.place, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def found(self, path: Path) -> set[str]:
        """The cases that have VRPs in a CSV file beside those that have to be there."""
        _, *rows = csv.reader(path.read_text().splitlines())
        found = {(int(row[0].removeprefix("AS")), row[1], int(row[2])) for row in rows}
        assert self.expected <= found
        return {self.asns[asn] for asn, _, _ in found - self.expected}


@pytest.fixture
def cases(public_place: Path, rsync_daemon: RsyncDaemon, lab_keys: KeyRing) -> World:
    """Every case, under one trust anchor."""
    now = int(time.time())
    year = Validity(now - HOUR, now + 365 * 24 * HOUR)
    everything = Resources(["10.0.0.0/8", "::ffff:0:0/96"], [(64496, 64700)])
    anchor = trust_anchor("anchor", everything, year, lab_keys)
    world = World(public_place, public_place / "lab.tal")
    for number, (case, (make, _)) in enumerate(CASES.items(), 1):
        prefix, asn = f"10.{number}.0.0/16", 64600 + number
        make(anchor.issue_ca(f"case{number}", Resources([prefix, mapped(prefix)], [asn])), asn, prefix)
        world.asns[asn] = case
    publisher = Publisher(public_place / "tree")
    publisher.publish(anchor, files=anchor.tree(Validity(now - HOUR, now + 24 * HOUR)))
    serve(rsync_daemon, publisher.rsync)
    world.tal.write_text(trust_anchor_locator(anchor))
    return world


@pytest.fixture
def attacks(public_place: Path, rsync_daemon: RsyncDaemon, lab_keys: KeyRing) -> World:
    """Every attack, under one trust anchor."""
    stage = Stage(public_place / "lab", [ATTACK[name] for name in ATTACKS], at=int(time.time()), keys=lab_keys)
    stage.publish()
    serve(rsync_daemon, public_place / "lab/rsync")
    asns = {ground.block.asn: ground.case.name for ground in stage.grounds}
    return World(public_place, public_place / "lab/lab.tal", asns, stage.expected)


def serve(daemon: RsyncDaemon, tree: Path) -> None:
    """Each `host/module` of a tree."""
    for module in tree.glob("*/*"):
        daemon.serve(module.name, module.resolve())


def ours(world: World) -> set[str]:
    """`rpkival validate`."""
    world.run(
        sys.executable, "-m", "rpkival", "validate", "--tal", world.tal, "--data-dir", world.place / "rpkival",
        "--no-rrdp", "--format", "csv", "--output", world.place / "rpkival.csv",
    )  # fmt: skip
    return world.found(world.place / "rpkival.csv")


def rpki_client(world: World, programs: Path) -> set[str]:
    """OpenBSD's."""
    work = world.work()
    for name in ("cache", "out"):
        (work / name).mkdir()
        if os.geteuid() == 0:
            shutil.chown(work / name, "_rpki-client")
    world.run(
        "rpki-client", "-R", "-c", "-e", world.place / "bin/rsync", "-t", world.tal,
        "-d", work / "cache", work / "out", programs=programs,
    )  # fmt: skip
    return world.found(work / "out/csv")


def fort(world: World, programs: Path) -> set[str]:
    """NIC Mexico's."""
    work = world.work()
    configuration = {
        "mode": "standalone",
        "tal": str(world.tal),
        "local-repository": str(work),
        "http": {"enabled": False},
        "rsync": {
            "program": str(world.place / "bin/rsync"),
            "arguments-recursive": ["-rt", "--delete", "$REMOTE", "$LOCAL"],
            "arguments-flat": ["-t", "$REMOTE", "$LOCAL"],
        },
        "output": {"roa": f"{work}.csv"},
    }
    work.with_suffix(".json").write_text(json.dumps(configuration))
    world.run("fort", "--configuration-file", work.with_suffix(".json"), programs=programs)
    return world.found(work.with_suffix(".csv"))


@pytest.fixture
def find(program: Callable[..., str], newer_peers: Path | None) -> Callable[[World], dict[str, set[str]]]:
    """`find(world)`: what each finds."""
    program("rpki-client")
    program("fort")

    def ask(world: World) -> dict[str, set[str]]:
        found = {OURS: ours(world), RPKI_CLIENT_8: rpki_client(world, INSTALLED), FORT_5: fort(world, INSTALLED)}
        if newer_peers:
            found |= {RPKI_CLIENT_9: rpki_client(world, newer_peers), FORT_6: fort(world, newer_peers)}
        return found

    return ask


def test_differences_are_those_that_are_explained(cases: World, find: Callable[[World], dict[str, set[str]]]) -> None:
    """No more and no fewer."""
    found = find(cases)
    assert {case: {who for who, names in found.items() if case in names} for case in CASES} == {
        case: who & found.keys() for case, (_, who) in CASES.items()
    }


def test_attacks_that_others_take(attacks: World, find: Callable[[World], dict[str, set[str]]]) -> None:
    """No more and no fewer; and nobody loses anything by them."""
    found = find(attacks)
    assert {case: {who for who, names in found.items() if case in names} for case in ATTACKS} == {
        case: who & found.keys() for case, who in ATTACKS.items()
    }


def test_every_difference_is_explained() -> None:
    """By its name."""
    text = (ROOT / "docs/differences.md").read_text()
    differing = [case for case, (_, who) in CASES.items() if who != EVERYBODY] + [
        case for case in ATTACKS if ATTACKS[case]
    ]
    assert [case for case in differing if f"`{case}`" not in text] == []
