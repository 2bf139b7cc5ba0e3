"""Why an announcement is valid, invalid or not-found: in words, and as Routinator's validity API says it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rpkival.asn import format_asn
from rpkival.origin.index import OriginIndex, covers
from rpkival.origin.times import rfc3339
from rpkival.origin.verdict import Reason, State
from rpkival.payload.local_source import LocalSource
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.prefixes import Prefixes, parse_prefix

__all__ = ["Validity", "covering_vrps", "explain", "is_local"]

_DESCRIPTIONS = {
    "valid": "At least one VRP Matches the Route Prefix",
    "as": "At least one VRP Covers the Route Prefix, but no VRP ASN matches the route origin ASN",
    "length": (
        "At least one VRP Covers the Route Prefix, but the Route Prefix length is greater than the maximum length "
        "allowed by VRP(s) matching this route origin ASN"
    ),
    "not-found": "No VRP Covers the Route Prefix",
}
"""Routinator's, which took them from the RIPE NCC's validator; scripts compare them."""


@dataclass(frozen=True, slots=True)
class Validity:
    """The verdict on one announcement, and the VRPs that decided it.

    The three lists are Routinator's: a VRP that is wrong in both ways, origin and length, stands in `unmatched_length`.
    `reason` is `Reason.LENGTH` where a covering VRP has this origin, else `Reason.AS`.
    """

    prefix: str
    asn: int
    state: State
    reason: Reason
    matched: tuple[Vrp, ...]
    unmatched_as: tuple[Vrp, ...]
    unmatched_length: tuple[Vrp, ...]

    def to_routinator(self) -> dict[str, Any]:
        """The `validated_route` object of Routinator's validity API, field for field, `max_length` as text included.

        Routinator's own `reason` is "as" wherever any VRP stands in `unmatched_as`, else "length". That differs from
        ours for a route whose origin has a VRP that is too short beside another AS's that is not, and for one that only
        VRPs wrong in both ways cover; it is given here as Routinator gives it.
        """
        word = self.state.text
        if self.state is State.INVALID:
            word = "as" if self.unmatched_as else "length"
        validity: dict[str, Any] = {"state": self.state.text}
        if self.state is State.INVALID:
            validity["reason"] = word
        validity["description"] = _DESCRIPTIONS[word]
        validity["VRPs"] = {
            "matched": [_routinator_vrp(vrp) for vrp in self.matched],
            "unmatched_as": [_routinator_vrp(vrp) for vrp in self.unmatched_as],
            "unmatched_length": [_routinator_vrp(vrp) for vrp in self.unmatched_length],
        }
        return {"route": {"origin_asn": format_asn(self.asn), "prefix": self.prefix}, "validity": validity}

    def details(self) -> dict[str, Any]:
        """What Routinator does not tell: the reason in words, and where each VRP comes from and until when it holds."""
        return {
            "state": self.state.text,
            "reason": self.reason.text or None,
            "sentence": self.sentence(),
            "vrps": [
                {
                    "asn": format_asn(vrp.asn),
                    "prefix": vrp.prefix,
                    "max_length": vrp.max_length,
                    "fits": self.fits(vrp),
                    "trust_anchor": vrp.trust_anchor or None,
                    "expires": rfc3339(vrp.expires) if vrp.expires else None,
                    "source": vrp.source or None,
                }
                for vrp in self.vrps()
            ],
        }

    def vrps(self) -> tuple[Vrp, ...]:
        """All covering VRPs, what matches first."""
        return (*self.matched, *self.unmatched_length, *self.unmatched_as)

    def fits(self, vrp: Vrp) -> str:
        """How one of the covering VRPs stands to the announcement, in a word or two."""
        wrong = ["other origin"] * (vrp.asn != self.asn or not self.asn) + ["too specific"] * (
            _length(self.prefix) > vrp.max_length
        )
        return " and ".join(wrong) or "matches"

    def sentence(self) -> str:
        """The verdict for people who do not know what a VRP is."""
        origin = format_asn(self.asn)
        if self.state is State.VALID:
            vrp = min(self.matched, key=is_local)  # what is signed says more than what we say ourselves
            if is_local(vrp):
                return f"A local exception lets {origin} announce {vrp.prefix}{_down_to(vrp)}; nobody has signed that."
            return f"The holder of {vrp.prefix} has signed that {origin} may announce it{_down_to(vrp)}."
        if self.state is State.NOT_FOUND:
            return "Nobody has signed who may announce these addresses, so it cannot be checked; routers accept it."
        if self.reason is Reason.LENGTH:
            best = max((vrp for vrp in self.unmatched_length if vrp.asn == self.asn), key=lambda vrp: vrp.max_length)
            bound = "the local exception lets it be" if is_local(best) else "signed for"
            return (
                f"{origin} may announce {best.prefix}{_down_to(best)}, but this is a /{_length(self.prefix)}, "
                f"which is more specific than {bound}; routers that check drop it."
            )
        if not self.asn:
            return "AS0 is nobody and can announce nothing (RFC 7607); routers that check drop it."
        signed = not all(map(is_local, self.vrps()))
        allowed = sorted({vrp.asn for vrp in self.vrps()} - {0})
        if not allowed:
            says = "The holder has signed" if signed else "A local exception says"
            return f"{says} that nobody may announce these addresses (AS0); routers that check drop it."
        named = ", ".join(map(format_asn, allowed[:5])) + (" and others" if len(allowed) > 5 else "")
        says = "The holder has signed" if signed else "A local exception speaks"
        return f"{says} for {named}, not for {origin}; routers that check drop it."


def explain(source: OriginIndex | Vrps, prefix: str, asn: int) -> Validity:
    """Judge the announcement of `prefix` by `asn`, with everything that decided it.

    An index answers at once; VRPs (sorted or not) are searched through, which for one question is faster than to index
    them. Raises `PrefixError`.
    """
    wanted = parse_prefix(prefix)
    covering = source.covering(wanted) if isinstance(source, OriginIndex) else covering_vrps(source, wanted)
    length = int(wanted.length[0])
    matched, unmatched_as, unmatched_length = [], [], []
    for vrp in covering:
        if length > vrp.max_length:
            unmatched_length.append(vrp)
        elif vrp.asn != asn or asn == 0:
            # RFC 6483 section 4: a VRP of AS 0 matches nothing, not even AS 0.
            unmatched_as.append(vrp)
        else:
            matched.append(vrp)
    state, reason = State.NOT_FOUND, Reason.NONE
    if matched:
        state = State.VALID
    elif unmatched_as or unmatched_length:
        state = State.INVALID
        reason = Reason.LENGTH if asn and any(vrp.asn == asn for vrp in unmatched_length) else Reason.AS
    return Validity(wanted.texts()[0], asn, state, reason, tuple(matched), tuple(unmatched_as), tuple(unmatched_length))


def is_local(vrp: Vrp) -> bool:
    """Whether a local exception asserts it, and no signature."""
    return LocalSource.parse(vrp.source) is not None


def covering_vrps(vrps: Vrps, prefix: Prefixes) -> Vrps:
    """The VRPs that cover `prefix` (one row), shortest prefix first, each once."""
    found = []
    for columns in (vrps.ipv4, vrps.ipv6):
        if columns.prefixes.family != prefix.family:
            found.append(columns.take(slice(0, 0)))
            continue
        every = np.arange(len(columns), dtype=np.int32)
        found.append(columns.take(covers(columns.prefixes, every, prefix, np.zeros(len(columns), np.int64))))
    return replace(vrps, ipv4=found[0], ipv6=found[1]).unique_sorted()


def _routinator_vrp(vrp: Vrp) -> dict[str, str]:
    return {"asn": format_asn(vrp.asn), "prefix": vrp.prefix, "max_length": str(vrp.max_length)}


def _length(prefix: str) -> int:
    return int(prefix.rpartition("/")[2])


def _down_to(vrp: Vrp) -> str:
    return f" down to /{vrp.max_length}" if vrp.max_length > _length(vrp.prefix) else ""
