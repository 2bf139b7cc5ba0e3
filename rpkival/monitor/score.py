"""How bad it is and how sure we are, with the reasons in words.

The RPKI decides most: an invalid contradicts a signed statement, a not-found only what the operator told us. Each
further peer that sees the same halves the remaining doubt.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from rpkival.asn import format_asn
from rpkival.monitor.incidents import Expected, Rpki, Severity

__all__ = ["Score", "score"]

_BASE = {"invalid": 0.9, "not-found": 0.6}
_OWN_ON_PATH = 0.5
"""Of the false alarms in one full table measured against another day's, 20 to 40 % had the owner on the path."""


@dataclass(frozen=True, slots=True)
class Score:
    """`severity`, `confidence` (0 to 1, two digits) and why."""

    severity: Severity
    confidence: float
    reasons: tuple[str, ...]


def score(
    kind: str,
    prefix: str,
    origin: int,
    expected: Expected,
    rpki: Rpki,
    *,
    peers: int,
    collectors: int,
    paths: Collection[tuple[int, ...]],
) -> Score:
    """Judge an incident by its facts. `peers` and `collectors` count who has seen it; `paths` are how."""
    reasons = [_what(kind, prefix, origin, expected), _rpki(rpki), _seen(peers, collectors)]
    severity: Severity = "high" if rpki.state == "invalid" else "medium"
    confidence = 1 - (1 - _BASE.get(rpki.state, 0.5)) * 0.5 ** max(peers - 1, 0)
    if kind == "more-specific-unauthorised":
        severity, confidence = "low", min(confidence, 0.5)
        reasons.append("The origin is yours: make the ROA's maxLength fit if so, or ask who forges your AS number.")
    elif paths and all(set(path[:-1]) & set(expected.origins) for path in paths):
        # Whoever forges a path can write this too, so against a signed statement it does not count for severity.
        confidence *= _OWN_ON_PATH
        severity = "high" if severity == "high" else "low"
        reasons.append(
            "Every path to it goes through an expected origin: it may be a customer of yours, or the path is forged."
        )
    return Score(severity, round(min(confidence, 0.99), 2), tuple(reasons))


def _what(kind: str, prefix: str, origin: int, expected: Expected) -> str:
    who = format_asn(origin)
    if kind == "more-specific-unauthorised":
        return f"{who} announced {prefix}, a part of {expected.prefix} longer than any VRP of it allows."
    whole = f"your {prefix}" if prefix == expected.prefix else f"{prefix}, a part of your {expected.prefix}"
    if not expected.origins:
        return f"{who} announced {whole}, which nobody is expected to announce."
    names = [format_asn(asn) for asn in expected.origins]
    allowed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{who} announced {whole}, which only {allowed} may announce."


def _rpki(rpki: Rpki) -> str:
    if rpki.state != "invalid":
        return "The RPKI does not say who may announce it: no VRP covers it (not-found)."
    vrps = ", ".join(f"{vrp.prefix}-{vrp.max_length} {format_asn(vrp.asn)}" for vrp in rpki.vrps[:3])
    more = f" and {len(rpki.vrps) - 3} more" if len(rpki.vrps) > 3 else ""
    why = "it is longer than they allow" if rpki.reason == "length" else "none allows this origin"
    return f"The RPKI says it is invalid: VRPs cover it ({vrps}{more}) and {why}."


def _seen(peers: int, collectors: int) -> str:
    by = "1 peer" if peers == 1 else f"{peers} peers"
    return f"Seen by {by}." if collectors < 2 else f"Seen by {by} of {collectors} collectors."
