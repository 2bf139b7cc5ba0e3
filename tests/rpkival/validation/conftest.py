"""A source in memory, and a real registry's tree in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from rpkival.objects.tal import Tal, parse_tal

MOMENT = 1_773_648_000
"""2026-03-16T08:00:00Z, when the real tree was whole."""


@dataclass
class Memory:
    """Objects by URI; answers as a repository on disk would, and remembers what it was asked."""

    files: Mapping[str, bytes]
    problems: Mapping[str, str] = field(default_factory=dict)
    prepared: list[str] = field(default_factory=list)

    def trust_anchor(self, uri: str) -> bytes | None:
        return self.files.get(uri)

    def prepare(self, uri: str) -> str | None:
        self.prepared.append(uri)
        return self.problems.get(uri)

    def read(self, uri: str) -> bytes | None:
        return self.files.get(uri)


@pytest.fixture(scope="session")
def memory() -> type[Memory]:
    """`memory({uri: octets})`: a source."""
    return Memory


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
