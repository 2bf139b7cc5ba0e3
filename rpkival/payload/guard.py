"""The guard: a sudden loss that no CA has asked for is held back, and routers keep what they have.

A registry whose publication broke took twelve thousand VRPs away at once, a validator's fault two hundred thousand;
the routes that they protected stood open for hours. What a holder withdraws by manifest, revokes by CRL or lets
expire always goes at once. The rest is weighed against how much of a trust anchor, or of everything, it is.

What is held stays until it comes back, until its own signatures end, or until somebody releases it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from rpkival.payload.causes import Cause, Inquiry, Why, accidents
from rpkival.payload.changes import diff_vrps
from rpkival.payload.payload import Payload
from rpkival.payload.vrps import Vrps

__all__ = ["Hold", "Thresholds", "Verdict", "weigh"]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Shares from 0 to 1 that may be lost by accident within a day, and the number below which nobody cares.

    A CA that breaks alone takes a handful of VRPs along, a large one some hundreds of a registry's tens of thousands; a
    repository or a registry that breaks takes thousands. The shares lie between. A trust anchor of a laboratory or a
    company has so few VRPs that every change is a large share: hence the least number.
    """

    of_anchor: float = 0.05
    of_all: float = 0.02
    least: int = 100


@dataclass(frozen=True, slots=True)
class Hold:
    """What is held of one trust anchor: how many VRPs, of how many, and the causes with their numbers and an example.

    `share` is what the loss, with what was let go within a day, is of the trust anchor's VRPs.
    """

    trust_anchor: str
    vrps: int
    total: int
    share: float
    causes: dict[str, int]
    example: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """`payload` is what to serve. `let_go`: VRPs lost by accident and not held, by trust anchor."""

    payload: Payload
    holds: tuple[Hold, ...]
    let_go: dict[str, int]


def weigh(
    served: Payload,
    new: Payload,
    inquiry: Inquiry,
    thresholds: Thresholds,
    *,
    held_before: frozenset[str] = frozenset(),
    lost_lately: Mapping[str, int] | None = None,
) -> Verdict:
    """Decide which of the losses from `served` to `new` go through.

    `held_before`: trust anchors of which something is held already; the rest of it stays held until all is back, or
    one half that returns would let the other go. `lost_lately`: accidents let go within the last day, by trust anchor,
    so that many small steps are weighed as the large one that they are.
    """
    lately = lost_lately or {}
    withdrawn = diff_vrps(served.vrps, new.vrps).withdrawn
    reasons = {family: inquiry.of_columns(withdrawn, withdrawn.family(family)) for family in (4, 6)}
    lost = _accidents(withdrawn, reasons)
    numbers = _by_anchor(lost)
    totals = _by_anchor(served.vrps)
    all_lost, everything = sum(numbers.values()) + sum(lately.values()), sum(totals.values()) + sum(lately.values())
    held: list[str] = []
    for name, number in numbers.items():
        gone = number + lately.get(name, 0)
        total = totals.get(name, 0) + lately.get(name, 0)
        too_much = gone > thresholds.of_anchor * total or all_lost > thresholds.of_all * everything
        if name in held_before or (gone >= thresholds.least and too_much):
            held.append(name)
    kept = _of(lost, held)
    holds = tuple(_hold(name, withdrawn, reasons, numbers[name], totals, lately) for name in held)
    payload = replace(new, vrps=Vrps.concat([new.vrps, kept]).unique_sorted()) if len(kept) else new
    return Verdict(payload, holds, {name: number for name, number in numbers.items() if name not in held})


def _accidents(withdrawn: Vrps, reasons: Mapping[int, list[Why]]) -> Vrps:
    return replace(
        withdrawn,
        ipv4=withdrawn.ipv4.take(accidents(reasons[4])),
        ipv6=withdrawn.ipv6.take(accidents(reasons[6])),
    )


def _by_anchor(vrps: Vrps) -> dict[str, int]:
    counts = sum(
        np.bincount(columns.trust_anchor, minlength=len(vrps.trust_anchors)) for columns in (vrps.ipv4, vrps.ipv6)
    )
    return {
        name: number for name, number in zip(vrps.trust_anchors, np.asarray(counts).tolist(), strict=True) if number
    }


def _of(vrps: Vrps, names: list[str]) -> Vrps:
    rows = [row for row, name in enumerate(vrps.trust_anchors) if name in names]
    return replace(
        vrps,
        ipv4=vrps.ipv4.take(np.isin(vrps.ipv4.trust_anchor, rows)),
        ipv6=vrps.ipv6.take(np.isin(vrps.ipv6.trust_anchor, rows)),
    )


def _hold(
    name: str,
    withdrawn: Vrps,
    reasons: Mapping[int, list[Why]],
    number: int,
    totals: Mapping[str, int],
    lately: Mapping[str, int],
) -> Hold:
    causes: dict[str, int] = {}
    example = ""
    for family, columns in ((4, withdrawn.ipv4), (6, withdrawn.ipv6)):
        for anchor, why in zip(columns.trust_anchor.tolist(), reasons[family], strict=True):
            if withdrawn.trust_anchors[anchor] == name and not why.cause.is_the_holders_word:
                causes[why.cause] = causes.get(why.cause, 0) + 1
                example = example or why.sentence or _EXPLANATIONS[why.cause]
    total = totals.get(name, 0)
    share = (number + lately.get(name, 0)) / max(1, total + lately.get(name, 0))
    return Hold(name, number, total, share, causes, example)


_EXPLANATIONS = {
    Cause.ANCHOR_LOST: "The trust anchor's certificate could not be had.",
    Cause.REJECTED: "The object was rejected.",
    Cause.POINT_FAILED: "The publication point failed.",
    Cause.CA_LOST: "The certificate of the CA was not reached.",
}
