"""What is mine, and who may announce it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rpkival.asn import parse_asn
from rpkival.errors import AsnError, PrefixError, UsageError
from rpkival.monitor.cover import Cover, covering_pairs
from rpkival.payload.vrps import Vrps
from rpkival.prefixes import Family, Prefixes, Rows, parse_prefix, split_families

__all__ = ["Expectations", "Own"]


@dataclass(frozen=True, slots=True)
class Own:
    """What the operator calls theirs: AS numbers, and prefixes as text."""

    asns: frozenset[int] = frozenset()
    prefixes: tuple[str, ...] = ()

    @classmethod
    def of(cls, texts: Iterable[str]) -> Own:
        """From words as `AS64496`, `64496` or `192.0.2.0/24`. Raises `UsageError`."""
        asns, prefixes = set(), []
        for text in texts:
            try:
                if "/" in text or ":" in text:
                    prefixes.extend(parse_prefix(text).texts())
                else:
                    asns.add(parse_asn(text))
            except (AsnError, PrefixError) as error:
                raise UsageError(f"{error}") from error
        return cls(frozenset(asns), tuple(prefixes))


@dataclass(frozen=True, slots=True, eq=False)
class Expectations:
    """Own prefixes with the origins that may announce them.

    Own prefixes are those named and those that VRPs give to own ASNs. The expected origins of one are the own ASNs and
    the ASNs of all VRPs that cover it, AS0 (RFC 7607: nobody) aside.
    """

    own: Own
    ipv4: Cover
    ipv6: Cover
    _expected: dict[Family, NDArray[np.uint64]]
    """Sorted pairs (row of the own prefix, origin), each in one number."""

    @classmethod
    def build(cls, vrps: Vrps, own: Own) -> Expectations:
        """Costs some tens of milliseconds for the world's VRPs. Raises `PrefixError`."""
        covers: dict[Family, Cover] = {}
        expected: dict[Family, NDArray[np.uint64]] = {}
        mine = np.array(sorted(own.asns), np.uint32)
        for family, (named, _) in zip(_FAMILIES, split_families(own.prefixes), strict=True):
            columns = vrps.family(family)
            signed = columns.prefixes.take(np.isin(columns.asn, mine))
            cover = covers[family] = Cover.of(Prefixes.concat((named, signed)))
            own_rows, vrp_rows = covering_pairs(cover.prefixes, columns.prefixes)
            by_vrp = _pairs(own_rows, columns.asn[vrp_rows])[columns.asn[vrp_rows] != 0]
            by_name = _pairs(np.repeat(np.arange(len(cover)), len(mine)), np.tile(mine, len(cover)))
            expected[family] = np.unique(np.concatenate((by_vrp, by_name)))
        return cls(own, covers[4], covers[6], expected)

    def __len__(self) -> int:
        return len(self.ipv4) + len(self.ipv6)

    def cover(self, family: Family) -> Cover:
        """The own prefixes of one family."""
        return self.ipv4 if family == 4 else self.ipv6

    def expected(self, family: Family, own: Rows, origin: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """`bool[n]`: whether this origin may announce that own prefix (row of `cover(family)`), or a part of it."""
        known = self._expected[family]
        if not len(known):
            return np.zeros(len(own), np.bool_)
        wanted = _pairs(own, origin)
        return np.asarray(known[np.minimum(np.searchsorted(known, wanted), len(known) - 1)] == wanted, np.bool_)

    def origins(self, family: Family, own: int) -> tuple[int, ...]:
        """The expected origins of one own prefix, sorted."""
        known = self._expected[family]
        start, end = np.searchsorted(known, np.array([own, own + 1], np.uint64) << _ASN_BITS)
        return tuple(int(pair) & 0xFFFF_FFFF for pair in known[start:end])

    def without_origin(self) -> list[str]:
        """Own prefixes that nobody is expected to announce: every announcement of them is an incident."""
        found = []
        for family in _FAMILIES:
            cover = self.cover(family)
            has = np.unique(self._expected[family] >> _ASN_BITS).astype(np.int64)
            found += cover.prefixes.take(np.setdiff1d(np.arange(len(cover)), has)).texts()
        return found


_FAMILIES: tuple[Family, Family] = (4, 6)
_ASN_BITS = np.uint64(32)


def _pairs(own: Rows, origin: NDArray[np.uint32]) -> NDArray[np.uint64]:
    return (own.astype(np.uint64) << _ASN_BITS) | origin.astype(np.uint64)
