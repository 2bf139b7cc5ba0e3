"""By which protocol a repository comes: RRDP first, and rsync where that may help out."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Literal, Protocol
from urllib.parse import urlsplit

from rpkival.errors import RpkivalError, UriError
from rpkival.objects.place import Place
from rpkival.repository.attempts import Attempts, FetchOutcome, FetchResult, settled
from rpkival.repository.mirror import RsyncMirror
from rpkival.repository.store import Store
from rpkival.repository.uri import RsyncUri

__all__ = ["Collector", "Fallback", "Https", "RrdpClient"]

Fallback = Literal["never", "stale", "new"]

_CLOSE_SECONDS = 3.0
"""For fetches under way to end with the run; an rsync that is killed does at once."""


class RrdpClient(Protocol):
    """Brings an RRDP repository into the store; has a deadline of its own."""

    def update(self, notify_uri: str, store: Store) -> FetchResult:
        """Until it is there or has failed. Raises `StateError` where the store is at fault."""


class Https(Protocol):
    """Fetches single files."""

    def get(self, uri: str) -> bytes:
        """The content, a trust anchor's certificate. Raises `RpkivalError`."""


class Collector:
    """Fetches what places ask for.

    When RRDP fails, rsync follows as `fallback` says: `never`; `new`, where RRDP has never succeeded; `stale`, also
    where its last success is older than a time drawn at that success, between `refresh` seconds and an hour, so that
    not all the world's relying parties come to the rsync server at once. What is None is not used: `rrdp` and `https`
    with `--no-rrdp`, `mirror` with `--no-rsync` or where rsync is not installed.
    """

    def __init__(
        self,
        store: Store,
        *,
        rrdp: RrdpClient | None = None,
        https: Https | None = None,
        mirror: RsyncMirror | None = None,
        fallback: Fallback = "stale",
        refresh: float = 600.0,
        allow_dubious_hosts: bool = False,
        clock: Callable[[], float] = time.time,
        chance: random.Random | None = None,
    ) -> None:
        self._store = store
        self._rrdp = rrdp
        self._https = https
        self._mirror = mirror
        self._fallback = fallback
        self._allow_dubious_hosts = allow_dubious_hosts
        self._clock = clock
        self._attempts = Attempts(store, refresh, clock, chance or random.Random())  # noqa: S311 - spreads load only
        self._anchors: dict[str, bytes] = {}

    @property
    def results(self) -> Sequence[FetchResult]:
        """Every fetch there was."""
        return self._attempts.results

    def trust_anchor(self, uri: str) -> tuple[bytes | None, str | None]:
        """A trust anchor certificate as it is now, waited for; and what went wrong, in one sentence."""
        try:
            fetch = self._anchor_by_https(uri) if uri.startswith("https://") else self._anchor_by_rsync(uri)
        except UriError as error:
            return None, str(error)
        if fetch is None:
            return None, f"{uri} is not fetched: its protocol is switched off, or rsync is not installed."
        error_told = self._attempts.once(uri, _host(uri), uri.partition(":")[0], fetch).result()
        return self._anchors.get(uri), error_told

    def request(self, place: Place) -> Future[str | None]:
        """Fetch the repository of a place unless it has been; the result is None or a sentence."""
        if place.notify and self._rrdp is not None:
            rrdp, uri = self._rrdp, place.notify
            first = self._attempts.once(uri, _host(uri), "rrdp", lambda: rrdp.update(uri, self._store))
            return _then(first, lambda error: self._fall_back(place, error))
        return self._by_rsync(place)

    def close(self) -> bool:
        """End all fetches; whether all have ended, and the store is not in use any more."""
        if self._mirror is not None:
            self._mirror.stop()
        return self._attempts.close(_CLOSE_SECONDS)

    def _by_rsync(self, place: Place) -> Future[str | None]:
        try:
            uri = self._parse(place.repository)
        except UriError as error:
            return settled(str(error))
        if self._mirror is None:
            return settled(f"{uri.module_uri} is not fetched: rsync is switched off or not installed.")
        mirror = self._mirror
        return self._attempts.once(uri.module_uri, uri.authority, "rsync", lambda: mirror.update(uri))

    def _fall_back(self, place: Place, error: str) -> Future[str | None] | None:
        """What follows a failure of RRDP, if anything does."""
        if self._mirror is None or not self._may_fall_back(place.notify):
            return None
        return _then(self._by_rsync(place), lambda also: settled(f"{error} By rsync: {also}"))

    def _may_fall_back(self, notify: str) -> bool:
        if self._fallback == "never":
            return False
        known = self._store.repository(notify)
        if known is None or known.succeeded is None:
            return True
        if self._fallback == "new":
            return False
        # A success in the future was noted by a clock that was wrong, and says nothing of its age.
        return not known.succeeded <= self._clock() < (known.fallback_at or 0.0)

    def _anchor_by_rsync(self, uri: str) -> Callable[[], FetchResult] | None:
        parsed = self._parse(uri)
        if not parsed.file_name:
            raise UriError(f"{uri!r} names no file.")
        if self._mirror is None:
            return None
        mirror = self._mirror

        def fetch() -> FetchResult:
            result, content = mirror.file(parsed)
            if content is not None:
                self._anchors[uri] = content
            return result

        return fetch

    def _anchor_by_https(self, uri: str) -> Callable[[], FetchResult] | None:
        if self._https is None:
            return None
        https = self._https

        def fetch() -> FetchResult:
            began = time.monotonic()
            content, error = b"", None
            try:
                content = self._anchors[uri] = https.get(uri)
            except RpkivalError as failure:
                error = str(failure)
            return FetchOutcome(uri, "https", error, time.monotonic() - began, len(content))

        return fetch

    def _parse(self, uri: str) -> RsyncUri:
        return RsyncUri.parse(uri, allow_dubious_hosts=self._allow_dubious_hosts)


def _host(uri: str) -> str:
    return urlsplit(uri).netloc.lower()


def _then(first: Future[str | None], after: Callable[[str], Future[str | None] | None]) -> Future[str | None]:
    """None where `first` is, else what the future that `after` makes of its sentence has, else that sentence.

    No thread waits for another here: with all of them waiting, nobody would work.
    """
    outcome: Future[str | None] = Future()

    def go_on(future: Future[str | None]) -> None:
        error = _sentence(future)
        following = None
        if error is not None:
            try:
                following = after(error)
            except RpkivalError as failure:
                error = f"{error} {failure}"
        if following is None:
            outcome.set_result(error)
        else:
            following.add_done_callback(lambda done: outcome.set_result(_sentence(done)))

    first.add_done_callback(go_on)
    return outcome


def _sentence(future: Future[str | None]) -> str | None:
    return "It was not fetched: rpkival ends." if future.cancelled() else future.result()
