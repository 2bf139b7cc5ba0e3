"""What is mine, and who may announce it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from rpkival.asn import parse_asn
from rpkival.errors import AsnError, PrefixError, UsageError
from rpkival.limits import MAX_REMEMBERED_PREFIXES
from rpkival.monitor.cover import Cover, covering_pairs, prefix_keys
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
    the ASNs of all VRPs that cover it, AS0 (RFC 7607: nobody) aside. A prefix whose VRP is gone can be remembered.
    """

    own: Own
    ipv4: Cover
    ipv6: Cover
    _expected: dict[Family, NDArray[np.uint64]]
    """Sorted pairs (row of the own prefix, origin), each in one number."""
    _named: dict[Family, NDArray[np.bool_]]
    """Which own prefixes the operator named; the others were learned from VRPs."""

    @classmethod
    def build(cls, vrps: Vrps, own: Own) -> Expectations:
        """Costs some tens of milliseconds for the world's VRPs. Raises `PrefixError`."""
        covers: dict[Family, Cover] = {}
        expected: dict[Family, NDArray[np.uint64]] = {}
        names: dict[Family, NDArray[np.bool_]] = {}
        mine = np.array(sorted(own.asns), np.uint32)
        for family, (named, _) in zip(_FAMILIES, split_families(own.prefixes), strict=True):
            columns = vrps.family(family)
            signed = columns.prefixes.take(np.isin(columns.asn, mine))
            cover = covers[family] = Cover.of(Prefixes.concat((named, signed)))
            own_rows, vrp_rows = covering_pairs(cover.prefixes, columns.prefixes)
            by_vrp = _pairs(own_rows, columns.asn[vrp_rows])[columns.asn[vrp_rows] != 0]
            by_name = _pairs(np.repeat(np.arange(len(cover)), len(mine)), np.tile(mine, len(cover)))
            expected[family] = np.unique(np.concatenate((by_vrp, by_name)))
            names[family] = np.isin(prefix_keys(cover.prefixes), prefix_keys(named))
        return cls(own, covers[4], covers[6], expected, names)

    @classmethod
    def learned(cls, own: Own, origins: Mapping[str, tuple[int, ...]]) -> Expectations:
        """Prefixes that VRPs once gave to own ASNs, each with the origins that were expected then."""
        covers: dict[Family, Cover] = {}
        expected: dict[Family, NDArray[np.uint64]] = {}
        texts = tuple(origins)
        for family, (prefixes, at) in zip(_FAMILIES, split_families(texts), strict=True):
            cover = covers[family] = Cover.of(prefixes)
            allowed = [origins[texts[i]] for i in at.tolist()]
            rows = np.repeat(cover.inside(prefixes)[1], [len(asns) for asns in allowed])
            expected[family] = np.unique(_pairs(rows, np.array(list(chain.from_iterable(allowed)), np.uint32)))
        return cls(own, covers[4], covers[6], expected, {f: np.zeros(len(covers[f]), np.bool_) for f in _FAMILIES})

    def remembering(self, earlier: Expectations) -> Expectations:
        """These, and what `earlier` had learned from VRPs that are gone now, with the origins of then.

        A ROA that expires or is lost by its repository does not give the prefix away: it opens the door to hijacks.
        """
        covers: dict[Family, Cover] = {}
        expected: dict[Family, NDArray[np.uint64]] = {}
        names: dict[Family, NDArray[np.bool_]] = {}
        for family in _FAMILIES:
            now, before = self.cover(family), earlier.cover(family)
            lost = ~earlier._named[family] & ~np.isin(prefix_keys(before.prefixes), prefix_keys(now.prefixes))
            lost &= earlier._is_expected_of(family, self.own.asns)
            lost[np.flatnonzero(lost)[MAX_REMEMBERED_PREFIXES:]] = False
            cover = covers[family] = Cover.of(Prefixes.concat((now.prefixes, before.prefixes.take(lost))))
            here, there = cover.inside(now.prefixes)[1], np.full(len(before), -1, np.int64)
            there[lost] = cover.inside(before.prefixes.take(lost))[1]
            kept = _moved(self._expected[family], here), _moved(earlier._expected[family], there)
            expected[family] = np.unique(np.concatenate(kept))
            names[family] = np.zeros(len(cover), np.bool_)
            names[family][here] = self._named[family]
        return Expectations(self.own, covers[4], covers[6], expected, names)

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

    def is_named(self, family: Family, own: int) -> bool:
        """Whether the operator named this own prefix, rather than that it was learned from VRPs."""
        return bool(self._named[family][own])

    def without_origin(self) -> list[str]:
        """Own prefixes that nobody is expected to announce: every announcement of them is an incident."""
        found = []
        for family in _FAMILIES:
            cover = self.cover(family)
            has = np.unique(self._expected[family] >> _ASN_BITS).astype(np.int64)
            found += cover.prefixes.take(np.setdiff1d(np.arange(len(cover)), has)).texts()
        return found

    def _is_expected_of(self, family: Family, asns: frozenset[int]) -> NDArray[np.bool_]:
        """`bool[n]`: own prefixes that one of these ASes is expected to announce."""
        known = self._expected[family]
        rows, origin = (known >> _ASN_BITS).astype(np.int64), known.astype(np.uint32)
        found = np.zeros(len(self.cover(family)), np.bool_)
        found[rows[np.isin(origin, np.array(sorted(asns), np.uint32))]] = True
        return found


_FAMILIES: tuple[Family, Family] = (4, 6)
_ASN_BITS = np.uint64(32)


def _pairs(own: Rows, origin: NDArray[np.uint32]) -> NDArray[np.uint64]:
    return (own.astype(np.uint64) << _ASN_BITS) | origin.astype(np.uint64)


def _moved(pairs: NDArray[np.uint64], to: Rows) -> NDArray[np.uint64]:
    """Pairs with row `i` as row `to[i]`; those that go to -1 are left out."""
    rows = to[(pairs >> _ASN_BITS).astype(np.int64)]
    return _pairs(rows[rows >= 0], pairs[rows >= 0].astype(np.uint32))
