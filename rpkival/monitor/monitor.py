"""The monitor: routes in, changes of incidents out, everything written before anything is told."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from feeds.route_batch import OriginKind, RouteBatch
from rpkival.limits import MAX_COVERING_VRPS, MAX_UNSETTLED_INCIDENTS
from rpkival.log import Log
from rpkival.monitor.as_sets import with_set_origins
from rpkival.monitor.case import Case, Route
from rpkival.monitor.cover import Keys, prefix_keys
from rpkival.monitor.detectors import KINDS, kinds_of
from rpkival.monitor.expectations import Expectations
from rpkival.monitor.incidents import Expected, IncidentChange, Rpki
from rpkival.monitor.judgement import Classifier, Judgement, judge
from rpkival.monitor.store import IncidentStore
from rpkival.origin.verdict import Reason, State
from rpkival.prefixes import Family, Prefixes, split_families

__all__ = ["Monitor"]

log = Log("rpkival.monitor")


@dataclass(frozen=True, slots=True)
class _Charge:
    """What a detector holds against one announcement."""

    kind: str
    expected: Expected
    rpki: Rpki


class Monitor:
    """Follows feeds against expectations.

    Only announcements inside own prefixes cost more than a look; only those of which a detector or an unsettled case
    wants to know become Python objects. A case and its event are one transaction. Not for use by two threads at once.
    """

    def __init__(
        self,
        store: IncidentStore,
        *,
        expectations: Expectations,
        index: Classifier,
        url_base: str = "",
        min_peers: int = 1,
        new_id: Callable[[float], str] | None = None,
    ) -> None:
        self._store = store
        self._expectations = expectations
        self._index = index
        self._url_base = url_base.rstrip("/")
        self._min_peers = min_peers
        self._new_id = new_id or _timely_id
        self._payload_changed = False
        self._cases: dict[str, Case] = {}
        self._by_prefix: dict[str, dict[int, Case]] = {}
        self._idle: dict[str, Case] = {}
        self._watched: dict[Family, Keys] = {}
        self._in_step = False
        self._load()

    @property
    def expectations(self) -> Expectations:
        """What is judged by now: the last ones given, and own prefixes whose VRPs are gone since."""
        return self._expectations

    def update(self, expectations: Expectations, index: Classifier) -> None:
        """Judge by these from the next step on; cases that they make legitimate are resolved with it."""
        self._expectations, self._index = expectations.remembering(self._expectations), index
        self._payload_changed = True

    def process(self, batch: RouteBatch, now: float) -> list[IncidentChange]:
        """Follow one batch. `now` is unix time (the batch's own in a replay).

        What it returns is in the database, with its events, when it returns. Raises `StateError` where it cannot be
        written; the same batch can then be given again.
        """
        return self._step(batch, now)

    def tick(self, now: float) -> list[IncidentChange]:
        """Let time pass without a batch: cases that have been quiet long enough, and those that `update` changed.

        Raises `StateError` as `process` does.
        """
        return self._step(None, now)

    def _step(self, batch: RouteBatch | None, now: float) -> list[IncidentChange]:
        if not self._in_step:
            self._load()
        self._in_step = False
        changes = self._settle(tuple(self._idle.values()), now)
        touched = self._pardon(now) if self._payload_changed else {}
        if batch is not None:
            touched |= self._follow(batch, now)
        changes += self._settle(touched.values(), now)
        self._payload_changed = False
        self._in_step = True
        return changes

    def _load(self) -> None:
        """Take the database's word for what is unsettled: at the start, and after a batch that failed halfway."""
        self._cases, self._by_prefix, self._idle, self._watched = {}, {}, {}, {}
        for case in self._store.unsettled():
            self._file(case, case.last_seen)
        learned = {
            case.expected.prefix: case.expected.origins for case in self._cases.values() if case.expected.learned
        }
        if learned:
            self._expectations = self._expectations.remembering(Expectations.learned(self._expectations.own, learned))
        self._in_step = True

    def _follow(self, batch: RouteBatch, now: float) -> dict[str, Case]:
        batch = with_set_origins(batch, self._expectations, self._index)
        has_origin = batch.announced & (batch.origin_kind == OriginKind.AS)
        judgement = judge(batch.prefixes, batch.origin, has_origin, self._expectations, self._index)
        if not len(judgement):
            return {}
        kinds = kinds_of(judgement)
        inside = batch.take(judgement.rows)
        wanted = np.flatnonzero(self._concerns(inside.prefixes, kinds > 0))
        touched: dict[str, Case] = {}
        charges: dict[tuple[str, int], _Charge] = {}
        refused = 0
        for row, prefix in zip(wanted.tolist(), inside.prefixes.take(wanted).texts(), strict=True):
            route = Route(batch.collector, batch.peers[inside.peer[row]], int(inside.path_id[row]))
            # A feed is not believed that speaks of the future, or nothing it says later would be news.
            at, origin = min(max(float(inside.time[row]), 0.0), now), int(inside.origin[row])
            for other in self._by_prefix.get(prefix, {}).values():
                if not kinds[row] or other.origin != origin:
                    other.lose(route, at)
                    touched[other.id] = other
            if not kinds[row]:
                continue
            charge = charges.get((prefix, origin))
            if charge is None:
                one = inside.prefixes.take(slice(row, row + 1))
                charge = charges[prefix, origin] = self._charge(one, judgement, row, KINDS[kinds[row]])
            case = self._case(prefix, origin, charge, at, now)
            if case is None:
                refused += 1
                continue
            case.see(route, tuple(batch.paths.path(inside.path[row])), at)
            touched[case.id] = case
        if refused:
            log.error("too_many_incidents", limit=MAX_UNSETTLED_INCIDENTS, announcements_passed_over=refused)
        return touched

    def _concerns(self, prefixes: Prefixes, charged: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """`bool[k]`: rows whose prefix has a case or a charge: what replaces or ends a hijack matters as it does."""
        if not self._watched:
            held = {case.prefix for case in self._cases.values() if case.is_active}
            ipv4, ipv6 = split_families(held)
            self._watched = {4: prefix_keys(ipv4[0]), 6: prefix_keys(ipv6[0])}
        watched = self._watched[prefixes.family]
        if not len(watched) and not charged.any():
            return charged
        keys = prefix_keys(prefixes)
        return np.isin(keys, np.concatenate((keys[charged], watched)))

    def _charge(self, prefix: Prefixes, judgement: Judgement, row: int, kind: str) -> _Charge:
        family, own = prefix.family, int(judgement.own[row])
        whole = self._expectations.cover(family).prefixes.take(slice(own, own + 1)).texts()[0]
        return _Charge(
            kind,
            Expected(whole, self._expectations.origins(family, own), not self._expectations.is_named(family, own)),
            Rpki(
                State(judgement.verdicts.state[row]).text,
                Reason(judgement.verdicts.reason[row]).text,
                tuple(islice(self._index.covering(prefix), MAX_COVERING_VRPS)),
            ),
        )

    def _case(self, prefix: str, origin: int, charge: _Charge, at: float, now: float) -> Case | None:
        case = self._by_prefix.get(prefix, {}).get(origin)
        if case is None:
            if len(self._cases) >= MAX_UNSETTLED_INCIDENTS:
                return None
            case = Case(self._new_id(now), charge.kind, prefix, origin, charge.expected, charge.rpki, at, at)
            self._keep(case)
        case.kind, case.expected, case.rpki = charge.kind, charge.expected, charge.rpki
        return case

    def _pardon(self, now: float) -> dict[str, Case]:
        """Judge all cases again by the new payload; what is no longer charged is pardoned."""
        cases = list(self._cases.values())
        for prefixes, at in split_families(case.prefix for case in cases):
            chosen = [cases[i] for i in at.tolist()]
            origin = np.array([case.origin for case in chosen], np.uint32)
            judgement = judge(prefixes, origin, np.ones(len(chosen), np.bool_), self._expectations, self._index)
            kinds = kinds_of(judgement)
            row_of = {number: row for row, number in enumerate(judgement.rows.tolist())}
            for number, case in enumerate(chosen):
                row = row_of.get(number, -1)
                if row >= 0 and kinds[row]:
                    charge = self._charge(prefixes.take(slice(number, number + 1)), judgement, row, KINDS[kinds[row]])
                    case.kind, case.expected, case.rpki = charge.kind, charge.expected, charge.rpki
                else:
                    case.pardon(_excuse(judgement, row), now)
        return {case.id: case for case in cases}

    def _settle(self, touched: Iterable[Case], now: float) -> list[IncidentChange]:
        steps = [(case, self._changes(case, now)) for case in touched]
        steps = [(case, changes) for case, changes in steps if case.is_unsaved or case.is_over(now)]
        if not steps:
            return []
        with self._store.database.transaction():
            for case, changes in steps:
                self._store.save(case, case.incident(self._url_base))
                if case.is_over(now):
                    self._store.forget(case)
                for change in changes:
                    self._store.tell(f"incident.{change.change}", change.incident, now)
        for case, _ in steps:
            case.mark_saved()
            self._file(case, now)
        self._watched = {}
        return [change for _, changes in steps for change in changes]

    def _changes(self, case: Case, now: float) -> list[IncidentChange]:
        changes = []
        while change := case.settle(now, self._min_peers):
            changes.append(IncidentChange(change, case.incident(self._url_base)))
        return changes

    def _file(self, case: Case, now: float) -> None:
        """Keep a case, among the idle while only time can change it, or drop it when it is over."""
        self._keep(case)
        self._idle.pop(case.id, None)
        if case.is_over(now):
            del self._cases[case.id]
            others = self._by_prefix[case.prefix]
            del others[case.origin]
            if not others:
                del self._by_prefix[case.prefix]
        elif not case.is_active:
            self._idle[case.id] = case

    def _keep(self, case: Case) -> None:
        self._cases[case.id] = case
        self._by_prefix.setdefault(case.prefix, {})[case.origin] = case


def _excuse(judgement: Judgement, row: int) -> str:
    """Why an announcement is no longer charged; `row` is -1 where it touches no own prefix any more."""
    if row < 0:
        return "Its prefix is no longer among those that you call yours."
    if judgement.verdicts.state[row] == State.VALID:
        return "A VRP now allows this announcement."
    return "Its origin is one that is expected to announce it."


def _timely_id(now: float) -> str:
    """Ids that sort by time, so that the newest incidents are the last ones."""
    return f"inc_{int(now * 1000):012x}{secrets.token_hex(5)}"
