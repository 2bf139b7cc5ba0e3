"""A cache that outlives its process: set, session, serial and history are on disk, and routers notice no restart."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path

from rpkival.errors import StateError
from rpkival.log import Log
from rpkival.payload.changes import Changes
from rpkival.payload.payload import Payload
from rpkival.payload.snapshot import Snapshot, load_snapshot, save_snapshot
from rpkival.rtr.cache import Cache
from rpkival.rtr.pdu import Timers

__all__ = ["KeptCache"]

log = Log("rpkival.rtr")


class KeptCache:
    """`cache`, kept at `path` (None: nowhere).

    It goes on with the session and serial found there, and with `session_id` where there is nothing. Whoever finds
    `last` brings it by the first `update`: the serials go on from that set, whatever is served after it.
    """

    def __init__(self, path: Path | None, session_id: int, *, timers: Timers | None = None) -> None:
        self._path = path
        self.last = _load(path)
        """What the last process served; None where nothing is known of it."""
        self.trouble = ""
        """Why the disk does not have what is served, in a sentence; empty where it does."""
        last = self.last or Snapshot(Payload.empty(), 0, 0, session_id)
        self.cache = Cache(last.session_id, last.serial, timers=timers, history=last.history)

    def update(self, payload: Payload, generated: int) -> bool:
        """As `Cache.update`; `generated` is unix seconds. What cannot be saved is served all the same."""
        return self.cache.update(payload, save=partial(self._save, generated))

    def renew(self, payload: Payload, generated: int) -> None:
        """Keep `payload`, which is what is served, under its new dates."""
        self._save(generated, payload, self.cache.serial, self.cache.history)

    def _save(self, generated: int, payload: Payload, serial: int, history: tuple[Changes, ...]) -> None:
        if self._path is None:
            return
        try:
            save_snapshot(self._path, Snapshot(payload, generated, serial, self.cache.session_id, history))
        except StateError as error:
            # Routers are served from memory. But a restart from the snapshot before this one would give this serial to
            # other data: better to begin a new session without any.
            log.error("snapshot_not_saved", error=str(error))
            self.trouble = str(error)
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
        else:
            self.trouble = ""


def _load(path: Path | None) -> Snapshot | None:
    if path is None or not path.exists():
        return None
    try:
        return load_snapshot(path)
    except StateError as error:
        log.error("snapshot_lost", error=str(error))
        return None
