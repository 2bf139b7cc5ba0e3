"""A source in memory, and a real registry's tree in it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

import pytest

from rpkival.lab.ca import CertificateAuthority, trust_anchor
from rpkival.lab.certificates import Validity
from rpkival.lab.keys import KeyRing
from rpkival.lab.number_resources import INHERIT, Resources
from rpkival.lab.signed_objects import MANIFEST, manifest_content
from rpkival.objects.place import Accepted, Place
from rpkival.objects.tal import Tal, parse_tal
from rpkival.validation.report import ValidationRun
from rpkival.validation.walk import validate

MOMENT = 1_773_648_000
"""2026-03-16T08:00:00Z, when the real tree was whole."""


@dataclass
class Memory:
    """Objects by URI; answers as a repository on disk would, and remembers what it was asked."""

    accepts: ClassVar[bool] = True

    files: Mapping[str, bytes]
    problems: Mapping[str, str] = field(default_factory=dict)
    """What goes wrong, by the URI of a directory or of what serves it."""
    requested: list[str] = field(default_factory=list)
    versions: dict[Place, Accepted] = field(default_factory=dict)
    accepting: int = 0
    kept: dict[bytes, bytes] = field(default_factory=dict)
    anchors: dict[str, bytes] = field(default_factory=dict)
    revisions: bool = False
    """Whether it knows of each repository what it is at: a digest of everything."""
    servers: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)
    """What RRDP servers have, by the URI of their notification file; all others have `files`."""

    def trust_anchor(self, uri: str) -> bytes | None:
        return self.files.get(uri)

    def accepted_trust_anchor(self, uri: str) -> bytes | None:
        return self.anchors.get(uri)

    def accept_trust_anchor(self, uri: str, certificate: bytes) -> None:
        self.anchors[uri] = certificate

    def request(self, place: Place) -> Future[str | None]:
        self.requested.append(place.repository)
        future: Future[str | None] = Future()
        future.set_result(self.problems.get(place.repository, self.problems.get(place.source)))
        return future

    def manifest(self, place: Place) -> bytes | None:
        data = self._there(place).get(place.manifest)
        return None if data is None else hashlib.sha256(data).digest()

    def accepted(self, place: Place) -> Accepted | None:
        return self.versions.get(replace(place, notify=""))

    def read(self, place: Place, name: str, sha256: bytes) -> bytes | None:
        now = self._there(place).get(place.repository + name)
        return self.kept.get(sha256, now) if now is None or hashlib.sha256(now).digest() != sha256 else now

    def manifests(self, place: Place) -> Mapping[str, bytes]:
        return {uri: hashlib.sha256(data).digest() for uri, data in self._there(place).items() if uri.endswith(".mft")}

    def revision(self, place: Place) -> bytes | None:
        whole = place.module if place.notify in self.servers else place.source
        there = [uri.encode() + data for uri, data in sorted(self._there(place).items()) if uri.startswith(whole)]
        return hashlib.sha256(b"".join(there)).digest() if self.revisions else None

    def acceptances(self) -> int:
        return self.accepting

    def accept(self, place: Place, accepted: Accepted, digests: bytes) -> None:
        self.versions[replace(place, notify="")] = accepted
        self.accepting += 1
        files = (data for uri, data in self._there(place).items() if uri.startswith(place.repository))
        there = {hashlib.sha256(data).digest(): data for data in files} | self.kept
        wanted = [digests[start : start + 32] for start in range(0, len(digests), 32)]
        self.kept |= {digest: there[digest] for digest in wanted}

    def _there(self, place: Place) -> Mapping[str, bytes]:
        return self.servers.get(place.notify, self.files)


@pytest.fixture(scope="session")
def memory() -> type[Memory]:
    """`memory({uri: octets})`: a source."""
    return Memory


class Notes(dict[bytes, bytes]):
    """A memo in memory."""

    def put(self, key: bytes, record: bytes) -> None:
        self[key] = record

    def forget_unused(self, keys: frozenset[bytes]) -> None:
        for key in self.keys() - keys:
            del self[key]


@pytest.fixture(scope="session")
def notes() -> type[Notes]:
    """`notes()`: a memo in memory."""
    return Notes


@dataclass(frozen=True)
class RealTree:
    """A registry's tree: its locator, its files by URI, and the moment as of which to judge it."""

    tal: Tal
    files: Mapping[str, bytes]
    expected: Path
    now: int = MOMENT


@pytest.fixture(scope="session")
def real_tree(unpacked: Callable[[str], Path]) -> RealTree:
    """The tree of a national registry under stand-ins for its parents."""
    root = unpacked("twnic.tar.xz")
    files = {
        f"rsync://{path.relative_to(root / 'rsync').as_posix()}": path.read_bytes()
        for path in (root / "rsync").rglob("*")
        if path.is_file()
    }
    return RealTree(parse_tal((root / "ta.tal").read_bytes(), "twnic"), files, root / "expected.csv")


YEAR = Validity(1_767_225_600, 1_798_761_600)
DAY = Validity(MOMENT - 3_600, MOMENT + 82_800)


class Lab:
    """A trust anchor with two members: alpha has two ROAs and a customer with one, beta has one ROA."""

    now = MOMENT
    day = DAY
    year = YEAR

    def __init__(self, keys: KeyRing) -> None:
        self.anchor = trust_anchor("anchor", Resources(["10.0.0.0/8", "2001:db8::/32"], [(64496, 64511)]), YEAR, keys)
        self.alpha = self.anchor.issue_ca("alpha", Resources(["10.1.0.0/16", "2001:db8:1::/48"], [64500]))
        self.beta = self.anchor.issue_ca("beta", Resources(["10.2.0.0/16"], [64501]))
        self.customer = self.alpha.issue_ca("customer", Resources(["10.1.128.0/17"]))
        self.alpha_roa = self.alpha.issue_roa(64500, [("10.1.0.0/16", 24), ("2001:db8:1::/48", 48)])
        self.alpha_other = self.alpha.issue_roa(64499, [("10.1.0.0/20", 20)])
        self.customer_roa = self.customer.issue_roa(64502, [("10.1.128.0/17", 17)])
        self.beta_roa = self.beta.issue_roa(64501, [("10.2.0.0/16", 16)])

    @property
    def tal(self) -> Tal:
        """The anchor's locator."""
        return Tal("lab", (self.anchor.certificate_uri,), self.anchor.key.public_key_info)

    @property
    def files(self) -> dict[str, bytes]:
        """Everything published now, by URI."""
        return self.anchor.tree(DAY)

    def validate(self, files: Mapping[str, bytes] | None = None) -> ValidationRun:
        """Validate these files, or what is published now."""
        return validate([self.tal], Memory(self.files if files is None else files), clock=lambda: MOMENT)

    def republish(self, authority: CertificateAuthority, changes: Mapping[str, bytes | None]) -> dict[str, bytes]:
        """Everything, with files of one authority changed or (None) left off, under a manifest that says so."""
        files = authority.publication_point(DAY)
        manifest = f"{authority.name}.mft"
        del files[manifest]
        listed = {name: data for name, data in {**files, **changes}.items() if data is not None}
        content = manifest_content(99, DAY, listed)
        listed[manifest] = authority.sign(manifest, MANIFEST, content, INHERIT, DAY, 9_999).content
        others = {uri: data for uri, data in self.files.items() if uri.rpartition("/")[0] + "/" != authority.repository}
        return others | {authority.repository + name: data for name, data in listed.items()}


@pytest.fixture
def lab(lab_keys: KeyRing) -> Lab:
    """A small tree, fresh for each test, that can be broken in any way."""
    return Lab(lab_keys)
