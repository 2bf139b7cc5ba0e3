"""The memo on disk: judgements by the digest of all that went into them. What they say is validation's business."""

from __future__ import annotations

import threading
from collections.abc import Collection
from zlib import crc32

from rpkival.limits import MAX_MEMO_BYTES
from rpkival.repository.store_file import StoreFile

__all__ = ["Judgements"]

_BATCH = 500
"""Records written in one transaction."""

_LARGE = 1024**2
"""Octets of a record that is worth a transaction of its own: a whole tree has some 60 MB."""


class Judgements:
    """Records by key, kept until they are forgotten. A record that the disk has changed is one that is not there.

    What is put is only written by `flush`; a crash costs what was not.
    """

    def __init__(self, file: StoreFile) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._waiting: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> bytes | None:
        """The record of this key."""
        with self._lock:
            waiting = self._waiting.get(key)
        if waiting is not None:
            return waiting
        row = self._file.row("SELECT sum, record FROM judgement WHERE key=?", (key,))
        return row[1] if row and row[0] == _sum(key, row[1]) else None

    def all(self, most_bytes: int) -> dict[bytes, bytes] | None:
        """Every record by its key; None where they have more octets than that together."""
        ((size,),) = self._file.rows("SELECT coalesce(sum(length(record)), 0) FROM judgement")
        if size > most_bytes:
            return None
        rows = self._file.rows("SELECT key, sum, record FROM judgement")
        found = {key: record for key, checksum, record in rows if checksum == _sum(key, record)}
        with self._lock:
            return found | self._waiting

    def put(self, key: bytes, record: bytes) -> bool:
        """Keep a record in place of the last one of its key; whether enough waits to be written.

        One that is too large for SQLite is not kept: it would cost all that are written with it.
        """
        if len(record) > MAX_MEMO_BYTES:
            return False
        with self._lock:
            self._waiting[key] = record
            return len(record) >= _LARGE or len(self._waiting) % _BATCH == 0

    def flush(self) -> None:
        """Write what waits. Raises `StateError`; what waited is then given up, and will be judged again."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        if not waiting:
            return
        with self._file.writer() as connection:
            connection.executemany(
                "INSERT INTO judgement (key, sum, record) VALUES (?, ?, ?) "
                "ON CONFLICT (key) DO UPDATE SET sum=excluded.sum, record=excluded.record",
                [(key, _sum(key, record), record) for key, record in waiting.items()],
            )
            connection.execute("COMMIT")

    def forget_unused(self, keys: Collection[bytes]) -> None:
        """Forget all records but those of `keys`."""
        self.flush()
        kept = frozenset(keys)
        gone = [(row[0],) for row in self._file.rows("SELECT key FROM judgement") if row[0] not in kept]
        if gone:
            with self._file.writer() as connection:
                connection.executemany("DELETE FROM judgement WHERE key=?", gone)
                connection.execute("COMMIT")


def _sum(key: bytes, record: bytes) -> int:
    # Against a disk that forgets bits, not against an attacker, who would not need to write here.
    return crc32(record, crc32(key))
