"""Runs of encoded prefixes (RFC 4271 section 4.3, RFC 7911 section 3) as columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from feeds.mrt.octets import Octets, in_order
from rpkival.prefixes import ADDRESS_BITS, Family, Prefixes, Rows

__all__ = ["Nlri", "hidden_path_ids", "prefixes_at", "read_nlri"]


@dataclass(frozen=True, slots=True, eq=False)
class Nlri:
    """`m` prefixes of `n` runs, sorted by run and in the order in which they stand there.

    `run`: `int64[m]`, 0 to n - 1. `path_id`: `uint32[m]`, 0 where the run has none. `malformed`: `bool[n]`, True for a
    run with a length beyond the family's or a prefix that passes the end; what it held up to there is in the columns.
    """

    run: Rows
    prefixes: Prefixes
    path_id: NDArray[np.uint32]
    malformed: NDArray[np.bool_]


def read_nlri(octets: Octets, family: Family, start: Rows, end: Rows, with_path_id: NDArray[np.bool_]) -> Nlri:
    """The prefixes of `n` runs of one family, which stand at `start` to `end` (`int64[n]`)."""
    n = len(start)
    id_bytes = 4 * with_path_id.astype(np.int64)
    malformed = np.zeros(n, np.bool_)
    rounds: list[tuple[Rows, Rows]] = []
    run = np.flatnonzero(start < end)
    at = start[run] + id_bytes[run]
    until = end[run]
    while len(run):
        length = octets.u8(at)
        stop = at + 1 + ((length + 7) >> 3)
        fine = (stop <= until) & (length <= ADDRESS_BITS[family])
        if not fine.all():
            malformed[run[~fine]] = True
            run, at, stop, until = run[fine], at[fine], stop[fine], until[fine]
        rounds.append((run, at))
        more = stop < until
        run, until = run[more], until[more]
        at = stop[more] + id_bytes[run]
    run, at = in_order(rounds, n)
    path_id = np.zeros(len(run), np.uint32)
    if with_path_id.any():
        identified = with_path_id[run]
        path_id[identified] = octets.u32(at[identified] - 4)
    return Nlri(run, prefixes_at(octets, family, at), path_id, malformed)


def hidden_path_ids(octets: Octets, nlri: Nlri, start: Rows, end: Rows) -> Rows:
    """The runs with path identifiers that their record denies, out of runs that were read without.

    Collectors that keep sessions of RFC 7911 and write the subtypes of RFC 6396 leave such files. Identifiers are small
    numbers, so their zeros read as default routes. A run that has more than one, or cannot be read at all, and that
    reads well with identifiers, has them: no honest run has a prefix twice.
    """
    defaults = np.bincount(nlri.run[nlri.prefixes.length == 0], minlength=len(start))
    suspects = np.flatnonzero(nlri.malformed | (defaults > 1))
    if not len(suspects):
        return suspects
    family = nlri.prefixes.family
    again = read_nlri(octets, family, start[suspects], end[suspects], np.ones(len(suspects), np.bool_))
    defaults = np.bincount(again.run[again.prefixes.length == 0], minlength=len(suspects))
    return suspects[~again.malformed & (defaults <= 1)]


def prefixes_at(octets: Octets, family: Family, at: Rows) -> Prefixes:
    """The encoded prefixes at these offsets; their lengths must have been checked."""
    length = octets.u8(at).astype(np.uint8)
    words = (octets.u32(at + 1),) if family == 4 else (octets.u64(at + 1), octets.u64(at + 9))
    # "The value of trailing bits is irrelevant" (RFC 4271 section 4.3), and behind the last octet stands what follows.
    return Prefixes(words, length).masked()
