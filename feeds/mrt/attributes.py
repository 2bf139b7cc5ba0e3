"""Where the path attributes of many messages stand (RFC 4271 section 4.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from feeds.mrt.octets import Octets
from rpkival.prefixes import Rows

__all__ = ["Attribute", "Attributes", "find_attributes"]

_EXTENDED_LENGTH = 0x10


class Attribute(IntEnum):
    """Type codes of the attributes that decide what is announced, and by whom."""

    AS_PATH = 2
    AGGREGATOR = 7
    MP_REACH_NLRI = 14
    MP_UNREACH_NLRI = 15
    AS4_PATH = 17
    AS4_AGGREGATOR = 18


@dataclass(frozen=True, slots=True, eq=False)
class Attributes:
    """For each type that was asked for, `int64[n]` offsets of the value and of its end, both 0 where absent.

    `malformed`: `bool[n]`, True where the attributes run past their end or one that must be unique is not.
    """

    spans: dict[int, tuple[Rows, Rows]]
    malformed: NDArray[np.bool_]


def find_attributes(octets: Octets, start: Rows, end: Rows, wanted: Sequence[Attribute]) -> Attributes:
    """Walk the attributes of `n` messages, which stand at `start` to `end` (`int64[n]`).

    A walk ends with the attributes, or as soon as it found the one attribute that was asked for alone.
    """
    n = len(start)
    spans = {int(code): (np.zeros(n, np.int64), np.zeros(n, np.int64)) for code in wanted}
    malformed = np.zeros(n, np.bool_)
    row = np.flatnonzero(start < end)
    at = start[row]
    while len(row):
        code = octets.u8(at + 1)
        extended = (octets.u8(at) & _EXTENDED_LENGTH) != 0
        short = octets.u8(at + 2)
        value = at + 3 + extended
        stop = value + np.where(extended, octets.u16(at + 2), short)
        broken = stop > end[row]
        malformed[row[broken]] = True
        go_on = (stop < end[row]) & ~broken
        for kind, (begins, ends) in spans.items():
            hit = np.flatnonzero((code == kind) & ~broken)
            again = begins[row[hit]] != 0
            if again.any():
                # RFC 7606 section 3(g): a repeated attribute is discarded, a repeated MP_(UN)REACH_NLRI is an error.
                if kind in {Attribute.MP_REACH_NLRI, Attribute.MP_UNREACH_NLRI}:
                    malformed[row[hit[again]]] = True
                hit = hit[~again]
            begins[row[hit]] = value[hit]
            ends[row[hit]] = stop[hit]
            if len(wanted) == 1:
                go_on[hit] = False
        row, at = row[go_on], stop[go_on]
    return Attributes(spans, malformed)
