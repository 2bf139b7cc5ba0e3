"""All that a trust anchor led to, in columns: a row a CA, then those of all CAs below it, so that a branch is a slice.

What a run has found of a branch stands in the next one as it is, where nothing of the branch has changed.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rpkival.objects.place import Place
from rpkival.objects.record import Record
from rpkival.objects.resources import Resources
from rpkival.objects.trust_anchor_key import TakContent
from rpkival.validation.issuer import Issuer
from rpkival.validation.lifetime import CHAIN, chains_under, lifetimes_under
from rpkival.validation.publication_point import PublicationPoint
from rpkival.validation.report import Counts, Rejection, ValidatedAspa, ValidatedRouterKey
from rpkival.validation.roas import IPV4_FIELDS, IPV6_FIELDS, ROA_FIELDS, RoaTable

__all__ = ["GOOD", "ROW", "Branch", "Leaves", "RepositoryKey", "Rest", "Tree", "sums_before"]

_COUNTS: Final = tuple(each.name for each in fields(Counts))
GOOD: Final = _COUNTS.index("publication_points_valid")
"""Where in the counts of a row it says whether the CA's publication point is valid."""
_numbers = attrgetter(*_COUNTS)
_ROA: Final = np.dtype(list(ROA_FIELDS))
RepositoryKey = tuple[str, str]
"""The URI of a repository's notification file, "" where there is none, and of the rsync module."""

ROW: Final = np.dtype(
    [
        ("identity", "V32"),
        ("decisive", "V32"),
        ("key", "V32"),
        ("manifest", "V32"),
        ("signed", CHAIN),  # as `Issuer.signed`
        ("size", "<u4"),  # of the branch, this row among them
        ("above", "<u4"),  # how far up the row of the issuer is
        ("repository", "<u4"),  # its place in `Tree.sources`
        ("steady", "?"),  # whether the same manifest will come to the same
        ("point", CHAIN),  # as `PublicationPoint.chain`
        ("valid_from", "<i8"),
        ("valid_until", "<i8"),
        ("roas", "<u4"),
        ("ipv4", "<u4"),
        ("ipv6", "<u4"),
        ("rejections", "<u4"),
        ("lost", "<u4"),  # address ranges
        ("counts", "<u4", len(_COUNTS)),
    ]
)
"""What a tree has of a CA in numbers."""
_ROA_OCTETS: Final = _ROA.itemsize
_IPV4_OCTETS: Final = np.dtype(list(IPV4_FIELDS)).itemsize
_IPV6_OCTETS: Final = np.dtype(list(IPV6_FIELDS)).itemsize


@dataclass(frozen=True, slots=True)
class Rest(Record):
    """What few publication points have."""

    aspas: tuple[ValidatedAspa, ...]
    router_keys: tuple[ValidatedRouterKey, ...]
    anchor_keys: tuple[TakContent, ...]
    rejections: tuple[Rejection, ...]
    unlisted: int
    """How many rejections more there were."""
    lost: Resources | None
    """What addresses the CA holds, where nothing of it can be used."""


@dataclass(frozen=True, slots=True, eq=False)
class Tree(Record):
    """The columns. Sequences have an item a row; the ROAs and their prefixes are as in `RoaBlock`, row after row."""

    trust_anchor: str
    sources: list[RepositoryKey]
    rows: NDArray[np.void]
    repositories: list[str]
    manifests: list[str]
    names: list[str]
    rests: list[bytes]
    roas: bytes
    ipv4: bytes
    ipv6: bytes

    def __len__(self) -> int:
        return len(self.rows)

    def doubt(self, accepted: Mapping[bytes, bytes]) -> None:
        """Have those CAs looked at again (by the key of their place) of which another manifest was accepted last."""
        for row, key in enumerate(self.rows["key"].tolist()):
            if key in accepted and self.rows["manifest"][row].tobytes() != accepted[key]:
                self.rows["steady"][row] = False

    def place(self, row: int) -> Place:
        """Where the CA publishes."""
        key = self.rows["key"][row].tobytes()
        notify, _ = self.sources[self.rows["repository"][row]]
        return Place(self.repositories[row], self.manifests[row], notify, key)

    @property
    def begins(self) -> tuple[list[int], ...]:
        """Where in `roas`, `ipv4` and `ipv6` each row begins, in octets, and last their lengths."""
        sizes = {"roas": _ROA_OCTETS, "ipv4": _IPV4_OCTETS, "ipv6": _IPV6_OCTETS}
        return tuple(sums_before(self.rows[name].astype(np.int64) * size) for name, size in sizes.items())

    @property
    def octets(self) -> int:
        """How large it is, by and large."""
        texts = (self.repositories, self.manifests, self.names, self.rests)
        blobs = (self.roas, self.ipv4, self.ipv6)
        return self.rows.nbytes + sum(map(len, blobs)) + sum(sum(map(len, text)) for text in texts)

    @property
    def in_use(self) -> Iterator[tuple[RepositoryKey, NDArray[np.int64]]]:
        """Each repository with its rows."""
        order = np.argsort(self.rows["repository"], kind="stable")
        ends = np.cumsum(np.bincount(self.rows["repository"], minlength=len(self.sources)))
        for source, rows in zip(self.sources, np.split(order, ends)[:-1], strict=True):
            if len(rows):
                yield source, rows

    @property
    def counts(self) -> dict[str, Counts]:
        """By the URI of the repository, as `Place.source` has it."""
        parts: dict[str, list[Counts]] = {}
        for key, rows in self.in_use:
            numbers = self.rows["counts"][rows].sum(axis=0, dtype=np.int64).tolist()
            parts.setdefault(_server(key), []).append(Counts(*numbers))
        return {source: Counts.sum(each) for source, each in parts.items()}

    @property
    def chains(self) -> NDArray[np.void]:
        """Down to each CA's publication point: `CHAIN`, one a row."""
        chains = chains_under(self.rows["signed"], self.rows["point"])
        above = np.arange(len(self)) - self.rows["above"]
        while True:
            # What is known of a chain reaches twice as far up each time.
            chains = chains_under(chains, chains[above])
            if not above.any():
                return chains
            above = above[above]

    def roa_table(self, chains: NDArray[np.void]) -> RoaTable:
        """All ROAs, each at the end of the chain of its row."""
        lifetimes = lifetimes_under(np.frombuffer(self.roas, _ROA), np.repeat(chains, self.rows["roas"]))
        return RoaTable(
            self.trust_anchor,
            tuple(self.repositories),
            tuple(self.names),
            lifetimes.tobytes(),
            self.roas,
            self.ipv4,
            self.ipv6,
            tuple(map(_server, self.sources)),
            np.repeat(self.rows["repository"], self.rows["roas"]).tobytes(),
        )

    def server(self, row: int) -> str:
        """The URI of the repository that serves the CA, as `Place.source` has it."""
        return _server(self.sources[self.rows["repository"][row]])

    @property
    def rest(self) -> Iterator[tuple[int, Rest]]:
        """That of each row which has any, as its publication point has it."""
        for row, record in enumerate(self.rests):
            if record:
                yield row, pickle.loads(record)  # noqa: S301 - we wrote it


def sums_before(column: NDArray[np.integer[Any]]) -> list[int]:
    """For each row, and for the end, of all rows before it; so what is in a branch is a difference of two."""
    return [0, *np.cumsum(column, dtype=np.int64).tolist()]


def _server(key: RepositoryKey) -> str:
    notify, module = key
    return notify or module


@dataclass(frozen=True, slots=True)
class Branch:
    """A CA of a tree with all below it: so many rows from that one on."""

    tree: Tree
    row: int
    size: int
    vrps: int
    """Of all its ROAs together."""
    rejections: int
    """How many it has records of."""
    lost: int
    """How many ranges of addresses its CAs hold of which nothing can be used."""

    @property
    def decisive(self) -> set[bytes]:
        """`Issuer.decisive` of all CAs below the first."""
        return set(self.tree.rows["decisive"][self.row + 1 : self.row + self.size].tolist())


@dataclass(frozen=True, slots=True)
class Leaves:
    """What one CA published came to, as far as a tree has it. `steady`: the same manifest would come to the same."""

    steady: bool
    rejections: int
    lost: int
    numbers: tuple[Any, ...]
    names: str
    roas: bytes
    ipv4: bytes
    ipv6: bytes
    rest: bytes

    @classmethod
    def of(cls, issuer: Issuer, point: PublicationPoint, *, steady: bool, room: int, lost_room: int) -> Leaves:
        """Of a CA's judged point; there is room for so many of its rejections, and so many ranges that are lost."""
        block = point.roas
        listed = point.rejections[:room]
        unlisted = len(point.rejections) - len(listed)
        four, six = len(block.ipv4) // _IPV4_OCTETS, len(block.ipv6) // _IPV6_OCTETS
        times = (point.chain, point.valid_from, point.valid_until)
        held = issuer.resources
        ranges = 0 if point.accepted is not None else len(held.ipv4) + len(held.ipv6)
        lost = Resources(held.ipv4, held.ipv6) if 0 < ranges <= lost_room else None
        noted = 0 if lost is None else ranges
        numbers = (*times, len(block), four, six, len(listed), noted, _numbers(point.counts))
        rest = b""
        if point.aspas or point.router_keys or point.anchor_keys or point.rejections or lost is not None:
            found = Rest(point.aspas, point.router_keys, point.anchor_keys, listed, unlisted, lost)
            rest = pickle.dumps(found, pickle.HIGHEST_PROTOCOL)
        return cls(
            steady and not unlisted and noted == ranges,
            len(listed),
            noted,
            numbers,
            block.names,
            block.heads,
            block.ipv4,
            block.ipv6,
            rest,
        )
