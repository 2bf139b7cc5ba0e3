"""Tests for rpkival.cli.lab."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SMALL = ("--cas", "6", "--roas", "12", "--depth", "2", "--workers", "1")


def test_build_and_validate(rpkival: Callable[..., Any], tmp_path: Path) -> None:
    """What one verb signs the other finds, and says so."""
    built = rpkival("lab", "build", tmp_path / "lab", *SMALL)
    assert built.code == 0
    assert "7 publication points" in built.err

    validated = rpkival(
        "validate", "--tal", tmp_path / "lab/lab.tal", "--repository-dir", tmp_path / "lab/rsync", "--offline",
        "--strict", "--output", tmp_path / "vrps.csv",
    )  # fmt: skip

    assert validated.code == 0
    assert _rows(tmp_path / "vrps.csv") == _rows(tmp_path / "lab/expected.csv")


def test_change(rpkival: Callable[..., Any], tmp_path: Path) -> None:
    """A share of what is there is published anew."""
    rpkival("lab", "build", tmp_path / "lab", *SMALL)
    before = _rows(tmp_path / "lab/expected.csv")

    changed = rpkival("lab", "build", tmp_path / "lab", "--change", "50")

    assert changed.code == 0
    assert "3 publication points" in changed.err
    assert _rows(tmp_path / "lab/expected.csv") != before


@pytest.mark.parametrize("words", [("--cas", "1", "--depth", "2"), ("--change", "1"), ("--at", "yesterday")])
def test_what_cannot_be_is_refused(rpkival: Callable[..., Any], tmp_path: Path, words: tuple[str, ...]) -> None:
    """In one sentence."""
    ended = rpkival("lab", "build", tmp_path / "lab", *words)

    assert ended.code == 2
    assert ended.err.startswith("rpkival: ")


def _rows(path: Path) -> set[tuple[str, ...]]:
    return {tuple(line.split(",")[:3]) for line in path.read_text().splitlines()[1:]}
