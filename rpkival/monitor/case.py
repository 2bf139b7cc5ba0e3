"""The life of one incident: evidence in, changes out. No clock, no database.

Theory of operation. A case is born *pending*, when a detector charges an announcement. It is

- opened when enough distinct peers have the route at once;
- updated, while open, when the peers that ever saw it have doubled or the RPKI says something else of it, so that even
  an event that the whole world sees makes a dozen alerts at most;
- resolved when nobody has the route any more, for as long as it takes to settle.

For an hour after that the same announcement is the same case, opened again. Each such return doubles the time of quiet
that the next all-clear needs, so that a flapping hijack cannot make a stream of alerts.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from feeds.route_batch import Peer
from rpkival.limits import MAX_OBSERVED_PATHS, MAX_OBSERVED_PEERS, MAX_SIGHTINGS
from rpkival.monitor.incidents import Change, Expected, Incident, Observed, Rpki
from rpkival.monitor.score import score

__all__ = ["Case", "CaseState", "Lifecycle", "Route", "Sighting"]

RETURN_WINDOW = 3600.0
"""Seconds after the all-clear in which the same announcement is a return, not a new incident."""

FIRST_SETTLE = 30.0
"""Seconds of quiet needed after the first return; doubles with each. 30 s is the advertisement interval of RFC 4271."""

CaseState: TypeAlias = Literal["pending", "open", "resolved"]


@dataclass(frozen=True, slots=True)
class Route:
    """Who holds the announcement: a path id (RFC 7911) of a peer of a collector."""

    collector: str
    peer: Peer
    path_id: int = 0


@dataclass(frozen=True, slots=True)
class Sighting:
    """The last word of one route holder: `active` while it has the announcement. `seen_at` is the feed's time."""

    path: tuple[int, ...]
    seen_at: float
    active: bool = True


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """Where a case stands. `quiet_since`: when the last holder lost it, None while one has it."""

    state: CaseState = "pending"
    returns: int = 0
    told_peers: int = 0
    told_rpki: str = ""
    quiet_since: float | None = None
    resolved_at: float | None = None


@dataclass(slots=True)
class Case:
    """One prefix announced by one origin, with all that is known of it. `excuse` tells why it is no longer one."""

    id: str
    kind: str
    prefix: str
    origin: int
    expected: Expected
    rpki: Rpki
    first_seen: float
    last_seen: float
    lifecycle: Lifecycle = field(default_factory=Lifecycle)
    sightings: dict[Route, Sighting] = field(default_factory=dict)
    excuse: str = ""
    unsaved: set[Route] = field(default_factory=set)
    saved: Lifecycle | None = None

    _held: Counter[int | str] = field(default_factory=Counter)
    _ever: set[int | str] = field(default_factory=set)
    _most: int = 0

    def __post_init__(self) -> None:
        for route, sighting in self.sightings.items():
            self._ever.add(_counted(route))
            if sighting.active:
                self._held[_counted(route)] += 1
        self._most = len(self._held)

    @property
    def is_active(self) -> bool:
        """Whether somebody has the route now."""
        return bool(self._held)

    @property
    def peer_count(self) -> int:
        """Distinct peers that ever had the route, an AS counting once: its routers mostly tell the same story."""
        return len(self._ever)

    @property
    def is_unsaved(self) -> bool:
        """Whether the database knows less than we."""
        return bool(self.unsaved) or self.lifecycle != self.saved

    def mark_saved(self) -> None:
        """The database knows all."""
        self.unsaved.clear()
        self.saved = self.lifecycle

    def see(self, route: Route, path: tuple[int, ...], at: float) -> None:
        """A holder announced it."""
        if self._is_news(route, at) and (route in self.sightings or len(self.sightings) < MAX_SIGHTINGS):
            self._put(route, Sighting(path, at))
            self.first_seen, self.last_seen = min(self.first_seen, at), max(self.last_seen, at)
            self.excuse = ""

    def lose(self, route: Route, at: float) -> None:
        """A holder withdrew it, or replaced it with another route (RFC 4271 section 3.1: an implicit withdrawal)."""
        sighting = self.sightings.get(route)
        if sighting and sighting.active and self._is_news(route, at):
            self._put(route, replace(sighting, seen_at=at, active=False))

    def pardon(self, excuse: str, at: float) -> None:
        """It has become legitimate: nobody counts as a holder any more."""
        for route, sighting in self.sightings.items():
            if sighting.active:
                self._put(route, replace(sighting, seen_at=max(at, sighting.seen_at), active=False))
        self._most = 0
        self.excuse = excuse

    def settle(self, now: float, min_peers: int) -> Change | None:
        """Take one step towards the state that the evidence asks for; what changed, None where it is reached.

        What came and went since the last step counts: a hijack of a second is an incident too.
        """
        life, most = self.lifecycle, self._most
        self._most = len(self._held)
        if self.is_active:
            life = replace(life, quiet_since=None)
        elif life.quiet_since is None:
            life = replace(life, quiet_since=now)
        change: Change | None = None
        match life.state:
            case "pending" | "resolved" if most >= max(min_peers, 1):
                change = "opened"
                returns = life.returns + (life.state == "resolved")
                life = replace(life, state="open", returns=returns, resolved_at=None)
            case "open" if life.quiet_since is not None and now >= life.quiet_since + self._settling_time():
                change = "resolved"
                life = replace(life, state="resolved", resolved_at=now)
            case "open" if self.peer_count >= 2 * life.told_peers or self.rpki.state != life.told_rpki:
                change = "updated"
        if change:
            life = replace(life, told_peers=self.peer_count, told_rpki=self.rpki.state)
        self.lifecycle = life
        return change

    def is_over(self, now: float) -> bool:
        """Whether it can be forgotten: resolved, or never opened, and quiet for the window of a return."""
        quiet_since = self.lifecycle.quiet_since
        return self.lifecycle.state != "open" and quiet_since is not None and now >= quiet_since + RETURN_WINDOW

    def incident(self, url_base: str = "") -> Incident:
        """As people see it."""
        life = self.lifecycle
        paths = tuple(dict.fromkeys(sighting.path for sighting in self.sightings.values()))
        peers = tuple(dict.fromkeys(route.peer for route in self.sightings))
        collectors = tuple(sorted({route.collector for route in self.sightings if route.collector}))
        verdict = score(
            self.kind,
            self.prefix,
            self.origin,
            self.expected,
            self.rpki,
            peers=self.peer_count,
            collectors=len(collectors),
            paths=paths,
        )
        reasons = list(verdict.reasons)
        if life.returns:
            reasons.append(f"It has come back {life.returns} times." if life.returns > 1 else "It has come back.")
        if life.state == "resolved":
            reasons.append(self.excuse or "All peers that saw it have withdrawn or replaced it.")
        return Incident(
            id=self.id,
            kind=self.kind,
            state="resolved" if life.state == "resolved" else "open",
            severity=verdict.severity,
            confidence=verdict.confidence,
            prefix=self.prefix,
            expected=self.expected,
            observed=Observed(
                self.origin, paths[:MAX_OBSERVED_PATHS], peers[:MAX_OBSERVED_PEERS], collectors, self.peer_count
            ),
            rpki=self.rpki,
            first_seen=self.first_seen,
            last_seen=self.last_seen,
            resolved_at=life.resolved_at,
            reasons=tuple(reasons),
            url=f"{url_base}/incidents/{self.id}" if url_base else "",
        )

    def _settling_time(self) -> float:
        returns = self.lifecycle.returns
        return min(FIRST_SETTLE * 2 ** min(returns - 1, 16), RETURN_WINDOW) if returns else 0.0

    def _is_news(self, route: Route, at: float) -> bool:
        known = self.sightings.get(route)
        return known is None or at >= known.seen_at

    def _put(self, route: Route, sighting: Sighting) -> None:
        known, peer = self.sightings.get(route), _counted(route)
        self.sightings[route] = sighting
        self.unsaved.add(route)
        self._ever.add(peer)
        self._held[peer] += sighting.active - (known.active if known else 0)
        if not self._held[peer]:
            del self._held[peer]
        self._most = max(self._most, len(self._held))


def _counted(route: Route) -> int | str:
    return route.peer.asn or route.peer.address
