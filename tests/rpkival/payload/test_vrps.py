"""The VRP table: order, uniqueness, names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rpkival.payload.vrps import Vrp, VrpColumns, Vrps
from rpkival.validation.lifetime import LIFETIME, UNKNOWN_LIFETIME, Lifetime


def rows(columns: VrpColumns) -> list[tuple[int, ...]]:
    """Keys as Python tuples."""
    lists = (columns.prefixes.integers(), columns.prefixes.length, columns.max_length, columns.asn)
    return [tuple(map(int, row)) for row in zip(*lists, strict=True)]


@given(st.data())
def test_unique_sorted_is_sorted_and_unique(vrp_sets: st.SearchStrategy[Vrps], data: st.DataObject) -> None:
    """Each VRP once, by address, length, max_length and ASN; sorting twice changes nothing."""
    vrps = data.draw(vrp_sets)

    result = vrps.unique_sorted()

    for columns, before in ((result.ipv4, vrps.ipv4), (result.ipv6, vrps.ipv6)):
        assert rows(columns) == sorted(set(rows(before)))
    assert list(result.unique_sorted()) == list(result)


def test_of_equal_vrps_the_one_that_expires_last_stays() -> None:
    """Two ROAs for one VRP: it holds as long as either does."""
    vrps = Vrps.of([Vrp("192.0.2.0/24", 24, 64496, "a", 5), Vrp("192.0.2.0/24", 24, 64496, "b", 9)])

    assert list(vrps.unique_sorted()) == [Vrp("192.0.2.0/24", 24, 64496, "b", 9)]


@given(st.data())
def test_rows_in_words_come_back_as_they_went_in(vrp_sets: st.SearchStrategy[Vrps], data: st.DataObject) -> None:
    """Columns to words to columns to words is the same."""
    words = list(data.draw(vrp_sets))

    assert list(Vrps.of(words)) == words


def test_what_is_put_together_keeps_its_lifetimes() -> None:
    """Of each source what the first says that knows it."""
    first, second = Lifetime(1, 9, 2, 8, 7), Lifetime(3, 9, 4, 8, 6)
    signed = Vrps.of([Vrp("10.0.0.0/8", 8, 1, source="a"), Vrp("10.0.0.0/8", 8, 2, source="b")])
    one = replace(signed, lifetimes=np.array([first, UNKNOWN_LIFETIME], LIFETIME))
    other = replace(signed, lifetimes=np.array([second, second], LIFETIME))
    none = Vrps.of([Vrp("10.0.0.0/8", 8, 3, source="c")])

    whole = Vrps.concat([none, one, other])

    assert dict(zip(whole.sources, whole.lifetime_table.tolist(), strict=False)) == {
        "c": UNKNOWN_LIFETIME,
        "a": first,
        "b": second,
    }
    assert Vrps.concat([none, none]).lifetimes is None
