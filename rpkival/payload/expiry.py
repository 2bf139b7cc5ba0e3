"""What may still be served of a set of VRPs: what has not expired, and what a trust anchor that is out of reach had."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rpkival.payload.vrps import VrpColumns, Vrps

__all__ = ["of_trust_anchors", "unexpired"]


def unexpired(vrps: Vrps, now: float) -> Vrps:
    """Those whose chain of signatures still holds at `now` (unix seconds), and those that do not say how long."""
    return _chosen(vrps, lambda columns: (columns.expires == 0) | (columns.expires > now))


def of_trust_anchors(vrps: Vrps, names: Collection[str]) -> Vrps:
    """Those of the trust anchors with these names."""
    rows = np.array([row for row, name in enumerate(vrps.trust_anchors) if name in names], np.uint16)
    return _chosen(vrps, lambda columns: np.isin(columns.trust_anchor, rows))


def _chosen(vrps: Vrps, choose: Callable[[VrpColumns], NDArray[np.bool_]]) -> Vrps:
    ipv4, ipv6 = choose(vrps.ipv4), choose(vrps.ipv6)
    if ipv4.all() and ipv6.all():
        return vrps
    return replace(vrps, ipv4=vrps.ipv4.take(ipv4), ipv6=vrps.ipv6.take(ipv6))
