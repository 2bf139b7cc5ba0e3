"""From validated objects to a payload."""

from __future__ import annotations

import numpy as np

from rpkival.payload.payload import Aspa, Payload, RouterKey, unite_aspas, unite_router_keys
from rpkival.payload.vrps import VrpColumns, Vrps
from rpkival.prefixes import Family, Prefixes
from rpkival.validation.report import ValidatedRoa, ValidationRun

__all__ = ["collect"]


def collect(run: ValidationRun) -> Payload:
    """The payload of a run, sorted and unique, each part with trust anchor, expiry and the URI of its object."""
    return Payload(
        _vrps(run),
        unite_aspas(
            Aspa(aspa.customer, aspa.providers, aspa.trust_anchor, aspa.expires, aspa.uri) for aspa in run.aspas
        ),
        unite_router_keys(
            RouterKey(asn, key.key_id, key.key_info, key.trust_anchor, key.expires, key.uri)
            for key in run.router_keys
            for first, last in key.asns
            for asn in range(first, last + 1)
        ),
    )


def _vrps(run: ValidationRun) -> Vrps:
    names = tuple(anchor.name for anchor in run.trust_anchors)
    anchors = {name: row for row, name in enumerate(names)}
    return Vrps(
        _columns(4, run.roas, anchors),
        _columns(6, run.roas, anchors),
        names or ("",),
        tuple(roa.uri for roa in run.roas),
    ).unique_sorted()


def _columns(family: Family, roas: tuple[ValidatedRoa, ...], anchors: dict[str, int]) -> VrpColumns:
    prefixes = [roa.ipv4 if family == 4 else roa.ipv6 for roa in roas]
    # One row a ROA, repeated for each of its prefixes of this family.
    counts = np.array([len(each) for each in prefixes], np.int64)
    rows = np.repeat(np.arange(len(roas), dtype=np.int32), counts)
    return VrpColumns(
        Prefixes.of_integers(
            family,
            [address for each in prefixes for address, _, _ in each],
            [length for each in prefixes for _, length, _ in each],
        ),
        np.array([max_length for each in prefixes for _, _, max_length in each], np.uint8),
        np.array([roa.asn for roa in roas], np.uint32)[rows],
        np.array([anchors[roa.trust_anchor] for roa in roas], np.uint16)[rows],
        np.array([roa.expires for roa in roas], np.int64)[rows],
        rows,
    )
