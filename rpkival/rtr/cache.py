"""What a cache holds for its routers: the current set, the deltas that lead to it, and both as bytes made once.

No socket and no clock. All sessions share the same immutable buffers, so a hundred routers that read slowly cost one
snapshot. Of prefixes only the version octet differs between protocol versions; router keys belong to version 1 and
later, ASPAs to version 2. A version that nobody speaks is never built, but for the highest.

`update` may run in a thread of its own while sessions are answered: it builds a new `_Edition` aside and puts it in
place with one assignment. An answer is made of one edition, whatever comes meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeAlias

import numpy as np

from rpkival.limits import MAX_RTR_DELTA_BYTES, MAX_RTR_DELTAS, MAX_RTR_MERGED_ROWS
from rpkival.log import Log
from rpkival.payload.changes import Changes, VrpChanges, diff
from rpkival.payload.payload import Payload
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
from rpkival.rtr.records import encode_records, servable_aspas

__all__ = ["Answer", "AnswerKind", "Cache"]

_SERIALS = 2**32
_SESSION_IDS = 2**16
_SESSION_ID_STRIDE = 2**14

_TOLD_CUSTOMERS = 10
"""Of those whose ASPA cannot be served, in the log; the API has all."""

log = Log("rpkival.rtr")


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
    """What changed from `since` to the serial after it; `octets` of PDUs in the highest version."""

    since: int
    changes: Changes
    octets: int


@dataclass(slots=True)
class _Edition:
    """One serial: its payload, the deltas that lead to it (oldest first), and what has been serialised of both.

    `merged_rows`: what merging deltas for routers that lag behind has cost so far, in changes read.
    """

    serial: int
    payload: Payload
    deltas: tuple[_Delta, ...]
    snapshots: dict[int, bytes] = field(default_factory=dict)
    merged: dict[tuple[int, int], bytes] = field(default_factory=dict)
    merged_rows: int = 0

    def snapshot(self, version: int) -> bytes:
        """The whole payload as PDUs."""
        if version not in self.snapshots:
            vrps, built = self.payload.vrps, self.snapshots.get(HIGHEST_VERSION)
            if built is None:
                prefixes = encode_prefixes(vrps, ANNOUNCE, version)
            else:
                prefixes = with_version(built, len(vrps.ipv4), len(vrps.ipv6), version)
            everything = Changes(self.payload, Payload.empty())
            self.snapshots[version] = prefixes + encode_records(everything, version)
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
            changes = merge(deltas)
            prefixes = encode_changes(VrpChanges(changes.announced.vrps, changes.withdrawn.vrps), version)
            self.merged[since, version] = prefixes + encode_records(changes, version)
        return self.merged[since, version]


Save: TypeAlias = Callable[[Payload, int, tuple[Changes, ...]], None]
"""Takes what is about to be served, sorted, its serial, and the history that leads to it."""


class Cache:
    """The state behind an RTR server.

    `session_id` names this line of serials and `serial` numbers the first set that `update` brings: a cache that comes
    back with the same data continues with both, and its routers notice nothing. `history` is what led to that set,
    oldest first, so that routers which lag behind get a delta from the new process too.
    """

    def __init__(
        self, session_id: int, serial: int = 0, *, timers: Timers | None = None, history: Sequence[Changes] = ()
    ) -> None:
        self._session_id = session_id % _SESSION_IDS
        self._first_serial = serial % _SERIALS
        self._history = history
        self._edition: _Edition | None = None
        self.timers = timers or Timers()
        self.aspas_not_served: tuple[int, ...] = ()
        """The customers, ascending, whose ASPA no PDU can hold."""

    @property
    def ready(self) -> bool:
        """False until the first `update`; queries are answered with "No Data Available" so long."""
        return self._edition is not None

    @property
    def session_id(self) -> int:
        """That of version 1, which keeps it though there are newer versions: an upgrade resets no router."""
        return self._session_id

    @property
    def serial(self) -> int:
        """Of the set that is served now."""
        return self._edition.serial if self._edition else self._first_serial

    @property
    def payload(self) -> Payload:
        """What is served now, sorted and unique."""
        return self._edition.payload if self._edition else Payload.empty()

    @property
    def vrps(self) -> Vrps:
        """Those of the payload."""
        return self.payload.vrps

    @property
    def deltas(self) -> tuple[int, ...]:
        """The serials, oldest first, that a router may come from and get a delta."""
        return tuple(delta.since for delta in self._edition.deltas) if self._edition else ()

    @property
    def history(self) -> tuple[Changes, ...]:
        """What led to the set that is served now as far as it is kept, oldest first."""
        return _history(self._edition) if self._edition else ()

    def changes_since(self, serial: int, now: int) -> Changes | None:
        """All that changed from one serial to serial `now`; None where that is over, or the first is not kept."""
        edition = self._edition
        if edition is None or edition.serial != now:
            return None
        behind = (now - serial) % _SERIALS
        if behind == 0:
            return Changes(Payload.empty(), Payload.empty())
        if behind > len(edition.deltas):
            return None
        return merge([delta.changes for delta in edition.deltas[-behind:]])

    def session_id_of(self, version: int) -> int:
        """RFC 8210 section 5.1: serials of different versions are not commensurate, so their session ids differ."""
        return (self._session_id + _SESSION_ID_STRIDE * (1 - version)) % _SESSION_IDS

    def update(self, payload: Payload, *, save: Save | None = None) -> bool:
        """Serve `payload` from now on; True where routers have something to fetch, and then the serial is a new one.

        ASPAs that no PDU can hold are left out, and `aspas_not_served` tells of whom. `save` is called before any
        router can have it. Who keeps it on disk to continue after a crash must do it there: a serial that routers know
        and the disk does not would be given to other data after the restart, and routers would never learn of them.
        """
        new = payload.unique_sorted()
        served = servable_aspas(new.aspas)
        self._leave_out({aspa.customer for aspa in new.aspas} - {aspa.customer for aspa in served})
        new = replace(new, aspas=served)
        old = self._edition
        if old is None:
            edition = _Edition(self._first_serial, new, self._former_deltas())
        else:
            changes = diff(old.payload, new).bare()
            if not len(changes):
                return False
            deltas = _bounded((*old.deltas, _Delta(old.serial, changes, _octets(changes))))
            edition = _Edition((old.serial + 1) % _SERIALS, new, deltas)
        # What routers are about to ask for is made here, where nobody waits for it.
        for version in sorted({HIGHEST_VERSION, *(old.snapshots if old else ())}, reverse=True):
            edition.snapshot(version)
            if old is not None:
                edition.delta(old.serial, version)
        if save:
            save(edition.payload, edition.serial, _history(edition))
        self._edition = edition
        return True

    def _former_deltas(self) -> tuple[_Delta, ...]:
        sinces = range(self._first_serial - len(self._history), self._first_serial)
        return _bounded(
            tuple(
                _Delta(since % _SERIALS, changes, _octets(changes))
                for since, changes in zip(sinces, self._history, strict=True)
            )
        )

    def _leave_out(self, customers: set[int]) -> None:
        left_out = tuple(sorted(customers))
        if left_out and left_out != self.aspas_not_served:
            log.warning("rtr_aspas_not_served", customers=left_out[:_TOLD_CUSTOMERS], count=len(left_out))
        self.aspas_not_served = left_out

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


def _history(edition: _Edition) -> tuple[Changes, ...]:
    return tuple(delta.changes for delta in edition.deltas)


def _bounded(deltas: tuple[_Delta, ...]) -> tuple[_Delta, ...]:
    """The newest of `deltas` that the limits let us keep."""
    octets = np.cumsum([delta.octets for delta in reversed(deltas)])
    kept = min(int((octets <= MAX_RTR_DELTA_BYTES).sum()), MAX_RTR_DELTAS)
    return deltas[len(deltas) - kept :]


def _octets(changes: Changes) -> int:
    vrps = (changes.announced.vrps, changes.withdrawn.vrps)
    prefixes = sum(20 * len(each.ipv4) + 32 * len(each.ipv6) for each in vrps)
    return prefixes + len(encode_records(changes, HIGHEST_VERSION))
