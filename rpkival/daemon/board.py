"""The payload in force: restored at the start, replaced by each validation, told to everybody who needs it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from functools import partial
from pathlib import Path

import structlog

from rpkival.daemon.job import Outcome
from rpkival.errors import StateError
from rpkival.origin.index import OriginIndex
from rpkival.payload.snapshot import SNAPSHOT_NAME, Snapshot, load_snapshot, save_snapshot
from rpkival.payload.vrps import Vrps
from rpkival.rtr.cache import Cache
from web.view import AnchorSummary, ValidationSummary, View

__all__ = ["Board"]

log = structlog.get_logger("rpkival.payload")


class Board:
    """Holds the RTR cache and fills the page's view; `changed` is called, in the event loop, after each new payload.

    The last good payload is on disk with its RTR session and serial, so a restart goes unnoticed by routers.
    """

    def __init__(self, data_dir: Path, view: View, changed: Callable[[], None]) -> None:
        self._path = data_dir / SNAPSHOT_NAME
        self._view = view
        self._changed = changed
        self._last: Snapshot | None = None
        if self._path.exists():
            try:
                self._last = load_snapshot(self._path)
            except StateError as error:
                log.error("snapshot_lost", error=str(error))
        session_id = self._last.session_id if self._last else secrets.randbelow(2**16)
        self.cache = Cache(session_id, self._last.serial if self._last else 0)
        self._session_id = session_id

    async def restore(self) -> None:
        """Serve what the last process served, if there is any."""
        if self._last is not None:
            log.info("snapshot_restored", vrps=len(self._last.vrps), serial=self._last.serial)
            await self._put(self._last)

    async def take(self, outcome: Outcome) -> None:
        """Put the outcome of a validation in force."""
        generated = int(outcome.started)
        # Before any router can have it: a serial that routers know and the disk does not would, after a crash, be given
        # to other data, and those routers would never learn of them.
        changed = await asyncio.to_thread(self.cache.update, outcome.vrps, save=partial(self._save, generated))
        if not changed:
            await asyncio.to_thread(self._save, generated, self.cache.vrps, self.cache.serial)
        snapshot = Snapshot(self.cache.vrps, generated, self.cache.serial, self._session_id)
        await self._put(snapshot)
        self._view.validation = _summary(outcome)
        log.info(
            "validated",
            vrps=len(snapshot.vrps),
            serial=snapshot.serial,
            changed=changed,
            rejected=len(outcome.report.rejections),
            seconds=round(outcome.finished - outcome.started, 3),
        )
        for problem in outcome.report.fetch_problems:
            log.warning("fetch_failed", uri=problem.uri, error=problem.sentence)

    def _save(self, generated: int, vrps: Vrps, serial: int) -> None:
        try:
            save_snapshot(self._path, Snapshot(vrps, generated, serial, self._session_id))
        except StateError as error:
            # Routers and people are served from memory; only the next start would be poorer.
            log.error("snapshot_not_saved", error=str(error))

    async def _put(self, snapshot: Snapshot) -> None:
        if not self.cache.ready:
            await asyncio.to_thread(self.cache.update, snapshot.vrps)
        self._view.index = await asyncio.to_thread(OriginIndex.build, snapshot.vrps)
        self._view.snapshot = snapshot
        self._changed()


def _summary(outcome: Outcome) -> ValidationSummary:
    return ValidationSummary(
        outcome.started,
        outcome.finished,
        tuple(
            AnchorSummary(
                anchor.name,
                anchor.counts.publication_points_valid,
                anchor.counts.publication_points_rejected,
                anchor.counts.roas_valid,
                anchor.counts.roas_rejected,
                anchor.counts.vrps,
            )
            for anchor in outcome.report.trust_anchors
        ),
        outcome.report.rejections,
    )
