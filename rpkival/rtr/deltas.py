"""Arithmetic of changes: deltas in a row as one, and a delta put onto a set.

RFC 8210 section 5.3 wants "the minimum set of changes": what was announced and withdrawn again is not mentioned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rpkival.payload.changes import Changes, diff
from rpkival.payload.vrps import VrpColumns, Vrps, first_of_each
from rpkival.rtr.errors import DuplicateAnnouncementError, UnknownWithdrawalError

__all__ = ["apply_strictly", "merge"]


def merge(deltas: Sequence[Changes]) -> Changes:
    """The one delta that does what `deltas` (at least one) do in a row; what cancels out is gone.

    One stable sort brings all that happened to a VRP together in its order, and the ends decide: what was first
    announced was not there before, what was last announced is there now.
    """
    parts = [vrps for delta in deltas for vrps in (delta.announced, delta.withdrawn)]
    rows = Vrps.concat(parts)
    announced4, withdrawn4 = _net(rows.ipv4, [len(vrps.ipv4) for vrps in parts])
    announced6, withdrawn6 = _net(rows.ipv6, [len(vrps.ipv6) for vrps in parts])
    return Changes(
        announced=replace(rows, ipv4=announced4, ipv6=announced6),
        withdrawn=replace(rows, ipv4=withdrawn4, ipv6=withdrawn6),
    )


def _net(rows: VrpColumns, lengths: Sequence[int]) -> tuple[VrpColumns, VrpColumns]:
    """The VRPs that came and those that went, of `rows` that are by turns announced and withdrawn parts."""
    announces = np.repeat(np.arange(len(lengths)) % 2 == 0, lengths)
    order = rows.prefixes.order(rows.max_length, rows.asn)
    ordered, announces = rows.take(order), announces[order]
    first = first_of_each(ordered.key())
    last = np.append(first[1:], True)[: len(first)]
    came, is_there = announces[first], announces[last]
    ends = ordered.take(last)
    return ends.take(came & is_there), ends.take(~came & ~is_there)


def apply_strictly(vrps: Vrps, changes: Changes) -> Vrps:
    """The set after the changes. `vrps` is sorted and unique.

    Raises `UnknownWithdrawalError` and `DuplicateAnnouncementError` as RFC 8210 section 12 has a router do.
    """
    withdrawal = diff(vrps, changes.withdrawn)
    if len(withdrawal.announced):
        raise UnknownWithdrawalError(f"{_first(withdrawal.announced)} is withdrawn but was never announced.")
    rest = withdrawal.withdrawn
    fresh = diff(rest, changes.announced).announced
    if len(fresh) != len(changes.announced):
        known = diff(fresh, changes.announced).announced
        raise DuplicateAnnouncementError(f"{_first(known)} is announced but was already there.")
    return Vrps.concat([rest, fresh]).unique_sorted()


def _first(vrps: Vrps) -> str:
    vrp = next(iter(vrps))
    return f"{vrp.prefix}-{vrp.max_length} AS{vrp.asn}"
