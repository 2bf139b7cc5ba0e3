"""Columns of numbers out of a block of bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rpkival.prefixes import Rows

__all__ = ["Octets", "in_order"]

_PADDING = bytes(16)


class Octets:
    """A block of bytes, read at many offsets at once (`int64[n]`, not negative), in network byte order.

    Offsets come from lengths that the outside chose. Reading behind the end of the block gives some number and no
    error, so that a caller can read first and then drop, in one comparison, the rows that passed their end.
    """

    __slots__ = ("_last", "_u8", "_u16", "_u32", "_u64", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data
        padded = data + _PADDING
        self._last = len(data)
        self._u8 = _numbers(padded, "u1")
        self._u16 = _numbers(padded, ">u2")
        self._u32 = _numbers(padded, ">u4")
        self._u64 = _numbers(padded, ">u8")

    def __len__(self) -> int:
        return len(self.data)

    def u8(self, at: Rows) -> Rows:
        """One octet at each offset, as `int64[n]`: lengths, counts and types are for computing with."""
        return self._u8[np.minimum(at, self._last)].astype(np.int64)

    def u16(self, at: Rows) -> Rows:
        """Two octets at each offset, as `int64[n]`."""
        return self._u16[np.minimum(at, self._last)].astype(np.int64)

    def u32(self, at: Rows) -> NDArray[np.uint32]:
        """Four octets at each offset."""
        return self._u32[np.minimum(at, self._last)].astype(np.uint32)

    def u64(self, at: Rows) -> NDArray[np.uint64]:
        """Eight octets at each offset."""
        return self._u64[np.minimum(at, self._last)].astype(np.uint64)


def in_order(rounds: list[tuple[Rows, Rows]], n: int) -> tuple[Rows, Rows]:
    """What was gathered in rounds, owner by owner: `(owner, value)`, sorted by owner, an owner's values in round order.

    Each round is `(owner, value)`, both `int64`, with an owner at most once; an owner that misses a round is not in a
    later one. Owners are `0..n-1`.
    """
    if not rounds:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    if len(rounds) == 1:
        return rounds[0]
    counts = np.zeros(n, np.int64)
    for owner, _ in rounds:
        counts[owner] += 1
    first = np.cumsum(counts) - counts
    values = np.empty(int(counts.sum()), np.int64)
    for step, (owner, value) in enumerate(rounds):
        values[first[owner] + step] = value
    return np.repeat(np.arange(n), counts), values


def _numbers(padded: bytes, dtype: str) -> NDArray[Any]:
    """A view with one number for every offset: the numbers overlap, which is what lets one gather read any of them."""
    return np.ndarray((len(padded) - np.dtype(dtype).itemsize + 1,), dtype, padded, strides=(1,))
