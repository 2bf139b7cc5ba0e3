"""The payload in force: restored at the start, replaced by each validation, told to everybody who needs it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Collection
from pathlib import Path

from rpkival.daemon.guarding import Guarding, Held
from rpkival.daemon.job import Outcome
from rpkival.daemon.local_exceptions import LocalExceptions
from rpkival.errors import StateError
from rpkival.history.record import changes_between
from rpkival.log import Log
from rpkival.origin.index import OriginIndex
from rpkival.payload.causes import Inquiry
from rpkival.payload.expiry import of_trust_anchors, unexpired
from rpkival.payload.guard import Thresholds
from rpkival.payload.payload import Payload
from rpkival.payload.snapshot import SNAPSHOT_NAME, Snapshot
from rpkival.rtr.kept import KeptCache
from rpkival.rtr.pdu import Timers
from rpkival.validation.report import Report
from web.view import Fetch, ValidationSummary, View

__all__ = ["Board"]

log = Log("rpkival.payload")

_NO_REPORT = Report(0, (), (), ())


class Board:
    """Holds the RTR cache and fills the page's view; `changed` is called, in the event loop, after each new payload.

    The last good payload is on disk with its RTR session and serial, so a restart goes unnoticed by routers. What the
    guard (None of `thresholds`: there is none) holds back is told to `on_held` once.
    """

    def __init__(
        self,
        data_dir: Path,
        view: View,
        changed: Callable[[], None],
        *,
        thresholds: Thresholds | None = None,
        on_held: Callable[[Held], None] | None = None,
        local: LocalExceptions | None = None,
        timers: Timers | None = None,
    ) -> None:
        self._view = view
        self._changed = changed
        self._kept = KeptCache(data_dir / SNAPSHOT_NAME, secrets.randbelow(2**16), timers=timers)
        self.cache = self._kept.cache
        self._turn = asyncio.Lock()
        self._guard = Guarding(data_dir, thresholds)
        self._on_held = on_held
        self._told_of = self._guard.held.id
        self._local = local or LocalExceptions((), data_dir, view)
        self._validated: Payload | None = None
        """What validation and the guard gave; with the local exceptions it becomes what is served."""
        self._fresh: tuple[Payload, Inquiry] | None = None
        """What the last validation said before the guard, for the case that what is held is released."""

    async def restore(self, now: float) -> None:
        """Serve what the last process served, if there is any and as far as it still holds at `now` (unix seconds)."""
        last = self._kept.last
        if last is not None:
            log.info("snapshot_restored", vrps=len(last.vrps), serial=last.serial)
            async with self._turn:
                await self._serve(last.payload, last.generated)
                self._validated = await asyncio.to_thread(self._local.recall, last.payload)
            if self._local.current or self._validated is not last.payload:
                await self.apply_exceptions(now)
            await self.expire(now)

    async def apply_exceptions(self, now: float) -> None:
        """Serve the same data with the local exceptions of now (unix seconds)."""
        async with self._turn:
            if self._validated is not None and self._view.snapshot is not None:
                await self._put(self._validated, self._view.snapshot.generated, Inquiry.of_exceptions(now))

    async def take(self, outcome: Outcome) -> None:
        """Put the outcome of a validation in force.

        A trust anchor whose certificate could not be had is out of reach, not empty: what it said last stays until it
        expires.
        """
        lost = _lost(outcome)
        payload = outcome.payload
        async with self._turn:
            before = self._validated
            if lost and before is not None:
                payload = Payload.concat([payload, of_trust_anchors(before, lost)])
            self._tell_of_lost(lost, outcome)
            self._view.validation = _summary(outcome)
            if lost and not len(payload) and len(lost) == len(outcome.report.trust_anchors):
                # Nobody has said that there is nothing. Routers that are told so would take every route for unsigned.
                return
            inquiry = Inquiry(outcome.report, lost, outcome.finished, outcome.payload)
            payload = unexpired(payload, outcome.finished)
            self._fresh = payload, inquiry
            if before is not None:
                payload = await asyncio.to_thread(self._guard.weigh, before, payload, inquiry, outcome.finished)
                self._tell_of_held()
            changed = await self._put(payload, int(outcome.started), inquiry)
        log.info(
            "validated",
            vrps=len(self.cache.vrps),
            serial=self.cache.serial,
            changed=changed,
            rejected=len(outcome.report.rejections),
            seconds=round(outcome.finished - outcome.started, 3),
        )
        for renamed in outcome.report.renamed_manifests:
            log.warning("manifest_renamed", trust_anchor=renamed.trust_anchor, before=renamed.before, now=renamed.now)

    async def release(self, now: float) -> None:
        """Let go what the guard holds, if an operator has said so; `now` is unix seconds."""
        async with self._turn:
            snapshot = self._view.snapshot
            if not self._guard.release_requested() or snapshot is None or self._fresh is None:
                return
            self._guard.let_go()
            self._tell_of_held()
            payload, inquiry = self._fresh
            await self._put(unexpired(payload, now), snapshot.generated, inquiry)

    def _tell_of_held(self) -> None:
        held = self._guard.held
        self._view.holds = held.holds
        if not held.holds:
            self._view.troubles.pop("guard", None)
        else:
            self._view.troubles["guard"] = held.sentence
        if self._on_held is not None and held.id and held.id != self._told_of:
            self._on_held(held)
        self._told_of = held.id

    def _tell_of_lost(self, lost: Collection[str], outcome: Outcome) -> None:
        for error in outcome.fetch_errors:
            log.warning("fetch_failed", error=error)
        if not lost:
            self._view.troubles.pop("trust anchors", None)
            return
        why = f" {outcome.fetch_errors[0]}" if outcome.fetch_errors else ""
        names = ", ".join(sorted(lost))
        self._view.troubles["trust anchors"] = (
            f"Out of reach, or too large: {names}. What was known of them is served until it expires.{why}"
        )
        log.error("trust_anchors_out_of_reach", names=names)

    async def expire(self, now: float) -> None:
        """Take back what has expired at `now`, whether or not validation still works."""
        async with self._turn:
            snapshot, before = self._view.snapshot, self._validated
            if snapshot is None or before is None:
                return
            left = unexpired(before, now)
            if left is not before:
                log.warning("payload_expired", expired=len(before) - len(left), left=len(left))
                await self._put(left, snapshot.generated, Inquiry(_NO_REPORT, (), now))

    async def _put(self, validated: Payload, generated: int, inquiry: Inquiry) -> bool:
        """Serve what was validated, as the local exceptions have it; True where routers have something to fetch."""
        self._validated = validated
        applied = await asyncio.to_thread(self._local.current.apply, validated)
        self._local.tell(applied)
        await asyncio.to_thread(self._local.remember, validated)
        return await self._serve(applied.payload, generated, inquiry)

    async def _serve(self, payload: Payload, generated: int, inquiry: Inquiry | None = None) -> bool:
        """Serve a payload; True where routers have something to fetch. `inquiry` knows why anything is gone."""
        before = self._view.snapshot
        changed = await asyncio.to_thread(self._kept.update, payload, generated)
        # Where only times have changed, the cache keeps its set, which has the old ones.
        if not changed:
            await asyncio.to_thread(self._kept.renew, payload, generated)
        if self._kept.trouble:
            after = "After a restart routers would have to wait for a validation."
            self._view.troubles["snapshot"] = f"{self._kept.trouble} {after}"
        else:
            self._view.troubles.pop("snapshot", None)
        self._view.index = await asyncio.to_thread(OriginIndex.build, payload.vrps)
        self._view.snapshot = Snapshot(payload, generated, self.cache.serial, self.cache.session_id)
        if changed and before is not None and inquiry is not None:
            await asyncio.to_thread(self._remember, before.payload, payload, inquiry)
        self._changed()
        return changed

    def _remember(self, old: Payload, new: Payload, inquiry: Inquiry) -> None:
        """Write what changed into the history; routers have it already, and nothing of theirs waits for a database."""
        if self._view.history is None:
            return
        try:
            self._view.history.add(changes_between(old, new, inquiry), inquiry.now, self.cache.serial)
        except StateError as error:
            log.error("history_not_kept", error=str(error))


def _lost(outcome: Outcome) -> frozenset[str]:
    """The trust anchors of which we do not know all that they say."""
    anchors = outcome.report.trust_anchors
    return frozenset(anchor.name for anchor in anchors if not (anchor.uri and anchor.complete))


def _summary(outcome: Outcome) -> ValidationSummary:
    fetches = (
        Fetch(
            each.uri,
            each.protocol,
            each.error,
            each.seconds,
            each.received,
            getattr(each, "serial", None),
            None if each.error is None else getattr(each, "status", getattr(each, "exit_code", None)),
        )
        for each in outcome.fetches
    )
    return ValidationSummary(outcome.started, outcome.finished, outcome.report, tuple(fetches))
