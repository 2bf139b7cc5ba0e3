"""One change of one repository in the store: all of it or nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from hashlib import sha256

from rpkival.errors import LimitError
from rpkival.limits import (
    MAX_OBJECT_BYTES,
    MAX_REPOSITORY_BYTES,
    MAX_REPOSITORY_OBJECTS,
    MAX_STORED_REPOSITORIES,
)

__all__ = ["Update", "add_repository"]


class Update:
    """The transaction on one repository; got from `Store.update`.

    URIs are taken as they are given, so both sides must write them alike (`str(RsyncUri)`). The network must not be
    waited for here: every other repository waits too. `state` is what the last `commit` was given, None at first.
    """

    def __init__(self, connection: sqlite3.Connection, uri: str, now: float) -> None:
        self._connection = connection
        self._uri = uri
        self._now = now
        self.state: bytes | None
        sql = "SELECT id, state, objects, bytes FROM repository WHERE uri=?"
        known = connection.execute(sql, (uri,)).fetchone()
        if known is None:
            add_repository(connection, uri, now)
            known = connection.execute(sql, (uri,)).fetchone()
        self._id, self.state, self._objects, self._bytes = known
        self._loose = 0
        self._has_changed = False

    def digest(self, uri: str) -> bytes | None:
        """SHA-256 of what this repository publishes at `uri`, None where that is nothing."""
        found = self._connection.execute(
            "SELECT sha256 FROM object WHERE repository=? AND uri=?", (self._id, uri)
        ).fetchone()
        return found[0] if found else None

    def uris(self) -> Iterator[str]:
        """All that this repository publishes, before what this transaction changes after the call."""
        sql = "SELECT uri FROM object WHERE repository=?"
        yield from [row[0] for row in self._connection.execute(sql, (self._id,))]

    def publish(self, uri: str, content: bytes) -> None:
        """Put an object at `uri`, in place of what is there. Raises `LimitError`."""
        if len(content) > MAX_OBJECT_BYTES:
            raise LimitError(f"{uri} has {len(content)} bytes; {MAX_OBJECT_BYTES} are allowed.")
        digest = sha256(content).digest()
        old = self._connection.execute(
            "SELECT sha256, size FROM object WHERE repository=? AND uri=?", (self._id, uri)
        ).fetchone()
        if old is not None:
            if old[0] == digest:
                return
            self._withdrawn(1, old[1])
        self._has_changed = True
        self._objects += 1
        self._bytes += len(content)
        if self._objects > MAX_REPOSITORY_OBJECTS or self._bytes > MAX_REPOSITORY_BYTES:
            raise LimitError(
                f"{self._uri} has more than {MAX_REPOSITORY_OBJECTS} objects or {MAX_REPOSITORY_BYTES} bytes."
            )
        self._connection.execute("INSERT OR IGNORE INTO blob (sha256, content) VALUES (?, ?)", (digest, content))
        self._connection.execute(
            "INSERT OR REPLACE INTO object VALUES (?, ?, ?, ?)", (self._id, uri, digest, len(content))
        )

    def withdraw(self, uri: str) -> None:
        """Take what is at `uri` away; nothing where there is nothing."""
        old = self._connection.execute(
            "SELECT size FROM object WHERE repository=? AND uri=?", (self._id, uri)
        ).fetchone()
        if old is not None:
            self._connection.execute("DELETE FROM object WHERE repository=? AND uri=?", (self._id, uri))
            self._withdrawn(1, old[0])

    def replace_all(self) -> None:
        """Withdraw everything: what is published from here on is all there is."""
        self._connection.execute("DELETE FROM object WHERE repository=?", (self._id,))
        self._withdrawn(self._objects, self._bytes)

    def commit(self, state: bytes | None) -> None:
        """Make it so, and keep `state` for the next time."""
        self._connection.execute(
            "UPDATE repository SET state=?, objects=?, bytes=?, used=?, "
            "turn=(SELECT max(turn) + 1 FROM repository) WHERE id=?",
            (state, self._objects, self._bytes, self._now, self._id),
        )
        if self._has_changed:
            self._connection.execute("UPDATE repository SET version=turn WHERE id=?", (self._id,))
        if self._loose:
            self._connection.execute("UPDATE counter SET loose=loose+?", (self._loose,))
        self._connection.execute("COMMIT")

    def _withdrawn(self, objects: int, octets: int) -> None:
        self._has_changed = True
        self._objects -= objects
        self._bytes -= octets
        self._loose += objects


def add_repository(connection: sqlite3.Connection, uri: str, now: float) -> None:
    """Give a repository its row, in place of one that never came to anything where there are too many.

    Raises `LimitError` where all others have.
    """
    if connection.execute("SELECT count(*) FROM repository").fetchone()[0] >= MAX_STORED_REPOSITORIES:
        # A name costs its inventor nothing; one that never had an object must not keep one out that has some.
        oldest = "SELECT id FROM repository WHERE turn=0 ORDER BY used LIMIT 1"
        if not connection.execute(f"DELETE FROM repository WHERE id=({oldest})").rowcount:  # noqa: S608 - a constant
            raise LimitError(f"{uri} is not stored: the store has {MAX_STORED_REPOSITORIES} repositories already.")
    connection.execute("INSERT INTO repository (uri, used) VALUES (?, ?)", (uri, now))
