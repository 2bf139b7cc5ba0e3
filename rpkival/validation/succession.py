"""Whether the key that a trust anchor announces may take the place of its present one (RFC 9691 section 4)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from rpkival.limits import ACCEPTANCE_SECONDS
from rpkival.objects.tal import Tal
from rpkival.validation.anchors import Anchor, look_at_anchor
from rpkival.validation.source import Source

__all__ = ["AcceptanceTimer", "fingerprint", "next_timer", "objection_to_successor", "successor_locator"]


@dataclass(frozen=True, slots=True)
class AcceptanceTimer:
    """Since when (unix seconds) each run has found the successor with this key (hex SHA-256) to be good."""

    successor: str
    since: int

    @property
    def ends(self) -> int:
        """When the successor may be followed, in unix seconds."""
        return self.since + ACCEPTANCE_SECONDS


def fingerprint(key_info: bytes) -> str:
    """Hex SHA-256 of a DER SubjectPublicKeyInfo."""
    return hashlib.sha256(key_info).hexdigest()


def successor_locator(anchor: Anchor) -> Tal | None:
    """The locator that `anchor` announces, under the name and the terms of the present one; None without any."""
    key = anchor.successor
    return None if key is None else Tal(anchor.tal.name, key.uris, key.key_info, anchor.tal.terms)


def objection_to_successor(anchor: Anchor, source: Source, now: int) -> str | None:
    """Why the successor that `anchor` announces must not be followed, None where there is no reason but its timer.

    The successor has to be a trust anchor that works, and its own object has to name the present key as the one before.
    """
    locator = successor_locator(anchor)
    if locator is None:
        return "No successor is announced."
    following = look_at_anchor(locator, source, now)
    if not following.uri:
        return "The successor's certificate is not there, or not good."
    if following.predecessor is None:
        return "The successor has no trust anchor key object that names the key before it."
    if following.predecessor.key_info != anchor.tal.key_info:
        return "The successor names another key as the one before it than the present one."
    return None


def next_timer(timer: AcceptanceTimer | None, good_successor: bytes | None, now: int) -> AcceptanceTimer | None:
    """The timer after a run at `now` that has found the successor with this key (None: none) to be good.

    One successor after another starts a new timer, and so does a run without a good one between them.
    """
    if good_successor is None:
        return None
    key = fingerprint(good_successor)
    # A clock that was ahead when the timer was started must not make it longer.
    return timer if timer is not None and timer.successor == key and timer.since <= now else AcceptanceTimer(key, now)
