"""What at least so many of several independent voters say, and who disagrees about what.

A validator that is broken, behind or broken into says something else than the others; what only it says is not
believed, and what only it does not say is not lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rpkival.payload.payload import Aspa, Payload, RouterKey
from rpkival.payload.vrps import VrpColumns, Vrps, first_of_each
from rpkival.prefixes import Family

__all__ = ["Agreement", "Dissent", "agree"]


@dataclass(frozen=True, slots=True)
class Dissent:
    """How a voter differs from what was agreed: `extra` is what only it and too few say, `missing` the reverse."""

    extra: Payload
    missing: Payload

    def __len__(self) -> int:
        return len(self.extra) + len(self.missing)


@dataclass(frozen=True, slots=True)
class Agreement:
    """`payload` is sorted and unique; `dissents` are in the order of the voters."""

    payload: Payload
    dissents: tuple[Dissent, ...]


def agree(voters: Sequence[Payload], quorum: int) -> Agreement:
    """What at least `quorum` of the voters say (each sorted and unique; at least one, at most 64).

    A VRP is what RFC 6811 makes it, a router key its AS and key; an ASPA counts with all its providers, for half of two
    lists is nobody's word. Where a quorum is no majority, two lists may have one each: then their union counts. Each
    holds for as long as `quorum` voters say it does.
    """
    assert 0 < quorum <= len(voters) <= 64
    whole = Vrps.concat([voter.vrps for voter in voters])
    agreed4, dissents4 = _vote(4, whole, voters, quorum)
    agreed6, dissents6 = _vote(6, whole, voters, quorum)
    aspas = _agreed([voter.aspas for voter in voters], quorum)
    keys = _agreed_keys([voter.router_keys for voter in voters], quorum)
    payload = Payload(replace(whole, ipv4=agreed4, ipv6=agreed6), aspas, keys).unique_sorted()
    dissents = []
    for voter, (extra4, missing4), (extra6, missing6) in zip(voters, dissents4, dissents6, strict=True):
        extra = replace(whole, ipv4=extra4, ipv6=extra6)
        missing = replace(whole, ipv4=missing4, ipv6=missing6)
        own_aspas, own_keys = {_said(aspa) for aspa in voter.aspas}, {key.identity for key in voter.router_keys}
        dissents.append(
            Dissent(
                Payload(
                    extra,
                    tuple(aspa for aspa in voter.aspas if _said(aspa) not in {_said(each) for each in aspas}),
                    tuple(key for key in voter.router_keys if key.identity not in {each.identity for each in keys}),
                ),
                Payload(
                    missing,
                    tuple(aspa for aspa in aspas if _said(aspa) not in own_aspas),
                    tuple(key for key in keys if key.identity not in own_keys),
                ),
            )
        )
    return Agreement(payload, tuple(dissents))


def _vote(
    family: Family, whole: Vrps, voters: Sequence[Payload], quorum: int
) -> tuple[VrpColumns, list[tuple[VrpColumns, VrpColumns]]]:
    """What is agreed of one family, and for each voter what it says too much and too little."""
    columns = whole.family(family)
    voter = np.repeat(np.arange(len(voters), dtype=np.uint64), [len(each.vrps.family(family)) for each in voters])
    # An unknown end is the latest: nothing says that it ends.
    ends = np.where(columns.expires == 0, np.iinfo(np.int64).max, columns.expires)
    rows = columns.prefixes.order(columns.max_length, columns.asn, -ends)
    ordered, voter = columns.take(rows), voter[rows]
    if not len(ordered):
        return ordered, [(ordered, ordered)] * len(voters)
    starts = np.flatnonzero(first_of_each(ordered.key()))
    counts = np.diff(np.append(starts, len(ordered)))
    said_by = np.bitwise_or.reduceat(np.uint64(1) << voter, starts)
    is_agreed = counts >= quorum
    # Latest end first: the row of the last voter that is needed holds for as long as a quorum does.
    agreed = ordered.take(starts[is_agreed] + quorum - 1)
    lone = ordered.take(starts[~is_agreed])
    return agreed, [
        (lone.take(_has(said_by[~is_agreed], number)), agreed.take(~_has(said_by[is_agreed], number)))
        for number in range(len(voters))
    ]


def _has(said_by: NDArray[np.uint64], voter: int) -> NDArray[np.bool_]:
    return np.asarray(said_by >> np.uint64(voter) & np.uint64(1), np.bool_)


def _said(aspa: Aspa) -> tuple[int, tuple[int, ...]]:
    return aspa.customer, aspa.providers


def _agreed(voters: Sequence[Sequence[Aspa]], quorum: int) -> tuple[Aspa, ...]:
    votes = Counter(_said(aspa) for voter in voters for aspa in voter)
    found = {_said(aspa): aspa for voter in reversed(voters) for aspa in voter if votes[_said(aspa)] >= quorum}
    return tuple(found[key] for key in sorted(found))


def _agreed_keys(voters: Sequence[Sequence[RouterKey]], quorum: int) -> tuple[RouterKey, ...]:
    votes = Counter(key.identity for voter in voters for key in voter)
    found = {key.identity: key for voter in reversed(voters) for key in voter if votes[key.identity] >= quorum}
    return tuple(found[identity] for identity in sorted(found))
