"""docs/hostile.md has every attack as the table has it, and names bounds and tests that there are."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from rpkival import limits
from rpkival.lab.hostile.table import CASES

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/hostile.md").read_text("utf-8")


def test_every_attack_is_documented() -> None:
    """Row by row, none left out and none made up."""
    rows = [line for line in TEXT.splitlines() if line.startswith("| `")]
    assert rows == [
        f"| `{case.name}` | {case.attack} | {', '.join(case.sources)} | {case.answer} |" for case in CASES.values()
    ]


@pytest.mark.parametrize("scenario", "ABCDEFGHIJKLMNOPQ")
def test_every_scenario_of_rprp_is_there(scenario: str) -> None:
    """P is the CA that behaves, which stands beside each attack."""
    assert scenario == "P" or any(f"RPRP {scenario}" in case.sources for case in CASES.values())


def test_bounds_are_named_as_they_are() -> None:
    """Every bound by which an attack is answered is one of `rpkival.limits`."""
    named = {name for case in CASES.values() for name in re.findall(r"`([A-Z0-9_]+)`", case.answer)}
    assert len(named) > 20
    assert {name for name in named if not hasattr(limits, name)} == set()


def test_tests_that_are_named_exist() -> None:
    """By file and name."""
    named = [(path, name) for path, name in re.findall(r"`(tests/[\w/]+\.py)::(\w+)", TEXT) if name != "test_attack"]
    assert len(named) > 10
    for path, name in named:
        functions = {
            node.name
            for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8")))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        assert name in functions, f"{path} has no {name}"
