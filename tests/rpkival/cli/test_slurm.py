"""Tests for rpkival.cli.slurm, the whole command in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
VRPS = "ASN,IP Prefix,Max Length,Trust Anchor\nAS64496,192.0.2.0/24,24,ripe\nAS64499,203.0.113.0/24,24,arin\n"


@pytest.fixture
def full(shared_data: Path) -> Path:
    """A file with everything in it."""
    return shared_data / "slurm/rpki-rs_full_v2.json"


def test_a_good_file(rpkival: Run, full: Path) -> None:
    """What it is."""
    done = rpkival("slurm", "check", full)

    assert (done.code, done.err) == (0, "")
    assert done.out == f"{full}: SLURM version 2, 7 filters, 4 assertions.\n"


def test_what_it_would_do(rpkival: Run, full: Path, tmp_path: Path) -> None:
    """To a source of VRPs."""
    (tmp_path / "vrps.csv").write_text(VRPS)
    done = rpkival("slurm", "check", full, "--vrps", tmp_path / "vrps.csv")

    assert done.out.splitlines()[1:] == [
        "Local exceptions take away 1 VRP of ripe.",
        f"{full} adds 2 VRPs, 1 ASPA, 1 router key.",
    ]


def test_what_it_would_not_do(rpkival: Run, tmp_path: Path) -> None:
    """Nothing, and it says so."""
    (tmp_path / "vrps.csv").write_text(VRPS)
    (tmp_path / "slurm.json").write_text(
        '{"slurmVersion": 1, "validationOutputFilters": {"prefixFilters": [{"asn": 1}], "bgpsecFilters": []}, '
        '"locallyAddedAssertions": {"prefixAssertions": [], "bgpsecAssertions": []}}'
    )
    done = rpkival("slurm", "check", tmp_path / "slurm.json", "--vrps", tmp_path / "vrps.csv")

    assert done.out.splitlines()[1:] == ["They change nothing here."]


def test_what_is_wrong(rpkival: Run, full: Path, shared_data: Path, tmp_path: Path) -> None:
    """A fault, an overlap, a file that is not there: one sentence each, with its exit code."""
    fault = rpkival("slurm", "check", shared_data / "slurm/stayrtr_slurm.json")
    assert (fault.code, fault.out) == (3, "")
    assert "$.validationOutputFilters.bgpsecFilters[1].SKI: a key identifier has 20 octets, not 16." in fault.err

    overlap = rpkival("slurm", "check", full, shared_data / "slurm/rpki-rs_full.json")
    assert overlap.code == 3
    assert "both speak of 192.0.2.0/24, and no two SLURM files may overlap" in overlap.err

    missing = rpkival("slurm", "check", tmp_path / "none.json")
    assert missing.code == 2
    assert "cannot be read: No such file" in missing.err
    assert len(missing.err.splitlines()) == 1
