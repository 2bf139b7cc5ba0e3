"""One fetch of each repository in a run, unless something speaks against it; and what became of it, for later runs."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from rpkival.errors import RpkivalError, StateError
from rpkival.limits import (
    FALLBACK_SECONDS,
    FETCH_RETRY_SECONDS,
    FETCH_RUN_SECONDS,
    MAX_FETCH_RETRY_SECONDS,
    MAX_REPOSITORIES,
    RSYNC_CONNECT_SECONDS,
)
from rpkival.log import Log
from rpkival.repository.schedule import Schedule
from rpkival.repository.store import Store

__all__ = ["Attempts", "FetchOutcome", "FetchResult", "settled"]

log = Log("rpkival.repository")


class FetchResult(Protocol):
    """How one fetch ended: a dataclass, with more fields where the protocol has more to tell."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def uri(self) -> str:
        """What was fetched."""

    @property
    def protocol(self) -> str:
        """By `rrdp`, `https` or `rsync`."""

    @property
    def error(self) -> str | None:
        """What went wrong, in one sentence."""

    @property
    def seconds(self) -> float:
        """How long it took by the wall clock."""

    @property
    def received(self) -> int | None:
        """How many bytes came, None where that is not known."""


@dataclass(frozen=True, slots=True)
class FetchOutcome:
    """A fetch whose protocol has nothing more to tell."""

    uri: str
    protocol: str
    error: str | None
    seconds: float
    received: int | None = None


class Attempts:
    """Fetches side by side, each repository once.

    A repository that failed is left alone for a time that doubles with each failure, in this run and later ones. A host
    that held one fetch up is not asked again by the same protocol in this run. After `FETCH_RUN_SECONDS` no fetch
    begins, and beyond `MAX_REPOSITORIES` none but of repositories that have succeeded before. `results` has every fetch
    there was, in the order of their ends.
    """

    def __init__(self, store: Store, refresh: float, clock: Callable[[], float], chance: random.Random) -> None:
        self._store = store
        self._refresh = refresh
        self._clock = clock
        self._chance = chance
        self._schedule = Schedule()
        self._lock = threading.Lock()
        self._futures: dict[str, Future[str | None]] = {}
        self._held_up: set[tuple[str, str]] = set()
        self._began = time.monotonic()
        self.results: list[FetchResult] = []

    def once(self, uri: str, host: str, protocol: str, fetch: Callable[[], FetchResult]) -> Future[str | None]:
        """Have `fetch` done in another thread for the first caller; others with this URI get the same future.

        It has None or a sentence, never an exception.
        """
        future = self._futures.get(uri)
        if future is not None:
            return future
        # Who invents repositories without end must not keep us from those that have been there before: they wait behind
        # no stranger, and are beyond all number.
        is_known = self._has_succeeded(uri)
        with self._lock:
            future = self._futures.get(uri)
            if future is None and not is_known and len(self._futures) >= MAX_REPOSITORIES:
                return settled(f"{uri} is not fetched: this run has already fetched {MAX_REPOSITORIES} repositories.")
            if future is None:
                future = self._schedule.submit(host, lambda: self._attempt(uri, host, protocol, fetch), first=is_known)
                self._futures[uri] = future
        return future

    def close(self, seconds: float) -> bool:
        """Begin no more; whether all that had begun ended within the time."""
        return self._schedule.close(seconds)

    def _attempt(self, uri: str, host: str, protocol: str, fetch: Callable[[], FetchResult]) -> str | None:
        began, before, is_ours = time.monotonic(), 0, False
        try:
            if (reason := self._reason_against(uri, host, protocol)) is not None:
                return reason
            before = self._turn(uri)
            result: FetchResult = fetch()
        except RpkivalError as error:
            # A full disk is no reason to stay away from a repository once it has room again.
            is_ours = isinstance(error, StateError)
            result = FetchOutcome(uri, protocol, str(error), time.monotonic() - began)
        except Exception as error:
            # One repository must not be able to end the run by what we did not think of.
            log.exception("fetch_broke", uri=uri)
            told = f"{uri} could not be fetched for a fault of rpkival: {error!r}."
            result = FetchOutcome(uri, protocol, told, time.monotonic() - began)
        with self._lock:
            self.results.append(result)
            if result.error is not None and result.seconds >= RSYNC_CONNECT_SECONDS:
                self._held_up.add((host, protocol))
        try:
            # What was committed all the same (rsync could not read one file of many) is no reason to stay away.
            if not is_ours:
                self._note(uri, None if self._turn(uri) > before else result.error)
        except RpkivalError as error:
            return result.error or str(error)
        return result.error

    def _reason_against(self, uri: str, host: str, protocol: str) -> str | None:
        """Why this repository is not asked now, in one sentence, or None."""
        with self._lock:
            # Many hosts have their RRDP and their rsync server under one name, and one may stand in for the other.
            if (host, protocol) in self._held_up:
                return f"{uri} is not fetched: {host} has already held up a fetch of this run."
        if time.monotonic() - self._began >= FETCH_RUN_SECONDS:
            return f"{uri} is not fetched: the {FETCH_RUN_SECONDS:g} seconds for all fetches of a run are up."
        known = self._store.repository(uri)
        if known is not None and known.retry_at is not None:
            wait = known.retry_at - self._clock()
            # A pause longer than any comes from a clock that was wrong.
            if 0 < wait <= MAX_FETCH_RETRY_SECONDS:
                times = "once" if known.failures == 1 else f"{known.failures} times"
                return f"{uri} is not asked again for {wait:.0f} seconds: it failed {times}, last so: {known.error}"
        return None

    def _has_succeeded(self, uri: str) -> bool:
        try:
            known = self._store.repository(uri)
        except StateError:
            return False
        return known is not None and known.succeeded is not None

    def _turn(self, uri: str) -> int:
        known = self._store.repository(uri)
        return known.turn if known else 0

    def _note(self, uri: str, error: str | None) -> None:
        if error is None:
            longest = max(self._refresh, FALLBACK_SECONDS)
            self._store.note_success(uri, self._clock() + self._chance.uniform(self._refresh, longest))
            return
        known = self._store.repository(uri)
        failures = known.failures if known else 0
        pause = min(MAX_FETCH_RETRY_SECONDS, FETCH_RETRY_SECONDS * 2.0 ** min(failures, 20))
        self._store.note_failure(uri, error, self._clock() + pause * self._chance.uniform(0.5, 1.0))


def settled(outcome: str | None) -> Future[str | None]:
    """A future that has its outcome."""
    future: Future[str | None] = Future()
    future.set_result(outcome)
    return future
