"""Filters as columns: which VRPs of a set they take away, asked of all at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rpkival.payload.payload import RouterKey
from rpkival.payload.vrps import VrpColumns
from rpkival.prefixes import Family, Prefixes

__all__ = ["KeyFilters", "PrefixFilters", "among"]


@dataclass(frozen=True, slots=True, eq=False)
class PrefixFilters:
    """Filters with a prefix of one family. `asn`: `int64[n]`, -1 where a filter is for any origin."""

    prefixes: Prefixes
    asn: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.asn)

    @classmethod
    def none(cls, family: Family) -> PrefixFilters:
        """No filter."""
        return cls(Prefixes.empty(family), np.zeros(0, np.int64))

    @classmethod
    def concat(cls, parts: Sequence[PrefixFilters]) -> PrefixFilters:
        """All filters of `parts` (at least one, all of one family)."""
        return cls(Prefixes.concat([part.prefixes for part in parts]), np.concatenate([part.asn for part in parts]))

    def matches(self, vrps: VrpColumns) -> NDArray[np.bool_]:
        """`bool[n]`: True where a filter's prefix covers the VRP's or is the same, and its ASN, if any, is the VRP's.

        Asked once for each length that the filters have, of all VRPs that are at least as long.
        """
        found = np.zeros(len(vrps), np.bool_)
        for has_asn in (False, True):
            mine = (self.asn >= 0) == has_asn
            for length in np.unique(self.prefixes.length[mine]).tolist():
                at = mine & (self.prefixes.length == length)
                rows = np.flatnonzero(vrps.prefixes.length >= length)
                table: list[NDArray[Any]] = list(self.prefixes.take(at).words)
                asked: list[NDArray[Any]] = list(vrps.prefixes.take(rows).masked(length).words)
                if has_asn:
                    table.append(self.asn[at])
                    asked.append(vrps.asn[rows].astype(np.int64))
                found[rows[among(asked, table)]] = True
        return found


@dataclass(frozen=True, slots=True)
class KeyFilters:
    """Filters of router keys: all of an AS, all with an identifier, or one AS's with an identifier."""

    asns: frozenset[int] = frozenset()
    key_ids: frozenset[bytes] = frozenset()
    both: frozenset[tuple[int, bytes]] = frozenset()

    def __len__(self) -> int:
        return len(self.asns) + len(self.key_ids) + len(self.both)

    def match(self, key: RouterKey) -> bool:
        """Whether one of them takes the key away."""
        return key.asn in self.asns or key.key_id in self.key_ids or (key.asn, key.key_id) in self.both


def among(asked: Sequence[NDArray[Any]], table: Sequence[NDArray[Any]]) -> NDArray[np.bool_]:
    """`bool[n]`: which rows of `asked` are rows of `table`; both are columns side by side."""
    rows = np.flatnonzero(np.isin(asked[0], table[0]))
    # What is left are few: each distinct row of both gets a number, column by column.
    numbers = np.zeros(len(rows) + len(table[0]), np.int64)
    for mine, theirs in zip(asked, table, strict=True):
        _, part = np.unique(np.concatenate((mine[rows], theirs)), return_inverse=True)
        _, numbers = np.unique(numbers * len(numbers) + part, return_inverse=True)
    found = np.zeros(len(asked[0]), np.bool_)
    found[rows[np.isin(numbers[: len(rows)], numbers[len(rows) :])]] = True
    return found
