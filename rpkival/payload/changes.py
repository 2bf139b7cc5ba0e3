"""What changed between two payloads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rpkival.payload.payload import Aspa, Payload, RouterKey
from rpkival.payload.vrps import VrpColumns, Vrps

__all__ = ["Changes", "VrpChanges", "apply", "diff", "diff_vrps"]


@dataclass(frozen=True, slots=True)
class Changes:
    """`announced`: what is new. `withdrawn`: what is gone. Both are sorted and unique.

    An ASPA that got other providers is in both, as it is in `announced` and as it was in `withdrawn`.
    """

    announced: Payload
    withdrawn: Payload

    def __len__(self) -> int:
        return len(self.announced) + len(self.withdrawn)

    def bare(self) -> Changes:
        """Without trust anchors, dates and sources of VRPs: the few that change would keep the names of all alive."""
        return Changes(_bare(self.announced), _bare(self.withdrawn))


@dataclass(frozen=True, slots=True)
class VrpChanges:
    """`announced`: VRPs that are new. `withdrawn`: VRPs that are gone. Both are sorted and unique."""

    announced: Vrps
    withdrawn: Vrps

    def __len__(self) -> int:
        return len(self.announced) + len(self.withdrawn)


def diff(old: Payload, new: Payload) -> Changes:
    """What turns `old` into `new`, where another expiry, trust anchor or source is no change.

    A VRP is prefix, max_length and ASN (RFC 6811 section 2), an ASPA its customer and providers, a router key its ASN,
    identifier and key.
    """
    vrps = diff_vrps(old.vrps, new.vrps)
    aspas_before, aspas_now = {_aspa(each) for each in old.aspas}, {_aspa(each) for each in new.aspas}
    keys_before, keys_now = ({key.identity for key in each.router_keys} for each in (old, new))
    return Changes(
        Payload(vrps.announced, _aspas_but(new, aspas_before), _keys_but(new, keys_before)),
        Payload(vrps.withdrawn, _aspas_but(old, aspas_now), _keys_but(old, keys_now)),
    )


def apply(changes: Changes, old: Payload) -> Payload:
    """`old` with `changes` made, sorted and unique: what `diff` was given as `new`.

    An ASPA that is announced replaces that of its customer; who is the customer of one that is withdrawn, and of none
    announced, has none left.
    """
    kept = diff_vrps(changes.withdrawn.vrps, old.vrps).announced
    changed = {aspa.customer for each in (changes.announced, changes.withdrawn) for aspa in each.aspas}
    gone = {key.identity for key in changes.withdrawn.router_keys}
    return Payload(
        Vrps.concat([kept, changes.announced.vrps]),
        (*(aspa for aspa in old.aspas if aspa.customer not in changed), *changes.announced.aspas),
        (*_keys_but(old, gone), *changes.announced.router_keys),
    ).unique_sorted()


def diff_vrps(old: Vrps, new: Vrps) -> VrpChanges:
    """As `diff`, of VRPs alone."""
    gone4, come4 = _difference(old.ipv4, new.ipv4)
    gone6, come6 = _difference(old.ipv6, new.ipv6)
    return VrpChanges(replace(new, ipv4=come4, ipv6=come6), replace(old, ipv4=gone4, ipv6=gone6))


def _bare(payload: Payload) -> Payload:
    vrps = payload.vrps
    ipv4, ipv6 = (VrpColumns.of(each.prefixes, each.max_length, each.asn) for each in (vrps.ipv4, vrps.ipv6))
    return replace(payload, vrps=Vrps(ipv4, ipv6))


def _aspa(aspa: Aspa) -> tuple[int, tuple[int, ...]]:
    return aspa.customer, aspa.providers


def _aspas_but(payload: Payload, known: set[tuple[int, tuple[int, ...]]]) -> tuple[Aspa, ...]:
    return tuple(aspa for aspa in payload.aspas if _aspa(aspa) not in known)


def _keys_but(payload: Payload, known: set[tuple[int, bytes, bytes]]) -> tuple[RouterKey, ...]:
    return tuple(key for key in payload.router_keys if key.identity not in known)


def _difference(old: VrpColumns, new: VrpColumns) -> tuple[VrpColumns, VrpColumns]:
    """Rows only in `old`, rows only in `new`: sort both together, and whoever has no equal neighbour stands alone."""
    old, new = old.unique_sorted(), new.unique_sorted()
    key = tuple(np.concatenate(columns) for columns in zip(old.key(), new.key(), strict=True))
    order = np.lexsort(key[::-1])
    alone = ~_has_twin([column[order] for column in key])
    rows = np.sort(order[alone])
    return old.take(rows[rows < len(old)]), new.take(rows[rows >= len(old)] - len(old))


def _has_twin(columns: Sequence[NDArray[Any]]) -> NDArray[np.bool_]:
    """`bool[n]`: True where the row before or behind is equal in all (sorted) columns."""
    n = len(columns[0])
    same = np.ones(max(n - 1, 0), np.bool_)
    for column in columns:
        same &= column[1:] == column[:-1]
    twin = np.zeros(n, np.bool_)
    twin[1:] |= same
    twin[:-1] |= same
    return twin
