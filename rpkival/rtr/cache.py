"""What a cache holds for its routers: the current set, the deltas that lead to it, and both as bytes made once.

No socket and no clock. All sessions share the same immutable buffers, so a hundred routers that read slowly cost one
snapshot; only the version octet differs between protocol versions, and a version nobody speaks is never built.

`update` may run in a thread of its own while sessions are answered: it builds a new `_Edition` aside and puts it in
place with one assignment. An answer is made of one edition, whatever comes meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from rpkival.limits import MAX_RTR_DELTA_BYTES, MAX_RTR_DELTAS, MAX_RTR_MERGED_ROWS
from rpkival.payload.changes import Changes, diff
from rpkival.payload.vrps import Vrps
from rpkival.rtr.columns import ANNOUNCE, encode_changes, encode_prefixes, with_version
from rpkival.rtr.deltas import merge
from rpkival.rtr.errors import NoDataError
from rpkival.rtr.pdu import (
    HIGHEST_VERSION,
    CacheReset,
    CacheResponse,
    EndOfData,
    ResetQuery,
    SerialNotify,
    SerialQuery,
    Timers,
)

__all__ = ["Answer", "AnswerKind", "Cache"]

_SERIALS = 2**32
_SESSION_IDS = 2**16
_SESSION_ID_STRIDE = 2**14


class AnswerKind(StrEnum):
    """What a query was answered with."""

    SNAPSHOT = "snapshot"
    DELTA = "delta"
    CACHE_RESET = "cache-reset"


@dataclass(frozen=True, slots=True)
class Answer:
    """The octets that answer one query, in order; `serial` is the router's once it has read them all."""

    kind: AnswerKind
    buffers: tuple[bytes, ...]
    serial: int | None = None


@dataclass(frozen=True, slots=True)
class _Delta:
    """What changed from `since` to the serial after it."""

    since: int
    changes: Changes

    def octets(self) -> int:
        """Of its PDUs."""
        sets = (self.changes.announced, self.changes.withdrawn)
        return sum(20 * len(vrps.ipv4) + 32 * len(vrps.ipv6) for vrps in sets)


@dataclass(slots=True)
class _Edition:
    """One serial: its set, the deltas that lead to it (oldest first), and what has been serialised of both.

    `merged_rows`: what merging deltas for routers that lag behind has cost so far, in changes read.
    """

    serial: int
    vrps: Vrps
    deltas: tuple[_Delta, ...]
    snapshots: dict[int, bytes] = field(default_factory=dict)
    merged: dict[tuple[int, int], bytes] = field(default_factory=dict)
    merged_rows: int = 0

    def snapshot(self, version: int) -> bytes:
        """The whole set as PDUs."""
        if version not in self.snapshots:
            built = self.snapshots.get(HIGHEST_VERSION)
            if built is None:
                self.snapshots[version] = encode_prefixes(self.vrps, ANNOUNCE, version)
            else:
                self.snapshots[version] = with_version(built, len(self.vrps.ipv4), version)
        return self.snapshots[version]

    def delta(self, since: int, version: int) -> bytes | None:
        """All that changed since a serial as PDUs, or None where that serial is not kept, or would cost too much."""
        if since == self.serial:
            return b""
        if (since, version) not in self.merged:
            behind = (self.serial - since) % _SERIALS
            if behind > len(self.deltas):
                return None
            deltas = [delta.changes for delta in self.deltas[-behind:]]
            cost = sum(map(len, deltas)) if behind > 1 else 0
            if self.merged_rows + cost > MAX_RTR_MERGED_ROWS:
                return None
            self.merged_rows += cost
            self.merged[since, version] = encode_changes(merge(deltas), version)
        return self.merged[since, version]


class Cache:
    """The state behind an RTR server.

    `session_id` names this line of serials and `serial` numbers the first set that `update` brings: a cache that comes
    back with the same data continues with both, and its routers notice nothing.
    """

    def __init__(self, session_id: int, serial: int = 0, *, timers: Timers | None = None) -> None:
        self._session_id = session_id % _SESSION_IDS
        self._first_serial = serial % _SERIALS
        self._edition: _Edition | None = None
        self.timers = timers or Timers()

    @property
    def ready(self) -> bool:
        """False until the first `update`; queries are answered with "No Data Available" so long."""
        return self._edition is not None

    @property
    def session_id(self) -> int:
        """That of the highest version."""
        return self._session_id

    @property
    def serial(self) -> int:
        """Of the set that is served now."""
        return self._edition.serial if self._edition else self._first_serial

    @property
    def vrps(self) -> Vrps:
        """The set that is served now, sorted and unique."""
        return self._edition.vrps if self._edition else Vrps.empty()

    @property
    def deltas(self) -> tuple[int, ...]:
        """The serials, oldest first, that a router may come from and get a delta."""
        return tuple(delta.since for delta in self._edition.deltas) if self._edition else ()

    def session_id_of(self, version: int) -> int:
        """RFC 8210 section 5.1: serials of different versions are not commensurate, so their session ids differ."""
        return (self._session_id + _SESSION_ID_STRIDE * (HIGHEST_VERSION - version)) % _SESSION_IDS

    def update(self, vrps: Vrps, *, save: Callable[[Vrps, int], None] | None = None) -> bool:
        """Serve `vrps` from now on; True where routers have something to fetch, and then the serial is a new one.

        `save` is called with the sorted set and its serial before any router can have it. Who keeps them on disk to
        continue after a crash must do it there: a serial that routers know and the disk does not would be given to
        other data after the restart, and routers that have it would never learn of them.
        """
        new = vrps.unique_sorted()
        old = self._edition
        if old is None:
            edition = _Edition(self._first_serial, new, ())
        else:
            changes = diff(old.vrps, new)
            if not (len(changes.announced) or len(changes.withdrawn)):
                return False
            deltas = _bounded((*old.deltas, _Delta(old.serial, changes)))
            edition = _Edition((old.serial + 1) % _SERIALS, new, deltas)
            edition.delta(old.serial, HIGHEST_VERSION)
        edition.snapshot(HIGHEST_VERSION)
        if save:
            save(edition.vrps, edition.serial)
        self._edition = edition
        return True

    def respond(self, query: ResetQuery | SerialQuery) -> Answer:
        """The answer in the query's version. Raises `NoDataError`.

        A Serial Query of another session or of a serial that is not kept is answered with Cache Reset (RFC 8210
        section 5.3); whether another session id is an error instead is for the session to know.
        """
        edition, version = self._edition, query.version
        if edition is None:
            raise NoDataError("This cache has no data yet; ask again later.")
        session_id = self.session_id_of(version)
        if isinstance(query, ResetQuery):
            kind, payload = AnswerKind.SNAPSHOT, edition.snapshot(version)
        else:
            delta = edition.delta(query.serial, version) if query.session_id == session_id else None
            if delta is None:
                return Answer(AnswerKind.CACHE_RESET, (CacheReset(version).serialize(),))
            kind, payload = AnswerKind.DELTA, delta
        timers = self.timers
        begin = CacheResponse(version, session_id)
        end = EndOfData(version, session_id, edition.serial, timers.refresh, timers.retry, timers.expire)
        return Answer(kind, (begin.serialize(), payload, end.serialize()), edition.serial)

    def notification(self, version: int) -> bytes:
        """The Serial Notify of the set that is served now."""
        return SerialNotify(version, self.session_id_of(version), self.serial).serialize()


def _bounded(deltas: tuple[_Delta, ...]) -> tuple[_Delta, ...]:
    """The newest of `deltas` that the limits let us keep."""
    octets = np.cumsum([delta.octets() for delta in reversed(deltas)])
    kept = min(int((octets <= MAX_RTR_DELTA_BYTES).sum()), MAX_RTR_DELTAS)
    return deltas[len(deltas) - kept :]
