"""Validated ROAs, packed: a registry has three hundred thousand of them, too many for an object each.

A packed ROA is what is in columns later: numbers of fixed sizes, side by side in one string of octets a kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Final, overload

from rpkival.objects.record import Record
from rpkival.objects.roa import RoaContent, RoaPrefix
from rpkival.validation.lifetime import Lifetime

__all__ = [
    "IPV4_FIELDS",
    "IPV6_FIELDS",
    "ROA_FIELDS",
    "RoaBlock",
    "RoaPacker",
    "RoaTable",
    "ValidatedRoa",
    "ValidatedRoas",
]

ROA_FIELDS: Final = (
    ("asn", "<u4"),
    ("not_before", "<i8"),
    ("not_after", "<i8"),
    ("ipv4", "<u4"),
    ("ipv6", "<u4"),
    ("sha256", "V32"),
)
"""A ROA in `heads`, as numpy names types: the times are its certificate's, `ipv4` and `ipv6` count its prefixes."""
IPV4_FIELDS: Final = (("address", "<u4"), ("length", "u1"), ("max_length", "u1"))
"""A prefix in `ipv4`."""
IPV6_FIELDS: Final = (("high", "<u8"), ("low", "<u8"), ("length", "u1"), ("max_length", "u1"))
"""A prefix in `ipv6`."""

_ROA: Final = Struct("<IqqII32s")
_LIFETIME: Final = Struct("<5q")
_IPV4: Final = Struct("<IBB")
_IPV6: Final = Struct("<QQBB")
_LOW: Final = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class ValidatedRoa:
    """One ROA that may be used."""

    uri: str
    sha256: str
    trust_anchor: str
    asn: int
    ipv4: tuple[RoaPrefix, ...]
    ipv6: tuple[RoaPrefix, ...]
    lifetime: Lifetime

    @property
    def expires(self) -> int:
        """When the first signature of its chain ends, in unix seconds."""
        return self.lifetime.expires


@dataclass(frozen=True, slots=True)
class RoaBlock(Record):
    """The valid ROAs of one publication point. `names` are their files', a line each.

    They hold as long as they say here, and the chain above does, which the block does not know.
    """

    names: str
    heads: bytes
    ipv4: bytes
    ipv6: bytes

    def __len__(self) -> int:
        return len(self.heads) // _ROA.size


class RoaPacker:
    """Makes a block, ROA by ROA."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._heads = bytearray()
        self._ipv4 = bytearray()
        self._ipv6 = bytearray()
        self.vrps = 0

    def add(self, name: str, sha256: bytes, content: RoaContent, not_before: int, not_after: int) -> None:
        """One more: its file's name, which is that of a manifest entry, digest, content and its certificate's times."""
        self._names.append(name)
        self._heads += _ROA.pack(content.asn, not_before, not_after, len(content.ipv4), len(content.ipv6), sha256)
        for prefix in content.ipv4:
            self._ipv4 += _IPV4.pack(*prefix)
        for address, length, max_length in content.ipv6:
            self._ipv6 += _IPV6.pack(address >> 64, address & _LOW, length, max_length)
        self.vrps += len(content.ipv4) + len(content.ipv6)

    def block(self) -> RoaBlock:
        """All so far."""
        return RoaBlock("\n".join(self._names), bytes(self._heads), bytes(self._ipv4), bytes(self._ipv6))


@dataclass(frozen=True, slots=True)
class RoaTable:
    """The valid ROAs of one tree, point by point; `names` and `repositories` have an item a point.

    `heads`, `ipv4` and `ipv6` are as in a block; `lifetimes` has a `LIFETIME` a ROA, which knows of the chain above.
    `servers` are the URIs of repositories, and `served_by` has the place there of that which serves it for each ROA,
    four octets each (little-endian).
    """

    trust_anchor: str
    repositories: Sequence[str]
    names: Sequence[str]
    lifetimes: bytes
    heads: bytes
    ipv4: bytes
    ipv6: bytes
    servers: tuple[str, ...]
    served_by: bytes

    def __len__(self) -> int:
        return len(self.heads) // _ROA.size

    def uris(self) -> list[str]:
        """Of each ROA."""
        points = zip(self.repositories, self.names, strict=True)
        return [repository + name for repository, names in points if names for name in names.split("\n")]

    def __iter__(self) -> Iterator[ValidatedRoa]:
        ipv4 = _IPV4.iter_unpack(self.ipv4)
        ipv6 = _IPV6.iter_unpack(self.ipv6)
        lifetimes = map(Lifetime._make, _LIFETIME.iter_unpack(self.lifetimes))
        heads = _ROA.iter_unpack(self.heads)
        for uri, lifetime, (asn, _, _, n4, n6, digest) in zip(self.uris(), lifetimes, heads, strict=True):
            four = tuple(next(ipv4) for _ in range(n4))
            six = tuple((high << 64 | low, *lengths) for high, low, *lengths in (next(ipv6) for _ in range(n6)))
            yield ValidatedRoa(uri, digest.hex(), self.trust_anchor, asn, four, six, lifetime)


@dataclass(frozen=True, slots=True)
class ValidatedRoas(Sequence[ValidatedRoa]):
    """The ROAs of all trees."""

    tables: tuple[RoaTable, ...] = ()

    @classmethod
    def of(cls, roas: Iterable[ValidatedRoa]) -> ValidatedRoas:
        """Pack, a table each, as if their rsync modules served them."""
        tables = []
        for roa in roas:
            repository, _, name = roa.uri.rpartition("/")
            packer = RoaPacker()
            packer.add(name, bytes.fromhex(roa.sha256), RoaContent(roa.asn, roa.ipv4, roa.ipv6), *roa.lifetime[:2])
            block = packer.block()
            tables.append(
                RoaTable(
                    roa.trust_anchor,
                    (f"{repository}/",),
                    (block.names,),
                    _LIFETIME.pack(*roa.lifetime),
                    block.heads,
                    block.ipv4,
                    block.ipv6,
                    ("/".join(roa.uri.split("/", 4)[:4]) + "/",),
                    bytes(4),
                )
            )
        return cls(tuple(tables))

    def __len__(self) -> int:
        return sum(map(len, self.tables))

    def __iter__(self) -> Iterator[ValidatedRoa]:
        for table in self.tables:
            yield from table

    @overload
    def __getitem__(self, index: int) -> ValidatedRoa: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[ValidatedRoa]: ...

    def __getitem__(self, index: int | slice) -> ValidatedRoa | Sequence[ValidatedRoa]:
        return tuple(self)[index]
