"""An incident as people and programs see it: one prefix, one origin, from the first sight to the all-clear."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from feeds.route_batch import Peer
from rpkival.asn import format_asn
from rpkival.payload.vrps import Vrp

__all__ = [
    "Change",
    "Expected",
    "Incident",
    "IncidentChange",
    "IncidentState",
    "Observed",
    "Rpki",
    "Severity",
    "format_time",
]

IncidentState: TypeAlias = Literal["open", "resolved"]
Severity: TypeAlias = Literal["low", "medium", "high"]
Change: TypeAlias = Literal["opened", "updated", "resolved"]


@dataclass(frozen=True, slots=True)
class Expected:
    """The own prefix that is touched, and who may announce it. `learned`: a VRP made it own, not the operator."""

    prefix: str
    origins: tuple[int, ...]
    learned: bool = False


@dataclass(frozen=True, slots=True)
class Observed:
    """Who announced it, and who saw that. `paths` and `peers` are samples within limits; `peer_count` counts all."""

    origin: int
    paths: tuple[tuple[int, ...], ...] = ()
    peers: tuple[Peer, ...] = ()
    collectors: tuple[str, ...] = ()
    peer_count: int = 0


@dataclass(frozen=True, slots=True)
class Rpki:
    """The RFC 6811 state of what was announced, the reason of an invalid, and the VRPs that decided it."""

    state: str
    reason: str = ""
    vrps: tuple[Vrp, ...] = ()


@dataclass(frozen=True, slots=True)
class Incident:
    """Times are unix seconds. `confidence` is between 0 and 1; `reasons` say in words what it and `severity` rest on.

    `url` is the page of the incident, empty where no page is served.
    """

    id: str
    kind: str
    state: IncidentState
    severity: Severity
    confidence: float
    prefix: str
    expected: Expected
    observed: Observed
    rpki: Rpki
    first_seen: float
    last_seen: float
    resolved_at: float | None = None
    reasons: tuple[str, ...] = ()
    url: str = ""
    acknowledged_at: float | None = field(default=None, kw_only=True)

    def as_data(self) -> dict[str, Any]:
        """The `data` of a webhook, an API answer or a JSON line."""
        return {
            "id": self.id,
            "kind": self.kind,
            "state": self.state,
            "severity": self.severity,
            "confidence": self.confidence,
            "prefix": self.prefix,
            "expected": {
                "prefix": self.expected.prefix,
                "origins": [format_asn(asn) for asn in self.expected.origins],
            },
            "observed": {
                "origin": format_asn(self.observed.origin),
                "paths": [list(path) for path in self.observed.paths],
                "peers": [{"asn": format_asn(peer.asn), "address": peer.address} for peer in self.observed.peers],
                "peer_count": self.observed.peer_count,
                "collectors": list(self.observed.collectors),
            },
            "rpki": {
                "state": self.rpki.state,
                "reason": self.rpki.reason,
                "vrps": [
                    {
                        "asn": format_asn(vrp.asn),
                        "prefix": vrp.prefix,
                        "maxLength": vrp.max_length,
                        "ta": vrp.trust_anchor,
                    }
                    for vrp in self.rpki.vrps
                ],
            },
            "first_seen": format_time(self.first_seen),
            "last_seen": format_time(self.last_seen),
            "resolved_at": None if self.resolved_at is None else format_time(self.resolved_at),
            "acknowledged_at": None if self.acknowledged_at is None else format_time(self.acknowledged_at),
            "reasons": list(self.reasons),
            "url": self.url,
        }


@dataclass(frozen=True, slots=True)
class IncidentChange:
    """What happened to an incident, and what it is now."""

    change: Change
    incident: Incident


def format_time(seconds: float) -> str:
    """Unix seconds as RFC 3339, to the second."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
