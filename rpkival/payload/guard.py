"""The guard: a sudden loss that no CA has asked for is held back, and routers keep what they have.

A registry whose publication broke took twelve thousand VRPs away at once, a validator's fault two hundred thousand;
the routes that they protected stood open for hours. What a holder withdraws by manifest, revokes by CRL or lets
expire always goes at once. The rest is weighed against how much of a trust anchor, or of everything, it is: VRPs,
ASPAs and router keys each by themselves, as the few of the one would not be missed among the many of the other.

What is held stays until it comes back, until its own signatures end, or until somebody releases it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

import numpy as np

from rpkival.payload.causes import Cause, Inquiry, Why, accidents
from rpkival.payload.changes import diff_vrps
from rpkival.payload.payload import Aspa, Payload, RouterKey
from rpkival.payload.vrps import Vrps

__all__ = ["Hold", "Kind", "LetGo", "Thresholds", "Verdict", "weigh"]

T = TypeVar("T", Aspa, RouterKey)


class Kind(StrEnum):
    """What is weighed by itself."""

    VRPS = "vrps"
    ASPAS = "aspas"
    ROUTER_KEYS = "router_keys"

    @property
    def noun(self) -> str:
        """For sentences."""
        return {Kind.VRPS: "VRPs", Kind.ASPAS: "ASPAs", Kind.ROUTER_KEYS: "router keys"}[self]


LetGo = Mapping[tuple[Kind, str], int]
"""How many of a kind and a trust anchor were lost by accident and not held."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Shares from 0 to 1 that may be lost by accident within a day, and the numbers below which nobody cares.

    A CA that breaks alone takes a handful of VRPs along, a large one some hundreds of a registry's tens of thousands; a
    repository or a registry that breaks takes thousands. The shares lie between. A trust anchor of a laboratory or a
    company has so few VRPs that every change is a large share: hence the least number. Of ASPAs and router keys, of
    which an AS has one or two and the world a thousandth of its VRPs, the least number is `least_of_others`.
    """

    of_anchor: float = 0.05
    of_all: float = 0.02
    least: int = 100
    least_of_others: int = 10

    def least_of(self, kind: Kind) -> int:
        """Fewer of a kind are never held."""
        return self.least if kind is Kind.VRPS else self.least_of_others


@dataclass(frozen=True, slots=True)
class Hold:
    """What is held of one kind and trust anchor: how many, of how many, and the causes with their numbers and an
    example.

    `share` is what the loss, with what was let go within a day, is of all that the trust anchor has of the kind.
    """

    trust_anchor: str
    kind: Kind
    number: int
    total: int
    share: float
    causes: dict[str, int]
    example: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """`payload` is what to serve."""

    payload: Payload
    holds: tuple[Hold, ...]
    let_go: LetGo


@dataclass(frozen=True, slots=True)
class _Loss:
    """What of one kind is gone by accident: the reasons by trust anchor, and how many each had in all."""

    kind: Kind
    whys: Mapping[str, Sequence[Why]]
    totals: Mapping[str, int]


def weigh(
    served: Payload,
    new: Payload,
    inquiry: Inquiry,
    thresholds: Thresholds,
    *,
    held_before: frozenset[tuple[Kind, str]] = frozenset(),
    lost_lately: LetGo | None = None,
) -> Verdict:
    """Decide which of the losses from `served` to `new` go through.

    `held_before`: kinds and trust anchors of which something is held already; the rest of it stays held until all is
    back, or one half that returns would let the other go. `lost_lately`: accidents let go within the last day, so that
    many small steps are weighed as the large one that they are. An ASPA that got other providers is not lost: its
    holder has said something else.
    """
    lately = lost_lately or {}
    customers = {aspa.customer for aspa in new.aspas}
    known_keys = {key.identity for key in new.router_keys}
    vrps, vrp_loss = _lost_vrps(served.vrps, new.vrps, inquiry)
    aspas, aspa_loss = _lost(
        Kind.ASPAS, served.aspas, [each for each in served.aspas if each.customer not in customers], inquiry
    )
    keys, key_loss = _lost(
        Kind.ROUTER_KEYS,
        served.router_keys,
        [each for each in served.router_keys if each.identity not in known_keys],
        inquiry,
    )
    holds: list[Hold] = []
    let_go: dict[tuple[Kind, str], int] = {}
    for loss in (vrp_loss, aspa_loss, key_loss):
        held = _too_much(loss, thresholds, held_before, lately)
        for name, whys in loss.whys.items():
            if name in held:
                holds.append(_hold(loss, name, lately))
            else:
                let_go[loss.kind, name] = len(whys)
    names = {kind: {hold.trust_anchor for hold in holds if hold.kind is kind} for kind in Kind}
    kept = Payload(
        _of(vrps, names[Kind.VRPS]),
        tuple(each for each in aspas if each.trust_anchor in names[Kind.ASPAS]),
        tuple(each for each in keys if each.trust_anchor in names[Kind.ROUTER_KEYS]),
    )
    return Verdict(Payload.concat([new, kept]) if len(kept) else new, tuple(holds), let_go)


def _too_much(
    loss: _Loss, thresholds: Thresholds, held_before: frozenset[tuple[Kind, str]], lately: LetGo
) -> frozenset[str]:
    """The trust anchors of which the loss is to be held."""
    gone_lately = {name: number for (kind, name), number in lately.items() if kind is loss.kind}
    before = sum(gone_lately.values())
    all_lost, everything = sum(map(len, loss.whys.values())) + before, sum(loss.totals.values()) + before
    held = set()
    for name, whys in loss.whys.items():
        gone = len(whys) + gone_lately.get(name, 0)
        total = loss.totals.get(name, 0) + gone_lately.get(name, 0)
        too_much = gone > thresholds.of_anchor * total or all_lost > thresholds.of_all * everything
        if (loss.kind, name) in held_before or (gone >= thresholds.least_of(loss.kind) and too_much):
            held.add(name)
    return frozenset(held)


def _hold(loss: _Loss, name: str, lately: LetGo) -> Hold:
    whys = loss.whys[name]
    before = lately.get((loss.kind, name), 0)
    total = loss.totals.get(name, 0)
    causes = Counter(str(why.cause) for why in whys)
    example = whys[0].sentence or _EXPLANATIONS[whys[0].cause]
    share = (len(whys) + before) / max(1, total + before)
    return Hold(name, loss.kind, len(whys), total, share, dict(causes), example)


def _lost_vrps(served: Vrps, new: Vrps, inquiry: Inquiry) -> tuple[Vrps, _Loss]:
    """The VRPs that are gone by accident, and their reasons."""
    withdrawn = diff_vrps(served, new).withdrawn
    whys: defaultdict[str, list[Why]] = defaultdict(list)
    families = []
    for columns in (withdrawn.ipv4, withdrawn.ipv6):
        reasons = inquiry.of_columns(withdrawn, columns)
        by_accident = accidents(reasons)
        lost = columns.take(by_accident)
        for row, anchor in zip(np.flatnonzero(by_accident).tolist(), lost.trust_anchor.tolist(), strict=True):
            whys[withdrawn.trust_anchors[anchor]].append(reasons[row])
        families.append(lost)
    ipv4, ipv6 = families
    return replace(withdrawn, ipv4=ipv4, ipv6=ipv6), _Loss(Kind.VRPS, whys, _by_anchor(served))


def _lost(kind: Kind, served: Iterable[T], withdrawn: Iterable[T], inquiry: Inquiry) -> tuple[list[T], _Loss]:
    """Those of `withdrawn` that are gone by accident, and their reasons."""
    lost: list[T] = []
    whys: defaultdict[str, list[Why]] = defaultdict(list)
    for each in withdrawn:
        why = inquiry.why(each.trust_anchor, each.source, each.expires)
        if not why.cause.is_the_holders_word:
            lost.append(each)
            whys[each.trust_anchor].append(why)
    return lost, _Loss(kind, whys, Counter(each.trust_anchor for each in served))


def _by_anchor(vrps: Vrps) -> dict[str, int]:
    counts = sum(
        np.bincount(columns.trust_anchor, minlength=len(vrps.trust_anchors)) for columns in (vrps.ipv4, vrps.ipv6)
    )
    return dict(zip(vrps.trust_anchors, np.asarray(counts).tolist(), strict=True))


def _of(vrps: Vrps, names: set[str]) -> Vrps:
    rows = [row for row, name in enumerate(vrps.trust_anchors) if name in names]
    return replace(
        vrps,
        ipv4=vrps.ipv4.take(np.isin(vrps.ipv4.trust_anchor, rows)),
        ipv6=vrps.ipv6.take(np.isin(vrps.ipv6.trust_anchor, rows)),
    )


_EXPLANATIONS = {
    Cause.ANCHOR_LOST: "The trust anchor's certificate could not be had.",
    Cause.REJECTED: "The object was rejected.",
    Cause.POINT_FAILED: "The publication point failed.",
    Cause.CA_LOST: "The certificate of the CA was not reached.",
}
