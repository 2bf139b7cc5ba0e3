"""The VRP table: order, uniqueness, names."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rpkival.payload.vrps import Vrp, VrpColumns, Vrps


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
