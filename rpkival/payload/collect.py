"""From validated objects to a payload."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rpkival.payload.payload import Aspa, Payload, RouterKey, unite_aspas, unite_router_keys
from rpkival.payload.vrps import VrpColumns, Vrps
from rpkival.prefixes import Family, Prefixes
from rpkival.validation.lifetime import LIFETIME
from rpkival.validation.report import ValidationRun
from rpkival.validation.roas import IPV4_FIELDS, IPV6_FIELDS, ROA_FIELDS

__all__ = ["collect", "roa_heads", "said_prefixes"]


def collect(run: ValidationRun) -> Payload:
    """The payload of a run, sorted and unique; each part with trust anchor, expiry, URI and lifetime of its object.

    `Vrps.sources` has the ROAs of the run, all of them, in order.
    """
    return Payload(
        _vrps(run),
        unite_aspas(
            Aspa(aspa.customer, aspa.providers, aspa.trust_anchor, aspa.expires, aspa.uri, aspa.lifetime)
            for aspa in run.aspas
        ),
        unite_router_keys(
            RouterKey(asn, key.key_id, key.key_info, key.trust_anchor, key.expires, key.uri, key.lifetime)
            for key in run.router_keys
            for first, last in key.asns
            for asn in range(first, last + 1)
        ),
    )


def _vrps(run: ValidationRun) -> Vrps:
    names = tuple(anchor.name for anchor in run.trust_anchors)
    rows = {name: row for row, name in enumerate(names)}
    tables = run.roas.tables
    heads = roa_heads(run)
    lifetimes = np.frombuffer(b"".join(table.lifetimes for table in tables), LIFETIME)
    expires = np.minimum(lifetimes["chain_not_after"], lifetimes["stale"])
    anchors = np.repeat(np.array([rows[table.trust_anchor] for table in tables], np.uint16), [*map(len, tables)])
    ipv4 = _joined((table.ipv4 for table in tables), IPV4_FIELDS)
    ipv6 = _joined((table.ipv6 for table in tables), IPV6_FIELDS)

    def columns(words: tuple[NDArray[Any], ...], prefixes: NDArray[np.void], counts: NDArray[Any]) -> VrpColumns:
        # One row a ROA, repeated for each of its prefixes of this family.
        roa = np.repeat(np.arange(len(heads), dtype=np.int32), counts)
        return VrpColumns(
            Prefixes(tuple(map(np.ascontiguousarray, words)), np.ascontiguousarray(prefixes["length"])),
            np.ascontiguousarray(prefixes["max_length"]),
            heads["asn"][roa],
            anchors[roa],
            expires[roa],
            roa,
        )

    return Vrps(
        columns((ipv4["address"],), ipv4, heads["ipv4"]),
        columns((ipv6["high"], ipv6["low"]), ipv6, heads["ipv6"]),
        names or ("",),
        tuple(uri for table in tables for uri in table.uris()),
        lifetimes,
    ).unique_sorted()


def roa_heads(run: ValidationRun) -> NDArray[np.void]:
    """A row for each ROA of the run, of `ROA_FIELDS`."""
    return _joined((table.heads for table in run.roas.tables), ROA_FIELDS)


def said_prefixes(run: ValidationRun, family: Family) -> Prefixes:
    """Those of all ROAs of the run, in order."""
    if family == 4:
        ipv4 = _joined((table.ipv4 for table in run.roas.tables), IPV4_FIELDS)
        return Prefixes((np.ascontiguousarray(ipv4["address"]),), np.ascontiguousarray(ipv4["length"]))
    ipv6 = _joined((table.ipv6 for table in run.roas.tables), IPV6_FIELDS)
    words = np.ascontiguousarray(ipv6["high"]), np.ascontiguousarray(ipv6["low"])
    return Prefixes(words, np.ascontiguousarray(ipv6["length"]))


def _joined(parts: Iterable[bytes], fields: Sequence[tuple[str, str]]) -> NDArray[np.void]:
    return np.frombuffer(b"".join(parts), np.dtype(list(fields)))
