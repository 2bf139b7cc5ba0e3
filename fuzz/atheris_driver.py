"""One target under libFuzzer: `python -m fuzz.atheris_driver TARGET [libFuzzer's arguments]`."""

from __future__ import annotations

import contextlib
import importlib
import logging
import random
import sys
from collections.abc import Callable

import atheris

from fuzz.der_mutator import mutate

OF_DER = {
    "aspa",
    "ber",
    "ccr",
    "certificate",
    "checklist",
    "crl",
    "ghostbusters",
    "inspection",
    "manifest",
    "prefix_list",
    "roa",
    "signed_object",
    "trust_anchor_key",
}


def main() -> None:
    """Does not return."""
    logging.disable()  # and structlog's events print nothing that is not asked for
    name = sys.argv.pop(1)
    with atheris.instrument_imports(include=["rpkival", "feeds"]):
        target: Callable[[bytes], None] = importlib.import_module(f"fuzz.targets.{name}").fuzz
    from rpkival.errors import RpkivalError

    def once(data: bytes) -> None:
        with contextlib.suppress(RpkivalError):
            target(data)

    def mutated(data: bytes, max_size: int, seed: int) -> bytes:
        dice = random.Random(seed)
        changed = mutate(data, dice) if dice.random() < 0.7 else atheris.Mutate(data, max_size)
        return changed if len(changed) <= max_size else atheris.Mutate(data, max_size)

    if name in OF_DER:
        atheris.Setup(sys.argv, once, custom_mutator=mutated)
    else:
        atheris.Setup(sys.argv, once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
