"""From one manifest of a CA to the next, by their numbers (RFC 9286 section 4.2.1)."""

from __future__ import annotations

from rpkival.errors import ObjectError
from rpkival.objects.place import Accepted
from rpkival.objects.times import format_time

__all__ = ["leaves_gap", "rollback"]


def rollback(last: Accepted, new: Accepted) -> ObjectError | None:
    """Why a manifest must not follow the one that was accepted last, if so."""
    if new.sha256 == last.sha256 or (new.number > last.number and new.this_update >= last.this_update):
        return None
    sentence = (
        f"The manifest has number {new.number} of {format_time(new.this_update)}; number {last.number} of "
        f"{format_time(last.this_update)} was accepted before, so this one is a replay or a mistake."
    )
    return ObjectError("RFC 9286 section 4.2.1", sentence)


def leaves_gap(last: Accepted, new: Accepted) -> bool:
    """Whether there are numbers between the two, "incremented by one for each new manifest": versions not seen here."""
    return new.number > last.number + 1
