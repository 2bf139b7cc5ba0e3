"""Which prefixes lie inside which: exact, vectorised, for one small set of prefixes and millions of questions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rpkival.payload.vrps import first_of_each
from rpkival.prefixes import Family, Prefixes, Rows
from rpkival.runs import runs

__all__ = ["Cover", "Keys", "covering_pairs", "prefix_keys"]

Keys: TypeAlias = NDArray[Any]


def prefix_keys(prefixes: Prefixes) -> Keys:
    """One sortable value for each prefix, equal exactly where prefixes are: `uint64[n]` for IPv4, `S17[n]` for IPv6."""
    if prefixes.family == 4:
        return (prefixes.words[0].astype(np.uint64) << np.uint64(8)) | prefixes.length
    octets = np.empty((len(prefixes), 17), np.uint8)
    for word, start in zip(prefixes.words, (0, 8), strict=True):
        octets[:, start : start + 8] = word.astype(">u8")[:, np.newaxis].view(np.uint8)
    # numpy drops trailing zero bytes of a string, so the last one must not be zero.
    octets[:, 16] = prefixes.length + np.uint8(1)
    return octets.view("S17").ravel()


@dataclass(frozen=True, slots=True, eq=False)
class Cover:
    """A set of prefixes of one family, ready to be asked what lies inside it.

    `prefixes`: sorted and unique. `first`, `last`: the ranges of the first address word that they span, disjoint and
    sorted. `keys`, `key_rows`: for each prefix length, the sorted keys and the rows of `prefixes` they belong to.
    """

    prefixes: Prefixes
    first: NDArray[Any]
    last: NDArray[Any]
    keys: dict[int, tuple[Keys, Rows]]

    @classmethod
    def of(cls, prefixes: Prefixes) -> Cover:
        """Build from prefixes in any order; duplicates are dropped."""
        ordered = prefixes.take(prefixes.order())
        ordered = ordered.take(first_of_each((*ordered.words, ordered.length)))
        first, last = ordered.words[0], ordered.last_words()[0]
        if len(ordered):
            # Prefixes nest or are apart, so a range opens where all that began before have ended.
            reach = np.maximum.accumulate(last)
            opens = np.append(True, first[1:] > reach[:-1])
            first, last = first[opens], np.maximum.reduceat(last, np.flatnonzero(opens))
        keys = {}
        for length in np.unique(ordered.length).tolist():
            rows = np.flatnonzero(ordered.length == length)
            values = prefix_keys(ordered.take(rows))
            order = np.argsort(values)
            keys[length] = (values[order], rows[order])
        return cls(ordered, first, last, keys)

    @property
    def family(self) -> Family:
        """4 or 6."""
        return self.prefixes.family

    def __len__(self) -> int:
        return len(self.prefixes)

    def inside(self, prefixes: Prefixes) -> tuple[Rows, Rows]:
        """The rows of `prefixes` that equal a prefix of this set or lie inside one, and for each the row of the most
        specific such prefix.

        Costs one binary search in the ranges for each prefix, and the exact test only for those that pass it.
        """
        if not len(self):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        word = prefixes.words[0]
        at = np.searchsorted(self.first, word, side="right") - 1
        near = np.flatnonzero((at >= 0) & (word <= self.last[np.maximum(at, 0)]))
        if not len(near):
            return near, near
        candidates = prefixes.take(near)
        found = np.full(len(near), -1, np.int64)
        for length in sorted(self.keys, reverse=True):
            open_rows = np.flatnonzero((found < 0) & (candidates.length >= length))
            found[open_rows] = self._row_of(candidates.take(open_rows).masked(length), length)
        hit = found >= 0
        return near[hit], found[hit]

    def _row_of(self, prefixes: Prefixes, length: int) -> Rows:
        keys, rows = self.keys[length]
        wanted = prefix_keys(prefixes)
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.where(keys[at] == wanted, rows[at], -1)


def covering_pairs(inner: Prefixes, outer: Prefixes) -> tuple[Rows, Rows]:
    """All pairs (row of `inner`, row of `outer`) in which the outer prefix equals or covers the inner one.

    Meant for a small `inner` and a large `outer`: costs one binary search for each outer prefix.
    """
    inner_rows, outer_rows = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for length in np.unique(outer.length).tolist():
        within = np.flatnonzero(inner.length >= length)
        keys = prefix_keys(inner.take(within).masked(length))
        order = np.argsort(keys)
        keys = keys[order]
        across = np.flatnonzero(outer.length == length)
        wanted = prefix_keys(outer.take(across))
        start, end = np.searchsorted(keys, wanted, "left"), np.searchsorted(keys, wanted, "right")
        count = end - start
        inner_rows.append(within[order[runs(start, count)]])
        outer_rows.append(np.repeat(across, count))
    return np.concatenate(inner_rows), np.concatenate(outer_rows)
