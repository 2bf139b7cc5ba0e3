"""Arithmetic of changes: two deltas in a row as one, and a delta put onto a set.

RFC 8210 section 5.3 wants "the minimum set of changes": what was announced and withdrawn again is not mentioned.
"""

from __future__ import annotations

from rpkival.payload.changes import Changes, diff
from rpkival.payload.vrps import Vrps
from rpkival.rtr.errors import DuplicateAnnouncementError, UnknownWithdrawalError

__all__ = ["apply_strictly", "merge"]


def merge(first: Changes, then: Changes) -> Changes:
    """The one delta that does what `first` and then `then` do; what cancels out is gone."""
    # diff(old, new) is new without old and old without new: set subtraction both ways.
    came_and_went = diff(first.announced, then.withdrawn)
    went_and_came = diff(first.withdrawn, then.announced)
    return Changes(
        announced=Vrps.concat([came_and_went.withdrawn, went_and_came.announced]).unique_sorted(),
        withdrawn=Vrps.concat([came_and_went.announced, went_and_came.withdrawn]).unique_sorted(),
    )


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
