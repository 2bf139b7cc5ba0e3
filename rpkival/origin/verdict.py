"""The states of RFC 6811 section 2 and the reasons of an invalid."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

__all__ = ["Reason", "State", "Verdicts"]


class State(IntEnum):
    """RFC 6811 section 2. `text` is the word that the CLI, the API and files use."""

    NOT_FOUND = 0
    VALID = 1
    INVALID = 2

    @property
    def text(self) -> str:
        return ("not-found", "valid", "invalid")[self]


class Reason(IntEnum):
    """Why a route is invalid, as Routinator's validity API has it."""

    NONE = 0
    AS = 1
    """No covering VRP has this origin."""
    LENGTH = 2
    """A covering VRP has this origin, but the prefix is longer than its max_length."""

    @property
    def text(self) -> str:
        return ("", "as", "length")[self]


@dataclass(frozen=True, slots=True, eq=False)
class Verdicts:
    """`state`: `uint8[n]` of `State`; `reason`: `uint8[n]` of `Reason`, NONE unless invalid."""

    state: NDArray[np.uint8]
    reason: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.state)
