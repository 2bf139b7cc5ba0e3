"""Paths that end in an AS_SET: who is accused of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from feeds.route_batch import OriginKind, PathTable, RouteBatch
from rpkival.limits import MAX_SET_ORIGINS
from rpkival.monitor.detectors import kinds_of
from rpkival.monitor.expectations import Expectations
from rpkival.monitor.judgement import Classifier, judge

__all__ = ["with_set_origins"]


def with_set_origins(batch: RouteBatch, expectations: Expectations, index: Classifier) -> RouteBatch:
    """`batch` with an origin for each route inside an own prefix that ends in an AS_SET: the first charged member,
    a stranger before one of us, whom a hijacker may have put beside itself.

    RFC 6811 section 2 calls that origin NONE and never finds it valid, but routers that do not drop such a route follow
    it all the same. A set of which no member would be charged counts as its first one.
    """
    sets = np.flatnonzero(batch.announced & (batch.origin_kind == OriginKind.AS_SET))
    sets = sets[expectations.cover(batch.prefixes.family).inside(batch.prefixes.take(sets))[0]]
    members = [_members(batch.paths, row) for row in batch.path[sets].tolist()]
    rows = np.repeat(sets, [len(asns) for asns in members])
    if not len(rows):
        return batch
    suspects = np.array([asn for asns in members for asn in asns], np.uint32)
    judgement = judge(batch.prefixes.take(rows), suspects, np.ones(len(rows), np.bool_), expectations, index)
    charged = kinds_of(judgement) > 0
    choices = np.arange(len(rows)), judgement.rows[charged], judgement.rows[charged & ~judgement.expected]
    origin, kind = batch.origin.copy(), batch.origin_kind.copy()
    kind[rows] = OriginKind.AS
    # Of rows that repeat, numpy keeps the last value: so the first member of a choice is written last.
    for chosen in choices:
        origin[rows[chosen[::-1]]] = suspects[chosen[::-1]]
    return replace(batch, origin=origin, origin_kind=kind)


def _members(paths: PathTable, row: int) -> list[int]:
    """The distinct ASes of the set at the end of a path, in order, as many as are judged."""
    begin, end = int(paths.offsets[row]), int(paths.offsets[row + 1])
    outside = np.flatnonzero(~paths.in_set[begin:end])
    start = begin + int(outside[-1]) + 1 if len(outside) else begin
    return list(dict.fromkeys(paths.asns[start:end].tolist()))[:MAX_SET_ORIGINS]
