"""Runs of rows: some consecutive ones for each of many, as an index into a column."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["runs"]


def runs(first: NDArray[np.int64], count: NDArray[np.int64]) -> NDArray[np.int64]:
    """`int64[count.sum()]`: from each of `first` on so many numbers as `count` has there, one run after the other."""
    ahead = np.cumsum(count) - count
    return np.repeat(first - ahead, count) + np.arange(count.sum())
