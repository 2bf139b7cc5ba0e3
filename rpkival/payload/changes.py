"""What changed between two VRP sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rpkival.payload.vrps import VrpColumns, Vrps

__all__ = ["Changes", "apply", "diff"]


@dataclass(frozen=True, slots=True)
class Changes:
    """`announced`: VRPs that are new. `withdrawn`: VRPs that are gone. Both are sorted and unique."""

    announced: Vrps
    withdrawn: Vrps

    def __len__(self) -> int:
        return len(self.announced) + len(self.withdrawn)


def diff(old: Vrps, new: Vrps) -> Changes:
    """What turns `old` into `new`.

    A VRP is prefix, max_length and ASN (RFC 6811 section 2): another expiry, trust anchor or source is no change.
    """
    gone4, come4 = _difference(old.ipv4, new.ipv4)
    gone6, come6 = _difference(old.ipv6, new.ipv6)
    return Changes(replace(new, ipv4=come4, ipv6=come6), replace(old, ipv4=gone4, ipv6=gone6))


def apply(changes: Changes, old: Vrps) -> Vrps:
    """`old` with `changes` made, sorted and unique: the VRPs that `diff` was given as `new`."""
    kept = diff(changes.withdrawn, old).announced
    return Vrps.concat([kept, changes.announced]).unique_sorted()


def _difference(old: VrpColumns, new: VrpColumns) -> tuple[VrpColumns, VrpColumns]:
    """Rows only in `old`, rows only in `new`: sort both together, and whoever has no equal neighbour stands alone."""
    old, new = old.unique_sorted(), new.unique_sorted()
    key = tuple(np.concatenate(columns) for columns in zip(old.key(), new.key(), strict=True))
    order = np.lexsort(key[::-1])
    alone = ~_has_twin([column[order] for column in key])
    rows = np.sort(order[alone])
    return old.take(rows[rows < len(old)]), new.take(rows[rows >= len(old)] - len(old))


def _has_twin(columns: Sequence[NDArray[Any]]) -> NDArray[np.bool_]:
    """`bool[n]`: True where the row before or behind is equal in all (sorted) columns."""
    n = len(columns[0])
    same = np.ones(max(n - 1, 0), np.bool_)
    for column in columns:
        same &= column[1:] == column[:-1]
    twin = np.zeros(n, np.bool_)
    twin[1:] |= same
    twin[:-1] |= same
    return twin
