"""Validated ROA payloads (RFC 6811 section 2) as columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rpkival.prefixes import Family, Prefixes, Rows, split_families
from rpkival.validation.lifetime import LIFETIME

__all__ = ["Vrp", "VrpColumns", "Vrps"]


@dataclass(frozen=True, slots=True)
class Vrp:
    """One VRP in words, for edges: rows in, answers out. `expires` is unix time in seconds, 0 where unknown."""

    prefix: str
    max_length: int
    asn: int
    trust_anchor: str = ""
    expires: int = 0
    source: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class VrpColumns:
    """`n` VRPs of one family.

    `max_length`: `uint8[n]` in bits. `asn`: `uint32[n]`. `trust_anchor`: `uint16[n]`, row in `Vrps.trust_anchors`.
    `expires`: `int64[n]`, unix seconds at which the chain of signatures ends, 0 where unknown. `source`: `int32[n]`,
    row in `Vrps.sources`, -1 where unknown.
    """

    prefixes: Prefixes
    max_length: NDArray[np.uint8]
    asn: NDArray[np.uint32]
    trust_anchor: NDArray[np.uint16]
    expires: NDArray[np.int64]
    source: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.asn)

    @classmethod
    def empty(cls, family: Family) -> VrpColumns:
        """No VRPs of this family."""
        return cls.of(Prefixes.empty(family), np.zeros(0, np.uint8), np.zeros(0, np.uint32))

    @classmethod
    def of(
        cls,
        prefixes: Prefixes,
        max_length: NDArray[np.uint8],
        asn: NDArray[np.uint32],
        trust_anchor: NDArray[np.uint16] | None = None,
        expires: NDArray[np.int64] | None = None,
        source: NDArray[np.int32] | None = None,
    ) -> VrpColumns:
        """Build with what is known; the rest is filled with "unknown"."""
        n = len(asn)
        return cls(
            prefixes,
            max_length,
            asn,
            np.zeros(n, np.uint16) if trust_anchor is None else trust_anchor,
            np.zeros(n, np.int64) if expires is None else expires,
            np.full(n, -1, np.int32) if source is None else source,
        )

    def take(self, rows: Rows | NDArray[np.bool_] | slice) -> VrpColumns:
        """The given rows, as numpy indexing selects them."""
        return VrpColumns(
            self.prefixes.take(rows),
            self.max_length[rows],
            self.asn[rows],
            self.trust_anchor[rows],
            self.expires[rows],
            self.source[rows],
        )

    @classmethod
    def concat(cls, parts: Sequence[VrpColumns]) -> VrpColumns:
        """All rows of `parts` (at least one, all of one family and the same names), in order."""
        return cls(
            Prefixes.concat([part.prefixes for part in parts]),
            np.concatenate([part.max_length for part in parts]),
            np.concatenate([part.asn for part in parts]),
            np.concatenate([part.trust_anchor for part in parts]),
            np.concatenate([part.expires for part in parts]),
            np.concatenate([part.source for part in parts]),
        )

    def key(self) -> tuple[NDArray[Any], ...]:
        """The columns that make a VRP what it is (RFC 6811): address words, length, max_length, asn."""
        return (*self.prefixes.words, self.prefixes.length, self.max_length, self.asn)

    def unique_sorted(self) -> VrpColumns:
        """Sorted by address, length, max_length and ASN; of equal VRPs the one that expires last stays."""
        if strictly_ascending(self.key()):
            return self
        rows = self.prefixes.order(self.max_length, self.asn, -self.expires)
        ordered = self.take(rows)
        return ordered.take(first_of_each(ordered.key()))


@dataclass(frozen=True, slots=True, eq=False)
class Vrps:
    """VRPs of both families, with the names that their columns refer to.

    `lifetimes` is `LIFETIME[len(sources)]`, zeros where unknown; None where that is so of all.
    """

    ipv4: VrpColumns
    ipv6: VrpColumns
    trust_anchors: tuple[str, ...] = ("",)
    sources: tuple[str, ...] = ()
    lifetimes: NDArray[np.void] | None = None

    def __len__(self) -> int:
        return len(self.ipv4) + len(self.ipv6)

    def __iter__(self) -> Iterator[Vrp]:
        """Each VRP in words; for edges, not for hot loops."""
        for columns in (self.ipv4, self.ipv6):
            yield from self.rows(columns)

    def rows(self, columns: VrpColumns) -> Iterator[Vrp]:
        """The rows of `columns` (a selection of this set's) in words."""
        for prefix, max_length, asn, anchor, expires, source in zip(
            columns.prefixes.texts(),
            columns.max_length.tolist(),
            columns.asn.tolist(),
            columns.trust_anchor.tolist(),
            columns.expires.tolist(),
            columns.source.tolist(),
            strict=True,
        ):
            name = self.sources[source] if source >= 0 else ""
            yield Vrp(prefix, max_length, asn, self.trust_anchors[anchor], expires, name)

    def family(self, family: Family) -> VrpColumns:
        """The columns of one family."""
        return self.ipv4 if family == 4 else self.ipv6

    @property
    def lifetime_table(self) -> NDArray[np.void]:
        """`LIFETIME[len(sources) + 1]`: of each source, and last, as row -1, of an unknown one."""
        table = np.zeros(len(self.sources) + 1, LIFETIME)
        if self.lifetimes is not None:
            table[:-1] = self.lifetimes
        return table

    @classmethod
    def empty(cls) -> Vrps:
        """No VRPs."""
        return cls(VrpColumns.empty(4), VrpColumns.empty(6))

    @classmethod
    def of(cls, vrps: Iterable[Vrp]) -> Vrps:
        """From rows in words; for tests and small sets. Raises `PrefixError`."""
        rows = list(vrps)
        anchors = _numbered(row.trust_anchor for row in rows)
        sources = _numbered(row.source for row in rows if row.source)
        parts = []
        for prefixes, at in split_families(row.prefix for row in rows):
            chosen = [rows[i] for i in at.tolist()]
            parts.append(
                VrpColumns(
                    prefixes,
                    np.array([row.max_length for row in chosen], np.uint8),
                    np.array([row.asn for row in chosen], np.uint32),
                    np.array([anchors[row.trust_anchor] for row in chosen], np.uint16),
                    np.array([row.expires for row in chosen], np.int64),
                    np.array([sources.get(row.source, -1) for row in chosen], np.int32),
                )
            )
        return cls(parts[0], parts[1], tuple(anchors) or ("",), tuple(sources))

    @classmethod
    def concat(cls, parts: Sequence[Vrps]) -> Vrps:
        """All VRPs of `parts` (at least one), under one table of names.

        What the first part says that knows a source's lifetime counts.
        """
        anchors = _numbered(name for part in parts for name in part.trust_anchors)
        sources = _numbered(name for part in parts for name in part.sources)
        renamed: dict[Family, list[VrpColumns]] = {4: [], 6: []}
        lifetimes: NDArray[np.void] | None = None
        for part in parts:
            anchor_rows = np.array([anchors[name] for name in part.trust_anchors], np.uint16)
            # The last entry serves the -1 of an unknown source.
            source_rows = np.array([*(sources[name] for name in part.sources), -1], np.int32)
            if part.lifetimes is not None:
                lifetimes = np.zeros(len(sources), LIFETIME) if lifetimes is None else lifetimes
                unknown = lifetimes["stale"][source_rows[:-1]] == 0
                lifetimes[source_rows[:-1][unknown]] = part.lifetimes[unknown]
            for family, columns in renamed.items():
                rows = part.family(family)
                columns.append(
                    replace(rows, trust_anchor=anchor_rows[rows.trust_anchor], source=source_rows[rows.source])
                )
        ipv4, ipv6 = VrpColumns.concat(renamed[4]), VrpColumns.concat(renamed[6])
        return cls(ipv4, ipv6, tuple(anchors), tuple(sources), lifetimes)

    def unique_sorted(self) -> Vrps:
        """Sorted, without duplicates; of equal VRPs the one that expires last stays."""
        return replace(self, ipv4=self.ipv4.unique_sorted(), ipv6=self.ipv6.unique_sorted())


def strictly_ascending(columns: Sequence[NDArray[Any]]) -> bool:
    """Whether each row of `columns` (most significant first) comes after the one before it."""
    n = len(columns[0])
    less, equal = np.zeros(max(n - 1, 0), np.bool_), np.ones(max(n - 1, 0), np.bool_)
    for column in columns:
        less |= equal & (column[:-1] < column[1:])
        equal &= column[:-1] == column[1:]
    return bool(less.all())


def first_of_each(columns: Sequence[NDArray[Any]]) -> NDArray[np.bool_]:
    """`bool[n]`: True at the first row of each run of rows that are equal in all (sorted) columns."""
    n = len(columns[0])
    first = np.ones(n, np.bool_)
    if n > 1:
        same = np.ones(n - 1, np.bool_)
        for column in columns:
            same &= column[1:] == column[:-1]
        first[1:] = ~same
    return first


def _numbered(names: Iterable[str]) -> dict[str, int]:
    numbers: dict[str, int] = {}
    for name in names:
        numbers.setdefault(name, len(numbers))
    return numbers
