"""Tests for rpkival.runs."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rpkival.runs import runs


@given(st.lists(st.tuples(st.integers(0, 1_000), st.integers(0, 9))))
def test_runs_are_the_ranges_one_after_the_other(pairs: list[tuple[int, int]]) -> None:
    """Also those that are empty, and none at all."""
    first, count = np.array(pairs, np.int64).reshape(-1, 2).T
    expected = [number for begin, length in pairs for number in range(begin, begin + length)]
    assert runs(first, count).tolist() == expected
