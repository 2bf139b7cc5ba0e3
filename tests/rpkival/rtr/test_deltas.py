"""Deltas in a row, against Python's own sets."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.payload.changes import Changes, diff
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.rtr.deltas import apply_strictly, merge
from rpkival.rtr.errors import DuplicateAnnouncementError, UnknownWithdrawalError

Key = tuple[str, int, int]


@given(st.data())
def test_merged_deltas_are_the_difference_of_the_ends(
    few_vrps: st.SearchStrategy[Vrps], keys: Callable[[Vrps], list[Key]], data: st.DataObject
) -> None:
    """Whatever lies between, only the net change is told, each VRP at most once."""
    history = data.draw(st.lists(few_vrps, min_size=2, max_size=6))

    merged = merge([diff(old, new) for old, new in pairwise(history)])

    net = diff(history[0], history[-1])
    assert keys(merged.announced) == keys(net.announced)
    assert keys(merged.withdrawn) == keys(net.withdrawn)


@given(st.data())
def test_a_delta_applied_gives_the_new_set(
    few_vrps: st.SearchStrategy[Vrps], keys: Callable[[Vrps], list[Key]], data: st.DataObject
) -> None:
    """What the cache subtracts, the client adds."""
    old, new = data.draw(few_vrps).unique_sorted(), data.draw(few_vrps).unique_sorted()

    assert keys(apply_strictly(old, diff(old, new))) == keys(new)


def test_a_client_refuses_what_cannot_be() -> None:
    """RFC 8210 section 12: codes 6 and 7, with the VRP in words."""
    here = Vrps.of([Vrp("192.0.2.0/24", 24, 64496)])
    other = Vrps.of([Vrp("192.0.2.0/24", 25, 64496)])

    with pytest.raises(UnknownWithdrawalError, match=r"192\.0\.2\.0/24-25 AS64496"):
        apply_strictly(here, Changes(announced=Vrps.empty(), withdrawn=other))
    with pytest.raises(DuplicateAnnouncementError, match=r"192\.0\.2\.0/24-24 AS64496"):
        apply_strictly(here, Changes(announced=here, withdrawn=Vrps.empty()))
