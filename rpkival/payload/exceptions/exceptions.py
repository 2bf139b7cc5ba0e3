"""All SLURM files together, ready to be applied to a payload."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from rpkival.payload.exceptions.filters import KeyFilters, PrefixFilters, among
from rpkival.payload.payload import Payload
from rpkival.payload.vrps import VrpColumns

__all__ = ["Applied", "ExceptionFile", "Exceptions", "Number"]


@dataclass(frozen=True, slots=True)
class ExceptionFile:
    """One SLURM file by name and by how many filters and assertions it has."""

    name: str
    version: int
    filters: int
    assertions: int


@dataclass(frozen=True, slots=True)
class Number:
    """How many VRPs, ASPAs and router keys; `of` is a trust anchor ("" where unknown) or a file."""

    of: str
    vrps: int = 0
    aspas: int = 0
    router_keys: int = 0

    @property
    def total(self) -> int:
        """Of all kinds."""
        return self.vrps + self.aspas + self.router_keys


@dataclass(frozen=True, slots=True)
class Applied:
    """`filtered`: what was taken away, by trust anchor. `added`: what was not there before, by file."""

    payload: Payload
    filtered: tuple[Number, ...] = ()
    added: tuple[Number, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Exceptions:
    """`ipv4`, `ipv6`: filters with a prefix. `asns`: `uint32[n]`, origins whose every VRP is taken away. `customers`:
    those whose ASPA is. `asserted`: for each file in turn what it adds.
    """

    files: tuple[ExceptionFile, ...] = ()
    ipv4: PrefixFilters = field(default_factory=lambda: PrefixFilters.none(4))
    ipv6: PrefixFilters = field(default_factory=lambda: PrefixFilters.none(6))
    asns: NDArray[np.uint32] = field(default_factory=lambda: np.zeros(0, np.uint32))
    keys: KeyFilters = field(default_factory=KeyFilters)
    customers: frozenset[int] = frozenset()
    asserted: tuple[Payload, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is any file."""
        return bool(self.files)

    def apply(self, payload: Payload) -> Applied:
        """RFC 8416 section 3: first the filters, then the assertions, which no filter takes away.

        `payload` is sorted and unique, and so is the result.
        """
        if not self:
            return Applied(payload)
        kept, filtered = self._filter(payload)
        added = tuple(
            _added(file.name, asserted, kept) for file, asserted in zip(self.files, self.asserted, strict=True)
        )
        return Applied(Payload.concat([kept, *self.asserted]), filtered, added)

    def _filter(self, payload: Payload) -> tuple[Payload, tuple[Number, ...]]:
        vrps = payload.vrps
        gone4, gone6 = self._gone(vrps.ipv4, self.ipv4), self._gone(vrps.ipv6, self.ipv6)
        lost: Counter[str] = Counter()
        for columns, gone in ((vrps.ipv4, gone4), (vrps.ipv6, gone6)):
            numbers = np.bincount(columns.trust_anchor[gone], minlength=len(vrps.trust_anchors))
            lost.update(dict(zip(vrps.trust_anchors, numbers.tolist(), strict=True)))
        lost_aspas = Counter(each.trust_anchor for each in payload.aspas if each.customer in self.customers)
        lost_keys = Counter(each.trust_anchor for each in payload.router_keys if self.keys.match(each))
        kept = Payload(
            replace(vrps, ipv4=vrps.ipv4.take(~gone4), ipv6=vrps.ipv6.take(~gone6)),
            tuple(each for each in payload.aspas if each.customer not in self.customers),
            tuple(each for each in payload.router_keys if not self.keys.match(each)),
        )
        anchors = sorted({*filter(None, vrps.trust_anchors), *(+lost), *lost_aspas, *lost_keys})
        return kept, tuple(Number(name, lost[name], lost_aspas[name], lost_keys[name]) for name in anchors)

    def _gone(self, columns: VrpColumns, filters: PrefixFilters) -> NDArray[np.bool_]:
        return filters.matches(columns) | np.isin(columns.asn, self.asns)


def _added(name: str, asserted: Payload, kept: Payload) -> Number:
    vrps, have = asserted.vrps, kept.vrps
    known = sum(
        int(among(mine.key(), theirs.key()).sum()) for mine, theirs in ((vrps.ipv4, have.ipv4), (vrps.ipv6, have.ipv6))
    )
    providers = {aspa.customer: set(aspa.providers) for aspa in kept.aspas}
    keys = {key.identity for key in kept.router_keys}
    return Number(
        name,
        len(vrps) - known,
        sum(not providers.get(aspa.customer, set()) >= set(aspa.providers) for aspa in asserted.aspas),
        sum(key.identity not in keys for key in asserted.router_keys),
    )
