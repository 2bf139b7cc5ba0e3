"""A served tree, a store, and runs of the validator on them, in this process or another."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from rpkival.lab.keys import KeyRing
from rpkival.lab.plan import Vrp
from rpkival.lab.served_tree import ServedTree
from rpkival.objects.tal import parse_tal
from rpkival.repository import attempts
from rpkival.repository.opening import Fetching, open_source
from rpkival.validation.walk import validate

HOURS = 3600
PATIENCE = 240


@dataclass(frozen=True)
class Outcome:
    """What a run came to: VRPs and the sentences of what could not be fetched or kept."""

    vrps: frozenset[Vrp]
    problems: tuple[str, ...]
    trouble: str | None = None


@dataclass(frozen=True)
class World:
    """The tree and the store beside it."""

    tree: ServedTree
    store: Path

    def run(self, *, offline: bool = False, workers: int = 0) -> Outcome:
        """Fetch and validate here."""
        fetching = Fetching(offline=offline, allow_dubious_hosts=True, ca_file=self.tree.ca_file)
        with open_source(self.store, fetching) as source:
            tal = parse_tal(self.tree.tal.read_bytes(), "lab")
            found = validate([tal], source, clock=lambda: int(time.time()), workers=workers)
        vrps = frozenset(
            (roa.asn, str(IPv4Network((address, length))), max_length)
            for roa in found.roas
            for address, length, max_length in roa.ipv4
        )
        problems = (problem.sentence for problem in found.fetch_problems)
        return Outcome(vrps, tuple(problems), getattr(source, "trouble", None))

    def command(self, *options: str) -> list[str]:
        """The same, as a command."""
        return [
            *(sys.executable, "-m", "rpkival", "validate", "--tal", str(self.tree.tal)),
            *("--repository-dir", str(self.store), "--ca-file", str(self.tree.ca_file)),
            *("--allow-dubious-hosts", "--quiet", *options),
        ]

    def run_command(self, before: Sequence[str] = (), *options: str, **environment: str) -> tuple[int, frozenset[Vrp]]:
        """Run it behind another command; its exit code and VRPs. What it says on stderr is never a traceback."""
        done = subprocess.run(
            [*before, *self.command(*options)],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            env=os.environ | environment,
        )
        assert "Traceback" not in done.stderr, done.stderr
        rows = (line.split(",") for line in done.stdout.splitlines() if line.startswith("AS") and line[2].isdigit())
        return done.returncode, frozenset((int(row[0].removeprefix("AS")), row[1], int(row[2])) for row in rows)


@pytest.fixture
def world(tmp_path: Path, lab_keys: KeyRing, needs_rsync: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Version 1 of the tree, fetched. What failed is asked again at once, as if its pause were over."""
    monkeypatch.setattr(attempts, "FETCH_RETRY_SECONDS", 0.0)
    with ServedTree(tmp_path / "tree", lab_keys, int(time.time())) as tree:
        world = World(tree, tmp_path / "store")
        assert world.run() == Outcome(tree.now_valid, ())
        yield world
