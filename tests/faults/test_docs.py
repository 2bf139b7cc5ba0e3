"""docs/faults.md tells of every fault and every target, and of nothing else."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
FAULTS, FUZZING = (ROOT / "docs/faults.md").read_text("utf-8").split("## Fuzzing")


def test_every_fault_is_told() -> None:
    """Each row has a test, and each test a row."""
    tests = re.findall(r"^def (test_\w+)", (ROOT / "tests/faults/test_faults.py").read_text("utf-8"), re.MULTILINE)
    assert sorted(re.findall(r"`(test_\w+)`", FAULTS)) == sorted(tests)


def test_every_target_is_told() -> None:
    """In the order of their names."""
    targets = sorted(path.stem for path in (ROOT / "fuzz/targets").glob("*.py"))
    assert re.findall(r"^\| `(\w+)` \|", FUZZING, re.MULTILINE) == targets
