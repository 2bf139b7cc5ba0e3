"""The columns that every feed yields."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from rpkival.prefixes import Prefixes, Rows

__all__ = ["OriginKind", "PathTable", "Peer", "RouteBatch"]


class OriginKind(IntEnum):
    """What stands at the end of an AS_PATH."""

    AS = 0
    EMPTY = 1
    """An empty path: the peer's own route inside its AS, or a withdrawal."""
    AS_SET = 2
    """The path ends in a set; RFC 6811 section 2 calls its origin NONE, RFC 9774 deprecates it."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Who told the collector. `address` is text; `asn` is 0 where the format does not say."""

    asn: int
    address: str


@dataclass(frozen=True, slots=True, eq=False)
class PathTable:
    """AS_PATHs, back to back; the same path may stand there more than once.

    Path `i` is `asns[offsets[i]:offsets[i + 1]]`, nearest AS first, origin last. `asns`: `uint32[m]`; `offsets`:
    `int64[p + 1]`; `in_set`: `bool[m]`, True for members of an AS_SET. Segments of a confederation are left out: they
    mean nothing beyond it (RFC 5065 section 6).
    """

    asns: NDArray[np.uint32]
    offsets: NDArray[np.int64]
    in_set: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def path(self, row: int) -> list[int]:
        """One path as Python integers."""
        return [int(asn) for asn in self.asns[self.offsets[row] : self.offsets[row + 1]]]

    def text(self, row: int) -> str:
        """One path as looking glasses write it: `"64496 64497 {64498,64499}"`."""
        words: list[str] = []
        begin, end = int(self.offsets[row]), int(self.offsets[row + 1])
        for in_set, members in groupby(range(begin, end), lambda at: bool(self.in_set[at])):
            asns = [str(self.asns[at]) for at in members]
            words.extend(["{" + ",".join(asns) + "}"] if in_set else asns)
        return " ".join(words)

    @classmethod
    def empty(cls) -> PathTable:
        """No paths."""
        return cls(np.zeros(0, np.uint32), np.zeros(1, np.int64), np.zeros(0, np.bool_))


@dataclass(frozen=True, slots=True, eq=False)
class RouteBatch:
    """`n` announcements and withdrawals of one family, in the order in which they were seen.

    `announced`: `bool[n]`, False for withdrawals. `origin`: `uint32[n]`, the origin AS, 0 unless `origin_kind` says AS.
    `origin_kind`: `uint8[n]` of `OriginKind`. `time`: `float64[n]`, unix seconds. `peer`: `int32[n]`, row in `peers`.
    `path`: `int32[n]`, row in `paths`, -1 for withdrawals. `path_id`: `uint32[n]` (RFC 7911), 0 where not used.
    """

    prefixes: Prefixes
    announced: NDArray[np.bool_]
    origin: NDArray[np.uint32]
    origin_kind: NDArray[np.uint8]
    time: NDArray[np.float64]
    peer: NDArray[np.int32]
    path: NDArray[np.int32]
    path_id: NDArray[np.uint32]
    peers: tuple[Peer, ...]
    paths: PathTable
    collector: str = ""

    def __len__(self) -> int:
        return len(self.announced)

    def take(self, rows: Rows | NDArray[np.bool_] | slice) -> RouteBatch:
        """The given rows, as numpy indexing selects them; peers and paths are shared."""
        return RouteBatch(
            self.prefixes.take(rows),
            self.announced[rows],
            self.origin[rows],
            self.origin_kind[rows],
            self.time[rows],
            self.peer[rows],
            self.path[rows],
            self.path_id[rows],
            self.peers,
            self.paths,
            self.collector,
        )
