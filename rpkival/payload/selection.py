"""What of a payload somebody asked for: Routinator's selectors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rpkival.asn import parse_asn
from rpkival.errors import LimitError
from rpkival.limits import MAX_SELECTORS
from rpkival.payload.payload import Payload
from rpkival.payload.vrps import VrpColumns
from rpkival.prefixes import Prefixes, parse_prefix, word_masks

__all__ = ["Selection"]


@dataclass(frozen=True, slots=True)
class Selection:
    """An ASN or a prefix selects what it is about; several select what any of them does, none select everything.

    An ASN selects the VRPs and keys of that AS and its ASPA as a customer; a prefix the VRPs that cover it, and under
    `more_specifics` those within it. The three last say which kinds there are at all.
    """

    asns: frozenset[int] = frozenset()
    prefixes: tuple[Prefixes, ...] = ()
    more_specifics: bool = False
    route_origins: bool = True
    router_keys: bool = True
    aspas: bool = True

    @classmethod
    def parse(
        cls,
        asns: Iterable[str] = (),
        prefixes: Iterable[str] = (),
        *,
        more_specifics: bool = False,
        route_origins: bool = True,
        router_keys: bool = True,
        aspas: bool = True,
    ) -> Selection:
        """From text. Raises `AsnError`, `PrefixError`, `LimitError`."""
        asns, prefixes = tuple(asns), tuple(prefixes)
        if len(asns) + len(prefixes) > MAX_SELECTORS:
            raise LimitError(
                f"{len(asns) + len(prefixes)} AS numbers and prefixes are selected at once, more than {MAX_SELECTORS}; "
                "ask for everything and choose there."
            )
        return cls(
            frozenset(map(parse_asn, asns)),
            tuple(map(parse_prefix, prefixes)),
            more_specifics,
            route_origins,
            router_keys,
            aspas,
        )

    @property
    def by_resources(self) -> bool:
        """Whether it names an ASN or a prefix."""
        return bool(self.asns or self.prefixes)

    def of(self, payload: Payload) -> Payload:
        """What it selects, in the payload's order."""
        vrps = payload.vrps
        if not self.route_origins:
            nothing = slice(0)
            vrps = replace(vrps, ipv4=vrps.ipv4.take(nothing), ipv6=vrps.ipv6.take(nothing))
        elif self.by_resources:
            vrps = replace(vrps, ipv4=self._chosen(vrps.ipv4), ipv6=self._chosen(vrps.ipv6))
        everybody = not self.by_resources
        return Payload(
            vrps,
            tuple(aspa for aspa in payload.aspas if self.aspas and (everybody or aspa.customer in self.asns)),
            tuple(key for key in payload.router_keys if self.router_keys and (everybody or key.asn in self.asns)),
        )

    def _chosen(self, columns: VrpColumns) -> VrpColumns:
        wanted = np.isin(columns.asn, np.fromiter(self.asns, np.uint32, len(self.asns)))
        for prefix in self.prefixes:
            if prefix.family == columns.prefixes.family:
                wanted |= _covering(columns.prefixes, prefix)
                if self.more_specifics:
                    wanted |= _covering(prefix, columns.prefixes)
        return columns.take(wanted)


def _covering(outer: Prefixes, inner: Prefixes) -> NDArray[np.bool_]:
    """`bool[n]`: where `outer` covers `inner`, row by row; one of the two may have one row, held against all."""
    covers = outer.length <= inner.length
    for mask, mine, theirs in zip(word_masks(outer.family, outer.length), outer.words, inner.words, strict=True):
        covers = covers & ((theirs & mask) == mine)
    return np.asarray(covers, np.bool_)
