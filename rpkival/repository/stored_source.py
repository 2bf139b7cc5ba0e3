"""The source that fetches: RRDP first, rsync where that is allowed to help out, and all of it through the store."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache
from types import TracebackType
from typing import Self

from rpkival.errors import StateError, UriError, UsageError
from rpkival.limits import MAX_MEMO_BYTES
from rpkival.log import Log
from rpkival.objects.place import Accepted, Place
from rpkival.repository.acceptance import Acceptance
from rpkival.repository.attempts import FetchResult, settled
from rpkival.repository.collector import Collector
from rpkival.repository.store import Repository, Store
from rpkival.repository.uri import RsyncUri

__all__ = ["StoredSource"]

_MANY_QUESTIONS = 2_000
"""About records of the memo."""

_UNKNOWN = -1
"""Acceptances, where some could not be written; no store ever has as many."""

_OFFLINE = -2
"""From here downwards, acceptances as runs know them that accept nothing: one that does must not rest on theirs."""

log = Log("rpkival.repository")


class StoredSource:
    """Objects from a store, which `collector` (None: offline) brings up to date; a context manager.

    One instance serves one run, and fetches each repository once in it. Where a place is served by RRDP and by rsync,
    that is read which succeeded last; each has a listing of its own, and nothing that one repository publishes is ever
    read for a place of another. Offline, nothing is written but the memo, and to another user's store nothing at all.
    `results` has every fetch there was, `unreadable` why a trust anchor could not be had from a URI, `trouble` what was
    wrong with the store itself.
    """

    def __init__(self, store: Store, collector: Collector | None, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._collector = collector
        self._acceptance = Acceptance(store, clock, lambda: self._write_behind(self._acceptance.flush))
        self._requests: dict[tuple[str, str], Future[str | None]] = {}
        self._listings: dict[tuple[str, str], Repository | None] = {}
        self._manifests: dict[tuple[int, int], dict[str, bytes]] = {}
        self._memo: dict[bytes, bytes] | None = None
        self._memo_questions = 0
        self._behind = ThreadPoolExecutor(1, "store")
        self.unreadable: dict[str, str] = {}
        self.trouble = store.trouble
        if store.trouble:
            log.error("store_damaged", reason=store.trouble)

    @property
    def results(self) -> Sequence[FetchResult]:
        """Every fetch there was, in the order of their ends."""
        return self._collector.results if self._collector else []

    @property
    def accepts(self) -> bool:
        """Whether what is accepted is kept: not offline."""
        return self._collector is not None

    def get(self, key: bytes) -> bytes | None:
        """A record of the memo, which lies in the store beside the objects that it is about."""
        self._memo_questions += 1
        if self._memo_questions == _MANY_QUESTIONS:
            # One question for all is a fifth of the work of fifty thousand.
            self._memo = self._store.judgements.all(MAX_MEMO_BYTES)
        return self._store.judgements.get(key) if self._memo is None else self._memo.get(key)

    def put(self, key: bytes, record: bytes) -> None:
        """Keep a record in the memo."""
        if self._store.another_users:
            return
        if self._memo is not None:
            self._memo.pop(key, None)
        if self._store.judgements.put(key, record):
            self._write_behind(self._store.judgements.flush)

    def forget_unused(self, keys: frozenset[bytes]) -> None:
        """Forget all records of the memo but those of `keys`."""
        self._written(lambda: self._store.judgements.forget_unused(keys))

    def trust_anchor(self, uri: str) -> bytes | None:
        """A trust anchor's certificate from an rsync or https URI, as fetched now."""
        if self._collector is None:
            return None
        fetched, error = self._collector.trust_anchor(uri)
        if error is not None:
            self.unreadable[uri] = error
        return fetched

    def accepted_trust_anchor(self, uri: str) -> bytes | None:
        """What was accepted from there last."""
        return self._store.trust_anchor(uri)

    def accept_trust_anchor(self, uri: str, certificate: bytes) -> None:
        """Remember it as good."""
        if self._collector is not None:
            self._written(lambda: self._store.accept_trust_anchor(uri, certificate))

    def request(self, place: Place) -> Future[str | None]:
        """Make the repository of `place` available; the result is None or a sentence."""
        # Fifty thousand CAs share some sixty repositories.
        key = place.servers
        future = self._requests.get(key)
        if future is None:
            if self._collector is not None:
                future = self._collector.request(place)
            else:
                nothing = f"{self._store.path} has nothing of {place.notify or key[1]}"
                future = settled(nothing if self._listing(place) is None else None)
            self._requests[key] = future
        return future

    def manifest(self, place: Place) -> bytes | None:
        """SHA-256 of the manifest as last fetched."""
        listing = self._listing(place)
        if listing is None:
            return None
        uri = _canonical(place.repository) + place.manifest.rpartition("/")[2]
        if not uri.endswith(".mft"):
            return self._store.digest(listing.id, uri)
        return self._manifests_of(listing).get(uri)

    def manifests(self, place: Place) -> Mapping[str, bytes]:
        """SHA-256 by URI of those whose names end as they should, in the repository that serves this place."""
        listing = self._listing(place)
        return {} if listing is None else self._manifests_of(listing)

    def revision(self, place: Place) -> bytes | None:
        """What is another whenever something is published in the repository that serves this place."""
        listing = self._listing(place)
        return None if listing is None else f"{listing.id} {listing.version}".encode()

    def acceptances(self) -> int:
        """How many versions have been accepted since ever, as this run knows it."""
        if self._collector is None:
            return _OFFLINE - self._acceptance.count()
        return self._acceptance.count() if self._written(self._acceptance.flush) else _UNKNOWN

    def accepted(self, place: Place) -> Accepted | None:
        """What was last accepted of this place."""
        return self._acceptance.accepted(place)

    def read(self, place: Place, name: str, sha256: bytes) -> bytes | None:
        """The object of this name and digest, of whichever version has it, or else what is there under that name."""
        listing = self._listing(place)
        found = None if listing is None else self._store.published(listing.id, _canonical(place.repository) + name)
        if found is not None and found[0] == sha256:
            return found[1]
        kept = self._store.content(sha256) if self._acceptance.has(place, sha256) else None
        return found[1] if kept is None and found is not None else kept

    def accept(self, place: Place, accepted: Accepted, digests: bytes) -> None:
        """Keep this version of the place, and all its files with it."""
        if self._collector is not None:
            self._acceptance.accept(place, accepted, digests)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End what is still fetched, write what waits and, after a run that came to its end, tidy the store."""
        ended = self._collector is None or self._collector.close()
        self._behind.shutdown()
        self._written(self._store.judgements.flush)
        if self._collector is not None:
            self._written(self._acceptance.flush)
            # That its output could not be written says nothing against the run.
            if error is None or isinstance(error, (BrokenPipeError, UsageError)):
                self._written(lambda: self._store.touch([uri for key in self._requests for uri in _candidates(*key)]))
                self._written(self._store.sweep)
        if ended:
            self._store.close()

    def _listing(self, place: Place) -> Repository | None:
        """The repository whose listing counts for this place, as it was when the fetch had ended."""
        key = place.servers
        if key in self._listings:
            return self._listings[key]
        known = [self._store.repository(uri) for uri in _candidates(*key)]
        listing = max((each for each in known if each and each.turn), key=lambda each: each.turn, default=None)
        request = self._requests.get(key)
        if self._collector is None or (request is not None and request.done()):
            self._listings[key] = listing
        return listing

    def _manifests_of(self, listing: Repository) -> Mapping[str, bytes]:
        # Another run may fetch meanwhile. What is read then may be newer than what `revision` says, and never older.
        key = (listing.id, listing.version)
        if key not in self._manifests:
            self._manifests[key] = self._store.manifests(listing.id)
        return self._manifests[key]

    def _write_behind(self, flush: Callable[[], None]) -> None:
        """In another thread: it takes time, and a repository's transaction may be under way."""
        self._behind.submit(self._written, flush)

    def _written(self, write: Callable[[], object]) -> bool:
        """Whether it was: a store that cannot be costs what would have been written, and nothing of this run."""
        if self._store.another_users:
            return False
        try:
            write()
        except StateError as error:
            if self.trouble is None:
                log.error("store_not_written", reason=str(error))
            self.trouble = str(error)
            return False
        return True


def _candidates(notify: str, module: str) -> list[str]:
    """The repositories that may have what is under a module, as the store names them."""
    return [uri for uri in (notify, _canonical_module(module)) if uri]


def _canonical(repository: str) -> str:
    """A directory's URI as the store has it; what is none finds nothing there."""
    module = "/".join(repository.split("/", 4)[:4]) + "/"
    return _canonical_module(module) + repository[len(module) :]


@lru_cache(maxsize=4096)  # asked for each object of a module in turn
def _canonical_module(module: str) -> str:
    with suppress(UriError):
        return str(RsyncUri.parse(module, allow_dubious_hosts=True))
    return ""
