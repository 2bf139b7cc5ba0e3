"""The store's garbage: repositories nobody leads to any more, and contents nothing refers to."""

from __future__ import annotations

import sqlite3

import numpy as np
from numpy.typing import NDArray

from rpkival.limits import REPOSITORY_KEEP_SECONDS
from rpkival.repository.store_file import StoreFile

__all__ = ["sweep"]

_WORTHWHILE = 50_000
"""References gone since the last sweep: a tenth of the world's objects, some 100 MB."""

_ROWS = 50_000
"""Read at a time."""


def sweep(file: StoreFile, now: float, *, thoroughly: bool) -> bool:
    """Drop what is old and then, where it is worth the look, all contents without a reference; whether it was.

    Raises `StateError`.
    """
    with file.writer() as connection:
        _drop_old(connection, now - REPOSITORY_KEEP_SECONDS)
        loose = connection.execute("SELECT loose FROM counter").fetchone()[0]
        total = connection.execute("SELECT coalesce(sum(objects), 0) FROM repository").fetchone()[0]
        worthwhile = thoroughly or loose > min(_WORTHWHILE, max(1_000, total // 4))
        if worthwhile:
            _drop_unreferenced(connection)
            connection.execute("UPDATE counter SET loose=0")
        connection.execute("COMMIT")
    return worthwhile


def _drop_old(connection: sqlite3.Connection, before: float) -> None:
    gone = dropped = 0
    for repository, objects in connection.execute(
        "SELECT id, objects FROM repository WHERE used < ?", (before,)
    ).fetchall():
        connection.execute("DELETE FROM object WHERE repository=?", (repository,))
        connection.execute("DELETE FROM repository WHERE id=?", (repository,))
        gone += objects
        dropped += 1
    octets = "SELECT coalesce(sum(length(digests)), 0) FROM accepted WHERE used < ?"
    gone += connection.execute(octets, (before,)).fetchone()[0] // 32
    dropped += connection.execute("DELETE FROM accepted WHERE used < ?", (before,)).rowcount
    # A number of a repository that is gone may be given again, so no revision of before must be trusted.
    connection.execute("UPDATE counter SET loose=loose+?, acceptances=acceptances+?", (gone, dropped))


def _drop_unreferenced(connection: sqlite3.Connection) -> None:
    live = _live(connection)
    cursor = connection.execute("SELECT id, sha256 FROM blob INDEXED BY sqlite_autoindex_blob_1 ORDER BY sha256")
    gone: list[tuple[int]] = []
    while rows := cursor.fetchmany(_ROWS):
        heads = _heads(b"".join(row[1] for row in rows))
        dead = np.isin(heads, live, assume_unique=False, invert=True)
        gone += [(rows[index][0],) for index in np.flatnonzero(dead)]
    connection.executemany("DELETE FROM blob WHERE id=?", gone)


def _live(connection: sqlite3.Connection) -> NDArray[np.uint64]:
    """The first 8 octets of all digests referred to, sorted: two that share them only keep each other alive."""
    parts = [np.empty(0, np.uint64)]
    for sql in ("SELECT sha256 FROM object", "SELECT digests FROM accepted"):
        cursor = connection.execute(sql)
        while rows := cursor.fetchmany(_ROWS):
            parts.append(np.unique(_heads(b"".join(row[0] for row in rows))))
    return np.unique(np.concatenate(parts))


def _heads(digests: bytes) -> NDArray[np.uint64]:
    return np.frombuffer(digests, np.uint64).reshape(-1, 4)[:, 0]
