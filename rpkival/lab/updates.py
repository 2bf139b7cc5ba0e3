"""From one table to the next: the UPDATEs that tell a neighbour what changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

from feeds.bgp_update import Reach, Update
from rpkival.lab.topology import Address, Network
from rpkival.prefixes import Family

__all__ = ["NextHops", "Paths", "updates_between"]

Paths: TypeAlias = Mapping[Network, tuple[int, ...]]
"""What an AS tells a neighbour: for each prefix the AS_PATH, its own number first."""

NextHops: TypeAlias = Mapping[Family, Address]

_PREFIXES_AN_UPDATE: Final = 100
"""Of 17 octets at most; with a path of 255 ASes they still fit the 4096 octets of a message."""


def updates_between(before: Paths, after: Paths, next_hops: NextHops) -> Iterator[Update]:
    """Withdrawals first, then what is new or came another way; one family and one path an UPDATE.

    `next_hops` also names the families that the neighbour wants; of others nothing is told.
    """
    for family, next_hop in next_hops.items():
        gone = [prefix for prefix in before if prefix.version == family and prefix not in after]
        for some in _portions(gone):
            yield Update(withdrawn=some)
        by_path: dict[tuple[int, ...], list[Network]] = {}
        for prefix, path in after.items():
            if prefix.version == family and before.get(prefix) != path:
                by_path.setdefault(path, []).append(prefix)
        for path, prefixes in by_path.items():
            for some in _portions(prefixes):
                yield Update((Reach((next_hop,), some),), as_path=path)


def _portions(prefixes: list[Network]) -> Iterator[tuple[Network, ...]]:
    for at in range(0, len(prefixes), _PREFIXES_AN_UPDATE):
        yield tuple(prefixes[at : at + _PREFIXES_AN_UPDATE])
