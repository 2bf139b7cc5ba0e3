"""Every target of `fuzz/`, without the fuzzer: it takes its seeds, and bears what the mutators make of them."""

from __future__ import annotations

import random
import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

from rpkival.errors import RpkivalError

FUZZ = Path(__file__).parent.parent.parent / "fuzz"
TARGETS = sorted(path.stem for path in (FUZZ / "targets").glob("*.py"))
MUTATE: Callable[[bytes, random.Random], bytes] = runpy.run_path(str(FUZZ / "der_mutator.py"))["mutate"]


def seeds(target: str) -> list[bytes]:
    """What its fuzzer starts from."""
    return [path.read_bytes() for path in sorted((FUZZ / "seeds" / target).iterdir())]


def fuzz_of(target: str) -> Callable[[bytes], None]:
    """Its function."""
    fuzz: Callable[[bytes], None] = runpy.run_path(str(FUZZ / "targets" / f"{target}.py"))["fuzz"]
    return fuzz


def test_there_are_no_seeds_without_a_target() -> None:
    """Nor a target without seeds."""
    assert [path.name for path in sorted((FUZZ / "seeds").iterdir())] == TARGETS


@pytest.mark.parametrize("target", TARGETS)
def test_seeds_are_good(target: str) -> None:
    """At least one of them is taken whole: a target that refuses everything tries nothing."""
    fuzz = fuzz_of(target)
    taken = 0
    for seed in seeds(target):
        try:
            fuzz(seed)
        except RpkivalError:
            continue
        taken += 1
    assert taken


@pytest.mark.parametrize("target", TARGETS)
def test_changed_seeds_end_in_a_value_or_an_error(target: str) -> None:
    """With elements that are lost, twice there or of another type, and with octets changed in place."""
    fuzz, dice = fuzz_of(target), random.Random(f"rpkival {target}")
    refused = 0
    for seed in seeds(target):
        for number in range(100):
            changed = bytearray(MUTATE(seed, dice) if number % 2 else seed)
            for _ in range(number % 3 if changed else 0):
                changed[dice.randrange(len(changed))] = dice.randrange(256)
            try:
                fuzz(bytes(changed))
            except RpkivalError:
                refused += 1
    # These tell of what is wrong, or count it, instead of raising it.
    assert refused or target in {"inspection", "ris_message", "rtr_router"}


def test_mutants_are_encodings_with_a_change() -> None:
    """Lengths fit again, so that what is inside is reached."""
    dice = random.Random(1)
    seed = seeds("roa")[0]
    mutants = {MUTATE(seed, dice) for _ in range(200)}
    assert len(mutants) > 150
    whole = sum(
        mutant[:2] == b"\x30\x82" and int.from_bytes(mutant[2:4], "big") == len(mutant) - 4 for mutant in mutants
    )
    assert whole > 100
