"""What a stretch of records gave."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from feeds.mrt.as_path import AsPaths
from feeds.route_batch import Peer, RouteBatch
from rpkival.prefixes import Prefixes, Rows

__all__ = ["Decoded", "announced_batch"]


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """At most one batch a family. `malformed`: records that break their format and gave nothing, or not all;
    `unsupported`: records with routes of a family that is not decoded.
    """

    batches: tuple[RouteBatch, ...]
    malformed: int
    unsupported: int


def announced_batch(
    prefixes: Prefixes,
    paths: AsPaths,
    time: NDArray[np.float64],
    peer: Rows,
    path_id: NDArray[np.uint32],
    peers: tuple[Peer, ...],
    collector: str,
) -> RouteBatch:
    """A batch of announcements, of which each has its own path."""
    n = len(prefixes)
    return RouteBatch(
        prefixes,
        np.ones(n, np.bool_),
        paths.origin,
        paths.origin_kind,
        time,
        peer.astype(np.int32),
        np.arange(n, dtype=np.int32),
        path_id,
        peers,
        paths.table,
        collector,
    )
