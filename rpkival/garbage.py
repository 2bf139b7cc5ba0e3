"""How a process that holds hundreds of thousands of values for its whole life collects garbage."""

from __future__ import annotations

import gc

__all__ = ["collect_rarely"]

_NEW_VALUES = 50_000
"""Between two looks; Python's own 700 make it look at the same values over and over, for a fifth of the time."""


def collect_rarely() -> None:
    """Leave alone what is there now, and look for cycles among the rest now and then; for the start of a process."""
    gc.freeze()
    gc.set_threshold(_NEW_VALUES, 20, 50)
