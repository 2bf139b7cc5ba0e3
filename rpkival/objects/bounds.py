"""Sizes, numbers and octets of objects, which may be anything until somebody looks."""

from __future__ import annotations

from rpkival.errors import LimitError, ObjectError
from rpkival.limits import MAX_NUMBER_OCTETS

__all__ = ["check_number", "check_size", "shown", "shown_octets"]

_LONGEST_SHOWN = 2**64
_MOST_OCTETS_SHOWN = 8


def check_size(data: bytes, limit: int, what: str) -> None:
    """Raise `LimitError` where there is more than `limit` octets; before decoding, which takes many times as much."""
    if len(data) > limit:
        raise LimitError(f"The {what} has {len(data)} octets; {limit} are allowed.")


def check_number(number: int, smallest: int, section: str, what: str) -> None:
    """Raise `ObjectError` unless the number is at least `smallest` and fits in 20 octets of a DER INTEGER."""
    if not smallest <= number < 1 << (8 * MAX_NUMBER_OCTETS - 1):
        raise ObjectError(section, f"The {what} is negative, zero where it must not be, or longer than 20 octets.")


def shown(number: int) -> str:
    """A number in a sentence. Of a huge one only the size: Python refuses to write numbers of 4,300 digits."""
    return str(number) if abs(number) < _LONGEST_SHOWN else f"(a number of {number.bit_length()} bits)"


def shown_octets(octets: bytes) -> str:
    """Octets in a sentence, as hex; of many only the first."""
    return octets[:_MOST_OCTETS_SHOWN].hex() + ("..." if len(octets) > _MOST_OCTETS_SHOWN else "")
