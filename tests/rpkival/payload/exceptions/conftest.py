"""SLURM files for the tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

Slurm = Callable[..., bytes]


@pytest.fixture(scope="session")
def slurm() -> Slurm:
    """`slurm(version, prefixFilters=[...])`: a file with these lists, the others empty."""

    def make(version: int = 2, **lists: list[Any]) -> bytes:
        aspas = version == 2
        filters = ("prefixFilters", "bgpsecFilters", "aspaFilters")[: 2 + aspas]
        assertions = ("prefixAssertions", "bgpsecAssertions", "aspaAssertions")[: 2 + aspas]
        return json.dumps(
            {
                "slurmVersion": version,
                "validationOutputFilters": {name: lists.pop(name, []) for name in filters},
                "locallyAddedAssertions": {name: lists.pop(name, []) for name in assertions},
                **lists,
            }
        ).encode()

    return make
