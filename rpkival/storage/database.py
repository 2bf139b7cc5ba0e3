"""One SQLite file: opened carefully, written in transactions, usable from several threads."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlite_utils

from rpkival.errors import AccessError, StateError
from rpkival.storage.schema import migrate

__all__ = ["DATABASE_NAME", "Database", "open_database"]

DATABASE_NAME = "rpkival.sqlite"
"""The file's name in a data directory."""

_BUSY_SECONDS = 5.0
"""How long a statement waits for another process that writes."""

Row = dict[str, Any]


class Database:
    """A connection and the lock that lets threads take turns on it.

    A statement takes well under a millisecond, so waiting for a turn is cheaper than a connection for each thread.
    Every failure of SQLite is a `StateError`.
    """

    def __init__(self, connection: sqlite3.Connection, name: str) -> None:
        self.name = name
        self._connection = connection
        self._lock = threading.RLock()
        self._listeners: list[Callable[[], None]] = []

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """What a SELECT gives, all of it."""
        with self._lock, self._explained():
            cursor = self._connection.execute(sql, parameters)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]

    def write(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run one INSERT, UPDATE or DELETE, in the transaction at hand or its own; how many rows it touched."""
        with self.transaction():
            return self._connection.execute(sql, parameters).rowcount

    def write_many(self, sql: str, parameters: Sequence[Sequence[Any]]) -> None:
        """Run one statement for each row of parameters."""
        with self.transaction():
            self._connection.executemany(sql, parameters)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; inside another transaction, a part of that one.

        IMMEDIATE takes the write lock at the start: a reader that becomes a writer halfway would fail at once where
        another process writes, instead of waiting for it.
        """
        with self._lock, self._explained():
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            before = self._connection.total_changes
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.rollback()
                raise
            written = self._connection.total_changes > before
        if written:
            for listener in tuple(self._listeners):
                listener()

    def on_commit(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` (from the writing thread) after each commit that wrote something; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def close(self) -> None:
        """Close the file; what was committed stays."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StateError(f"The database {self.name} cannot be used: {error}.") from error


def open_database(path: Path | None) -> Database:
    """Open or make the database, at the newest schema; None is one in memory, for a replay.

    Raises `StateError` for a file that is damaged, unreadable, or of a newer rpkival; `AccessError` where only another
    user may use it.
    """
    name = "in memory" if path is None else str(path)
    try:
        if path is not None:
            # Webhook addresses may hold tokens: the file is its owner's alone, and SQLite's side files follow it.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(
            ":memory:" if path is None else path, timeout=_BUSY_SECONDS, check_same_thread=False, isolation_level=None
        )
    except PermissionError as error:
        raise AccessError(
            f"This user has no permission for the database {name}; run as the user of rpkival up, or name another "
            "--data-dir."
        ) from error
    except (OSError, sqlite3.Error) as error:
        raise StateError(f"The database {name} cannot be opened: {_because(error)}.") from error
    try:
        _prepare(connection, name)
    except sqlite3.DatabaseError as error:
        connection.close()
        raise StateError(
            f"The database {name} is damaged or not ours ({error}); move it away and a new one is made."
        ) from error
    except StateError:
        connection.close()
        raise
    return Database(connection, name)


def _prepare(connection: sqlite3.Connection, name: str) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise sqlite3.DatabaseError(verdict.splitlines()[-1])
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Plug-ins of other people's sqlite-utils have no business in this process.
        migrate(sqlite_utils.Database(connection, execute_plugins=False), name)
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise


def _because(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)
