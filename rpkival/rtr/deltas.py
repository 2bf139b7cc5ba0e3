"""Arithmetic of changes: deltas in a row as one, and a delta put onto a payload.

RFC 8210 section 5.3 wants "the minimum set of changes": what was announced and withdrawn again is not mentioned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rpkival.payload.changes import Changes, VrpChanges, apply, diff_vrps
from rpkival.payload.payload import Aspa, Payload, RouterKey, unite_router_keys
from rpkival.payload.vrps import VrpColumns, Vrps, first_of_each
from rpkival.rtr.errors import DuplicateAnnouncementError, UnknownWithdrawalError

__all__ = ["apply_strictly", "merge"]


def merge(deltas: Sequence[Changes]) -> Changes:
    """The one delta that does what `deltas` (at least one) do in a row; what cancels out is gone."""
    vrps = _merge_vrps([VrpChanges(delta.announced.vrps, delta.withdrawn.vrps) for delta in deltas])
    aspas, former_aspas = _net_aspas(deltas)
    router_keys, former_router_keys = _net_router_keys(deltas)
    return Changes(
        Payload(vrps.announced, aspas, router_keys),
        Payload(vrps.withdrawn, former_aspas, former_router_keys),
    )


def _net_aspas(deltas: Sequence[Changes]) -> tuple[tuple[Aspa, ...], tuple[Aspa, ...]]:
    """As they are after all deltas, and as they were before, each where the two differ."""
    before: dict[int, Aspa | None] = {}
    after: dict[int, Aspa | None] = {}
    for delta in deltas:
        withdrawn = {aspa.customer: aspa for aspa in delta.withdrawn.aspas}
        announced = {aspa.customer: aspa for aspa in delta.announced.aspas}
        for customer in withdrawn.keys() | announced.keys():
            before.setdefault(customer, withdrawn.get(customer))
            after[customer] = announced.get(customer)
    changed = [customer for customer in sorted(after) if _providers(before[customer]) != _providers(after[customer])]
    return (
        tuple(aspa for customer in changed if (aspa := after[customer]) is not None),
        tuple(aspa for customer in changed if (aspa := before[customer]) is not None),
    )


def _providers(aspa: Aspa | None) -> tuple[int, ...] | None:
    return None if aspa is None else aspa.providers


def _net_router_keys(deltas: Sequence[Changes]) -> tuple[tuple[RouterKey, ...], tuple[RouterKey, ...]]:
    """Those that came and those that went."""
    came: dict[tuple[int, bytes, bytes], RouterKey] = {}
    went: dict[tuple[int, bytes, bytes], RouterKey] = {}
    for delta in deltas:
        for key in delta.withdrawn.router_keys:
            if came.pop(key.identity, None) is None:
                went[key.identity] = key
        for key in delta.announced.router_keys:
            if went.pop(key.identity, None) is None:
                came[key.identity] = key
    return unite_router_keys(came.values()), unite_router_keys(went.values())


def _merge_vrps(deltas: Sequence[VrpChanges]) -> VrpChanges:
    """One stable sort brings all that happened to a VRP together in its order, and the ends decide: what was first
    announced was not there before, what was last announced is there now.
    """
    parts = [vrps for delta in deltas for vrps in (delta.announced, delta.withdrawn)]
    rows = Vrps.concat(parts)
    announced4, withdrawn4 = _net(rows.ipv4, [len(vrps.ipv4) for vrps in parts])
    announced6, withdrawn6 = _net(rows.ipv6, [len(vrps.ipv6) for vrps in parts])
    return VrpChanges(
        announced=replace(rows, ipv4=announced4, ipv6=announced6),
        withdrawn=replace(rows, ipv4=withdrawn4, ipv6=withdrawn6),
    )


def _net(rows: VrpColumns, lengths: Sequence[int]) -> tuple[VrpColumns, VrpColumns]:
    """The VRPs that came and those that went, of `rows` that are by turns announced and withdrawn parts."""
    announces = np.repeat(np.arange(len(lengths)) % 2 == 0, lengths)
    order = rows.prefixes.order(rows.max_length, rows.asn)
    ordered, announces = rows.take(order), announces[order]
    first = first_of_each(ordered.key())
    last = np.append(first[1:], True)[: len(first)]
    came, is_there = announces[first], announces[last]
    ends = ordered.take(last)
    return ends.take(came & is_there), ends.take(~came & ~is_there)


def apply_strictly(payload: Payload, changes: Changes) -> Payload:
    """The payload after the changes. `payload` is sorted and unique; withdrawn ASPAs may be without providers.

    Raises `UnknownWithdrawalError` and `DuplicateAnnouncementError` as RFC 8210 section 12 has a router do. An ASPA
    that is announced again is no duplicate but a replacement (draft-ietf-sidrops-8210bis-26 section 5.12).
    """
    announced, withdrawn = changes.announced, changes.withdrawn
    withdrawal = diff_vrps(payload.vrps, withdrawn.vrps)
    if len(withdrawal.announced):
        raise UnknownWithdrawalError(f"{_first(withdrawal.announced)} is withdrawn but was never announced.")
    rest = withdrawal.withdrawn
    fresh = diff_vrps(rest, announced.vrps).announced
    if len(fresh) != len(announced.vrps):
        known = diff_vrps(fresh, announced.vrps).announced
        raise DuplicateAnnouncementError(f"{_first(known)} is announced but was already there.")
    _check_records(payload, changes)
    return apply(changes, payload)


def _check_records(payload: Payload, changes: Changes) -> None:
    customers = {aspa.customer for aspa in payload.aspas}
    for aspa in changes.withdrawn.aspas:
        if aspa.customer not in customers:
            raise UnknownWithdrawalError(f"The ASPA of AS{aspa.customer} is withdrawn but was never announced.")
    keys = {key.identity for key in payload.router_keys}
    for key in changes.withdrawn.router_keys:
        if key.identity not in keys:
            raise UnknownWithdrawalError(f"A router key of AS{key.asn} is withdrawn but was never announced.")
    keys -= {key.identity for key in changes.withdrawn.router_keys}
    for key in changes.announced.router_keys:
        if key.identity in keys:
            raise DuplicateAnnouncementError(f"A router key of AS{key.asn} is announced but was already there.")


def _first(vrps: Vrps) -> str:
    vrp = next(iter(vrps))
    return f"{vrp.prefix}-{vrp.max_length} AS{vrp.asn}"
