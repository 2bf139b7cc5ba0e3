"""Tests for rpkival.cli.lab."""

from __future__ import annotations

import subprocess
import sys
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


def test_build_on_servers(needs_rsync: None, tmp_path: Path) -> None:
    """The real command: it serves, publishes a new version for each line, and ends with its input."""
    ended = subprocess.run(
        [sys.executable, "-m", "rpkival", "lab", "build", tmp_path / "lab", *SMALL, "--serve"],
        input="\n\n",
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    assert str(tmp_path / "lab/ca.pem") in ended.stderr
    assert ended.stderr.count("1 publication point with") == 2


def test_without_rrdp_there_is_nothing_to_trust(needs_rsync: None, tmp_path: Path) -> None:
    """So no file that would be empty, and no word of it."""
    ended = subprocess.run(
        [sys.executable, "-m", "rpkival", "lab", "build", tmp_path / "lab", *SMALL, "--serve", "--rrdp", "0"],
        input="",
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    assert not (tmp_path / "lab/ca.pem").exists()
    assert "trust" not in ended.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("--cas", "1", "--depth", "2"),
        ("--change", "1"),
        ("--change", "1", "--serve"),
        ("--serve", "--rrdp", "4"),
        ("--at", "yesterday"),
        ("--hostile", "nul-roa", "--cas", "9"),
        ("--change", "1", "--days", "3"),
    ],
)
def test_what_cannot_be_is_refused(rpkival: Callable[..., Any], tmp_path: Path, words: tuple[str, ...]) -> None:
    """In one sentence."""
    ended = rpkival("lab", "build", tmp_path / "lab", *words)

    assert ended.code == 2
    assert ended.err.startswith("rpkival: ")


def test_attacks_as_files(rpkival: Callable[..., Any], tmp_path: Path) -> None:
    """What is hostile costs itself, and nothing else."""
    built = rpkival("lab", "build", tmp_path / "lab", "--hostile", "nul-roa", "--hostile", "over-claim")
    assert built.code == 0
    assert "2 attacks" in built.err

    validated = rpkival(
        "validate", "--tal", tmp_path / "lab/lab.tal", "--repository-dir", tmp_path / "lab/rsync", "--offline",
        "--output", tmp_path / "vrps.csv",
    )  # fmt: skip

    assert validated.code == 0
    assert "over-claim-below.cer" in validated.err
    assert _rows(tmp_path / "vrps.csv") == _rows(tmp_path / "lab/expected.csv")


def test_attacks_by_servers(needs_rsync: None, tmp_path: Path) -> None:
    """The real command: it serves, publishes anew for each line, and ends with its input."""
    ended = subprocess.run(
        [sys.executable, "-m", "rpkival", "lab", "build", tmp_path / "lab", "--hostile", "retry-after", "--serve"],
        input="\n\n",
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    assert str(tmp_path / "lab/ca.pem") in ended.stderr
    assert ended.stderr.count("Published anew.") == 2


@pytest.mark.parametrize(
    "words", [("--hostile", "kindness"), ("--hostile", "drip-feed"), ("--hostile", "manifest-rollback")]
)
def test_attacks_that_cannot_be_are_refused(
    rpkival: Callable[..., Any], tmp_path: Path, words: tuple[str, ...]
) -> None:
    """In one sentence."""
    ended = rpkival("lab", "build", tmp_path / "lab", *words)

    assert ended.code == 2
    assert ended.err.startswith("rpkival: ")


def test_attacks_are_listed(rpkival: Callable[..., Any]) -> None:
    """With where the public has told of them."""
    listed = rpkival("lab", "attacks")

    assert listed.code == 0
    assert "drip-feed" in listed.out
    assert "CVE-2021-43173" in listed.out


def _rows(path: Path) -> set[tuple[str, ...]]:
    return {tuple(line.split(",")[:3]) for line in path.read_text().splitlines()[1:]}
