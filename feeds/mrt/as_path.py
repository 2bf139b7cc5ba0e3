"""AS_PATH and AS4_PATH of many messages: the paths, and their origins (RFC 4271 section 4.3, RFC 6793)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from feeds.mrt.attributes import Attribute, Attributes
from feeds.mrt.octets import Octets, in_order
from feeds.route_batch import OriginKind, PathTable
from rpkival.prefixes import Rows

__all__ = ["AsPaths", "read_paths"]

_AS_TRANS = 23456
_NOWHERE: Rows = np.zeros(0, np.int64)


class SegmentType(IntEnum):
    """RFC 4271 section 4.3 and RFC 5065 section 3."""

    AS_SET = 1
    AS_SEQUENCE = 2
    AS_CONFED_SEQUENCE = 3
    AS_CONFED_SET = 4


@dataclass(frozen=True, slots=True, eq=False)
class _Segments:
    """`m` segments of the paths of `n` owners, sorted by owner and in path order.

    `owner`: `int64[m]`, 0 to n - 1. `kind`: `int64[m]` of `SegmentType`. `at`: `int64[m]`, offset of the first AS.
    `count`: `int64[m]`, its ASes. `width`: `int64[m]`, octets of an AS, 2 or 4.
    """

    owner: Rows
    kind: Rows
    at: Rows
    count: Rows
    width: Rows

    def take(self, rows: Rows | NDArray[np.bool_]) -> _Segments:
        """The given rows, as numpy indexing selects them."""
        return _Segments(self.owner[rows], self.kind[rows], self.at[rows], self.count[rows], self.width[rows])


@dataclass(frozen=True, slots=True, eq=False)
class AsPaths:
    """The paths of `n` owners, path `i` for owner `i`; `origin`: `uint32[n]`; `origin_kind`: `uint8[n]`."""

    table: PathTable
    origin: NDArray[np.uint32]
    origin_kind: NDArray[np.uint8]


def read_paths(octets: Octets, found: Attributes, width: Rows) -> tuple[AsPaths, NDArray[np.bool_]]:
    """The path of each message, its AS4_PATH merged in, and `bool[n]`, True where AS_PATH is malformed."""
    n = len(width)
    segments, malformed = _read_segments(octets, *found.spans[Attribute.AS_PATH], width)
    as4_start, as4_end = found.spans.get(Attribute.AS4_PATH, (_NOWHERE, _NOWHERE))
    if as4_start.any():
        aggregator = found.spans[Attribute.AGGREGATOR][0]
        # RFC 6793 section 4.2.3: an AGGREGATOR that is not AS_TRANS was changed by a speaker that does not know
        # AS4_AGGREGATOR, and then both AS4 attributes are out of date.
        outdated = (
            (aggregator > 0) & (octets.u16(aggregator) != _AS_TRANS) & (found.spans[Attribute.AS4_AGGREGATOR][0] > 0)
        )
        usable = (width == 2) & ~outdated
        as4, bad_as4 = _read_segments(
            octets, np.where(usable, as4_start, 0), np.where(usable, as4_end, 0), np.full(n, 4)
        )
        # Section 6 there: a malformed AS4_PATH is discarded and the message goes on without it.
        segments = _merge_as4(segments, as4.take(~bad_as4[as4.owner]), n)
    return _paths_of(octets, segments, n), malformed


def _read_segments(octets: Octets, start: Rows, end: Rows, width: Rows) -> tuple[_Segments, NDArray[np.bool_]]:
    """The segments of `n` path attributes, and `bool[n]`, True where one is malformed by RFC 7606 section 7.2.

    Segments of a confederation are checked and left out: they mean nothing beyond it, and RFC 5065 section 6.1 has
    them removed where a route leaves it.
    """
    n = len(start)
    malformed = np.zeros(n, np.bool_)
    rounds: list[tuple[Rows, Rows]] = []
    owner = np.flatnonzero(start < end)
    at = start[owner]
    while len(owner):
        kind, count = octets.u8(at), octets.u8(at + 1)
        stop = at + 2 + count * width[owner]
        broken = (stop > end[owner]) | (kind < SegmentType.AS_SET) | (kind > SegmentType.AS_CONFED_SET) | (count == 0)
        malformed[owner[broken]] = True
        rounds.append((owner, at))
        go_on = (stop < end[owner]) & ~broken
        owner, at = owner[go_on], stop[go_on]
    owner, at = in_order(rounds, n)
    segments = _Segments(owner, octets.u8(at), at + 2, octets.u8(at + 1), width[owner])
    return segments.take((segments.kind <= SegmentType.AS_SEQUENCE) & ~malformed[owner]), malformed


def _merge_as4(paths: _Segments, as4: _Segments, n: int) -> _Segments:
    """The true paths of owners whose 2-octet AS_PATH came with an AS4_PATH (RFC 6793 section 4.2.3).

    AS4_PATH replaces the end of the path; the ASes that AS_PATH has more of stay in front. An AS4_PATH that counts
    more ASes than AS_PATH is ignored.
    """
    # An AS_SET counts as one AS (RFC 4271 section 9.1.2.2).
    weight = np.where(paths.kind == SegmentType.AS_SET, 1, paths.count)
    total = np.bincount(paths.owner, weight, n).astype(np.int64)
    as4_weight = np.where(as4.kind == SegmentType.AS_SET, 1, as4.count)
    as4_total = np.bincount(as4.owner, as4_weight, n).astype(np.int64)
    replaced = (as4_total > 0) & (as4_total <= total)
    lead = np.where(replaced, total - as4_total, total)
    ahead = np.cumsum(weight) - weight - (np.cumsum(total) - total)[paths.owner]
    kept = np.clip(lead[paths.owner] - ahead, 0, weight)
    count = np.where(paths.kind == SegmentType.AS_SET, np.where(kept > 0, paths.count, 0), kept)
    front = _Segments(paths.owner, paths.kind, paths.at, count, paths.width).take(count > 0)
    back = as4.take(replaced[as4.owner])
    both = _Segments(
        np.concatenate([front.owner, back.owner]),
        np.concatenate([front.kind, back.kind]),
        np.concatenate([front.at, back.at]),
        np.concatenate([front.count, back.count]),
        np.concatenate([front.width, back.width]),
    )
    return both.take(np.argsort(both.owner, kind="stable"))


def _paths_of(octets: Octets, segments: _Segments, n: int) -> AsPaths:
    """The paths of `n` owners out of their segments. The origin is the last AS, unless the path ends in an AS_SET."""
    ends = np.cumsum(segments.count)
    total = int(ends[-1]) if len(ends) else 0
    # An AS number is read as the four octets that end with it; of two octets the upper half is the neighbour's.
    last = segments.at + segments.width - 4
    step = np.arange(total) - np.repeat(ends - segments.count, segments.count)
    if (segments.width == 4).all():
        asns = octets.u32(np.repeat(last, segments.count) + 4 * step)
    else:
        width = np.repeat(segments.width, segments.count)
        asns = octets.u32(np.repeat(last, segments.count) + width * step) & np.where(
            width == 2, np.uint32(0xFFFF), np.uint32(0xFFFFFFFF)
        )
    in_set = np.repeat(segments.kind == SegmentType.AS_SET, segments.count)
    first = np.searchsorted(segments.owner, np.arange(n + 1))
    offsets = np.concatenate([np.zeros(1, np.int64), ends])[first]

    origin_kind = np.full(n, OriginKind.EMPTY, np.uint8)
    origin = np.zeros(n, np.uint32)
    with_path = np.flatnonzero(offsets[1:] > offsets[:-1])
    ends_in_set = in_set[offsets[with_path + 1] - 1]
    origin_kind[with_path] = np.where(ends_in_set, OriginKind.AS_SET, OriginKind.AS)
    origin[with_path] = np.where(ends_in_set, 0, asns[offsets[with_path + 1] - 1])
    return AsPaths(PathTable(asns, offsets, in_set), origin, origin_kind)
