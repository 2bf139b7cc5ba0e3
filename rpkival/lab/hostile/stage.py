"""Attacks and the CA that behaves, signed, on disk and, where they need it, on servers.

DIR/lab.tal                     the trust anchor
DIR/rsync/HOST/MODULE/...       what is published, laid out as validators leave it
DIR/expected.csv                the VRPs that count in spite of it all
DIR/ca.pem                      what https clients must trust, where there are servers
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from rpkival.errors import UsageError
from rpkival.lab.ca import CertificateAuthority, trust_anchor
from rpkival.lab.certificates import Validity
from rpkival.lab.hostile.ground import GOOD, Block, Case, Files, Ground, Open
from rpkival.lab.keys import Keys, SigningKey
from rpkival.lab.number_resources import Resources
from rpkival.lab.plan import Vrp
from rpkival.lab.prime_keys import PrimeKeys, make_primes
from rpkival.lab.publisher import trust_anchor_locator

__all__ = ["KeysInOrder", "Stage"]

_ANCHOR: Final = "lab"
_MARGIN: Final = 3600
_DAYS: Final = 30
_MOST_CASES: Final = 255
"""So that each has a block of its own."""
_GOOD_VRPS: Final[frozenset[Vrp]] = frozenset(
    {
        (GOOD.asn, GOOD.prefix, 24),
        (GOOD.asn + 1, "10.0.128.0/17", 17),
        (GOOD.asn + 2, GOOD.ipv6, 48),
    }
)


class KeysInOrder:
    """A key for each name as it is first asked for; all end entities share one."""

    def __init__(self, most: int = 2_400) -> None:
        """There are `most` keys: what all attacks together take."""
        self._keys = PrimeKeys(make_primes(most + 2))
        self._made: dict[str, SigningKey] = {}

    def key(self, name: str) -> SigningKey:
        """The key of this name, the same at each call."""
        if name not in self._made:
            numbered = name if name.endswith("-ee") else f"ca-{len(self._made) + 1}"
            self._made[name] = self._keys.key(numbered)
        return self._made[name]


class Stage:
    """A trust anchor with one CA that behaves, and a CA for each of `cases`, valid for a month from `at`.

    All rsync URIs are of the host `authority`. `sizes` are of attacks, by name, where they are not to have their own.
    `open_server` starts servers; without it, an attack by one raises `UsageError`.
    """

    def __init__(
        self,
        directory: Path,
        cases: Sequence[Case],
        *,
        at: int,
        keys: Keys,
        authority: str = "hostile.lab.example",
        sizes: Mapping[str, int] | None = None,
        open_server: Open | None = None,
    ) -> None:
        if len(cases) > _MOST_CASES:
            raise UsageError(f"There is room for {_MOST_CASES} attacks at a time, not {len(cases)}.")
        self.directory = directory
        self._at = at
        self._visit = 0
        world = Resources(["10.0.0.0/8", "fd00::/8"], [(GOOD.asn, GOOD.asn + 16 * 256)])
        base = f"rsync://{authority}/{_ANCHOR}/"
        self.anchor = trust_anchor(_ANCHOR, world, self._current, keys, repository=base)
        self.good = self.anchor.issue_ca("good", GOOD.resources, repository=f"rsync://{authority}/good/good/")
        for asn, prefix, max_length in sorted(_GOOD_VRPS):
            self.good.issue_roa(asn, [(prefix, max_length)])
        self.grounds = [
            Ground(
                case,
                Block(number),
                (sizes or {}).get(case.name, case.size),
                authority,
                self.anchor,
                self.good,
                self._current,
                open_server,
            )
            for number, case in enumerate(cases, 1)
        ]
        for ground in self.grounds:
            ground.case.prepare(ground)
            _ = ground.attacker

    @property
    def expected(self) -> set[Vrp]:
        """The VRPs that count, however often it is published."""
        own = {(ground.block.asn, ground.block.prefix, 16) for ground in self.grounds if ground.case.keeps}
        return own.union(_GOOD_VRPS, *(ground.expected for ground in self.grounds))

    def publish(self) -> None:
        """Sign all of it, anew with each call, and put it where it is looked for."""
        for ground in self.grounds:
            ground.current = self._current
            if self._visit:
                ground.afterwards()
        tree = self.directory / "rsync"
        for authority in self.anchor.descendants():
            self._write(tree, authority, self._changed(authority))
        anchor = tree / self.anchor.certificate_uri.removeprefix("rsync://")
        anchor.write_bytes(self.anchor.certificate)
        for ground in self.grounds:
            ground.on_disk(tree)
        (self.directory / f"{_ANCHOR}.tal").write_text(trust_anchor_locator(self.anchor), "ascii")
        rows = (f"AS{asn},{prefix},{max_length}\n" for asn, prefix, max_length in sorted(self.expected))
        (self.directory / "expected.csv").write_text("ASN,IP Prefix,Max Length\n" + "".join(rows), "ascii")
        if servers := [server for ground in self.grounds for server in ground.servers]:
            (self.directory / "ca.pem").write_bytes(b"".join(server.ca_file.read_bytes() for server in servers))
        self._visit += 1

    @property
    def _current(self) -> Validity:
        # Later by a second each time, since a manifest must not be older than the one before it.
        return Validity(self._at - _MARGIN + self._visit, self._at + _DAYS * 86_400)

    def _changed(self, authority: CertificateAuthority) -> Files:
        files: Files = authority.publication_point(self._current)
        for ground in self.grounds:
            if authority.name in ground.changes:
                files = ground.changes[authority.name](files)
            if authority is ground.attacker:
                ground.publish_rrdp(files)
        return files

    def _write(self, tree: Path, authority: CertificateAuthority, files: Files) -> None:
        place = tree / authority.repository.removeprefix("rsync://")
        place.mkdir(parents=True, exist_ok=True)
        for path in place.iterdir():
            if path.is_symlink() or not path.is_dir():
                path.unlink()
        for name, content in files.items():
            (place / name).write_bytes(content)
            # rsync tells versions of one size apart by the second.
            os.utime(place / name, (self._current.not_before,) * 2)
