"""Accepted versions on their way to the store: written behind the walk's back, read as if they were there already."""

from __future__ import annotations

import threading
from collections.abc import Callable
from hashlib import sha256

from rpkival.objects.place import Accepted, Place
from rpkival.repository.store import Kept, Store

__all__ = ["Acceptance"]

_BATCH = 1_000
"""Versions written at once; a crash costs at most what two batches would have kept."""

_REFRESH_SECONDS = 24 * 3600.0
"""Age from which the use of a version is noted again: 50,000 rows written in each run would be too much."""


_MOST_KNOWN = 200_000
"""Versions in memory, some 80 MB; the world has 50,000 places. Beyond, the store is asked for each."""


class Acceptance:
    """The last good version of each place.

    A place is known by the CA's key, its directory and its manifest, not by its notification file: a CA that moves to
    another RRDP server is the same. `write` is told (from the walk's thread) that a batch is ready, and has `flush`
    called in a thread of its own: the walk must not wait for a repository's long transaction.
    """

    def __init__(self, store: Store, clock: Callable[[], float], write: Callable[[], None]) -> None:
        self._store = store
        self._clock = clock
        self._write = write
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._before: int | None = None
        self._written = 0
        self._waiting: dict[bytes, Kept] = {}
        self._leaving: dict[bytes, Kept] = {}
        self._used: list[bytes] = []
        self._known: dict[bytes, tuple[Accepted, float]] | None = None
        self._last: tuple[bytes, Accepted, bytes, float] | None = None

    def count(self) -> int:
        """How many versions had been accepted before this was asked first, and by us since: those that are written.

        What is accepted in another process is counted by the store, and not here, where it may not be known.
        """
        with self._flushing:
            if self._before is None:
                self._before = self._store.acceptances - self._written
            return self._before + self._written

    def accepted(self, place: Place) -> Accepted | None:
        """What was last accepted of this place."""
        if self._known is None:
            self.count()  # before, as another process may accept between the two
            # One question for all is a fifth of the work of fifty thousand.
            with self._lock:
                new = (self._leaving | self._waiting).values()
            self._known = self._store.all_accepted(_MOST_KNOWN)
            self._known |= {version.place: (version.accepted, self._clock()) for version in new}
        key = _key(place)
        found = self._known.get(key)
        if found is None and len(self._known) >= _MOST_KNOWN:
            kept = self._find(key)
            found = (kept[1], kept[3]) if kept else None
        if found is None:
            return None
        if not 0 <= self._clock() - found[1] < _REFRESH_SECONDS:
            self._used.append(key)
        return found[0]

    def has(self, place: Place, digest: bytes) -> bool:
        """Whether a file of this digest belongs to the version that was last accepted."""
        found = self._find(_key(place))
        return found is not None and any(
            found[2][start : start + len(digest)] == digest for start in range(0, len(found[2]), len(digest))
        )

    def accept(self, place: Place, accepted: Accepted, digests: bytes) -> None:
        """Keep this version of the place, with the files of these digests, joined."""
        key = _key(place)
        with self._lock:
            self._waiting[key] = Kept(key, accepted, digests)
            full = len(self._waiting) % _BATCH == 0
        self._last = None
        if self._known is not None:
            self._known[key] = (accepted, self._clock())
        if full:
            self._write()

    def flush(self) -> None:
        """Write all that waits. Raises `StateError`; what could not be written waits on."""
        with self._flushing:
            self._flush()

    def _flush(self) -> None:
        with self._lock:
            self._leaving |= self._waiting
            self._waiting = {}
            leaving, used = list(self._leaving.values()), self._used
            self._used = []
        if leaving or used:
            self._store.accept(leaving, used)
        with self._lock:
            self._written += len(leaving)
            for version in leaving:
                if self._leaving.get(version.place) is version:
                    del self._leaving[version.place]

    def _find(self, key: bytes) -> tuple[bytes, Accepted, bytes, float] | None:
        if self._last is not None and self._last[0] == key:
            return self._last
        with self._lock:
            waiting = self._waiting.get(key) or self._leaving.get(key)
        if waiting is not None:
            self._last = (key, waiting.accepted, waiting.digests, self._clock())
        else:
            stored = self._store.accepted(key)
            if stored is None:
                return None
            self._last = (key, *stored)
        return self._last


def _key(place: Place) -> bytes:
    return sha256(b"\0".join((place.key, place.repository.encode(), place.manifest.encode()))).digest()
