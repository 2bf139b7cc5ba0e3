"""What may still be served of a payload: what has not expired, and what a trust anchor that is out of reach had."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rpkival.payload.payload import Aspa, Payload, RouterKey
from rpkival.payload.vrps import VrpColumns

__all__ = ["of_trust_anchors", "unexpired"]


def unexpired(payload: Payload, now: float) -> Payload:
    """What of it has a chain of signatures that still holds at `now` (unix seconds), or does not say how long."""
    return _chosen(
        payload,
        lambda columns: (columns.expires == 0) | (columns.expires > now),
        lambda each: not each.expires or each.expires > now,
    )


def of_trust_anchors(payload: Payload, names: Collection[str]) -> Payload:
    """What of it is of the trust anchors with these names."""
    rows = np.array([row for row, name in enumerate(payload.vrps.trust_anchors) if name in names], np.uint16)
    return _chosen(
        payload, lambda columns: np.isin(columns.trust_anchor, rows), lambda each: each.trust_anchor in names
    )


def _chosen(
    payload: Payload,
    choose: Callable[[VrpColumns], NDArray[np.bool_]],
    choose_one: Callable[[Aspa | RouterKey], bool],
) -> Payload:
    """The same object where nothing is left out."""
    vrps = payload.vrps
    ipv4, ipv6 = choose(vrps.ipv4), choose(vrps.ipv6)
    aspas = tuple(filter(choose_one, payload.aspas))
    router_keys = tuple(filter(choose_one, payload.router_keys))
    if not (ipv4.all() and ipv6.all()):
        vrps = replace(vrps, ipv4=vrps.ipv4.take(ipv4), ipv6=vrps.ipv6.take(ipv6))
    elif len(aspas) == len(payload.aspas) and len(router_keys) == len(payload.router_keys):
        return payload
    return Payload(vrps, aspas, router_keys)
