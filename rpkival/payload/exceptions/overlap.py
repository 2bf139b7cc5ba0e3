"""RFC 8416 section 4.2: "the whole set MUST be rejected in case of any overlaps among the SLURM files."

Two files that speak of the same address, of router keys of the same AS, or of the ASPA of the same customer come from
people who may not know of each other; only one of them can have meant what would come out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from rpkival.errors import FormatError
from rpkival.prefixes import Family, Prefixes, format_prefix

__all__ = ["Claims", "check_overlaps"]


@dataclass(frozen=True, slots=True, eq=False)
class Claims:
    """What one file speaks of, in filters and assertions."""

    name: str
    ipv4: Prefixes
    ipv6: Prefixes
    router_asns: frozenset[int]
    customers: frozenset[int]

    def prefixes(self, family: Family) -> Prefixes:
        """Those of one family."""
        return self.ipv4 if family == 4 else self.ipv6


def check_overlaps(claims: Sequence[Claims]) -> None:
    """Raise `FormatError` that names two files and what they both speak of."""
    if len(claims) < 2:
        return
    _check_prefixes(claims, 4)
    _check_prefixes(claims, 6)
    _check_numbers(claims, lambda each: each.router_asns, "router keys of AS{}")
    _check_numbers(claims, lambda each: each.customers, "the ASPA of AS{}")


def _check_prefixes(claims: Sequence[Claims], family: Family) -> None:
    prefixes = Prefixes.concat([each.prefixes(family) for each in claims])
    files = np.repeat(np.arange(len(claims)), [len(each.prefixes(family)) for each in claims])
    order = prefixes.order()
    prefixes, files = prefixes.take(order), files[order]
    firsts, lengths = prefixes.integers(), prefixes.length.tolist()
    bits = 32 if family == 4 else 128
    # Prefixes nest or are disjoint: if any two of different files overlap, then so do one and the next around it.
    around: list[int] = []
    for row, (first, length) in enumerate(zip(firsts, lengths, strict=True)):
        while around and firsts[around[-1]] >> (bits - lengths[around[-1]]) != first >> (bits - lengths[around[-1]]):
            around.pop()
        if around and files[around[-1]] != files[row]:
            one, other = claims[int(files[around[-1]])].name, claims[int(files[row])].name
            raise _overlap(one, other, f"{format_prefix(prefixes, row)}")
        if not (around and lengths[around[-1]] == length):
            around.append(row)


def _check_numbers(claims: Sequence[Claims], of: Callable[[Claims], Iterable[int]], what: str) -> None:
    seen: dict[int, str] = {}
    for each in claims:
        numbers = set(of(each))
        if both := numbers & seen.keys():
            first = min(both)
            raise _overlap(seen[first], each.name, what.format(first))
        seen |= dict.fromkeys(numbers, each.name)


def _overlap(one: str, other: str, what: str) -> FormatError:
    return FormatError(
        f"{one} and {other} both speak of {what}, and no two SLURM files may overlap (RFC 8416 section 4.2); put what "
        "belongs together into one file."
    )
