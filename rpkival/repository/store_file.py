"""The store's SQLite file: opened carefully, shared by threads and processes, set aside where it is damaged."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from rpkival.errors import AccessError, StateError
from rpkival.limits import MAX_STORE_BYTES, STORE_BUSY_SECONDS
from rpkival.repository.store_schema import CREATION_PRAGMAS, MIGRATIONS, PAGE_BYTES, PRAGMAS, SCHEMA, VERSION

__all__ = ["StoreFile"]

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_NO_SPACE = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN)
_NOT_OURS = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM)


class StoreFile:
    """One connection that writes and one that reads, each used by one thread at a time.

    Readers see what was committed last and wait for no writer. Every failure of SQLite is a `StateError`. A file that
    is `another_users`, or for whose opening the disk has no room, is only read. `trouble` is a sentence where the file
    was found damaged and a new one was begun; the damaged one is kept under another name.
    """

    def __init__(self, path: Path, *, max_bytes: int = MAX_STORE_BYTES, another_users: bool = False) -> None:
        """Raises `StateError`, `AccessError`."""
        self.path = path
        self.max_bytes = max_bytes
        self.another_users = another_users
        self.trouble: str | None = None
        self._not_written: str | None = None
        self._suspect = path.with_name(f"{path.name}.suspect")
        self._write_lock = threading.Lock()
        self._read_lock = threading.Lock()
        mode = os.O_RDONLY if another_users else os.O_RDWR | os.O_CREAT
        try:
            self._held = os.open(path.with_name(f"{path.name}.lock"), mode | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise self._not_ours(error.strerror or str(error)) from error
        try:
            with self._explained():
                if another_users:
                    self._open_another_users()
                else:
                    self._open()
                self._check_version()
        except BaseException:
            os.close(self._held)
            raise

    @contextmanager
    def writer(self) -> Iterator[sqlite3.Connection]:
        """A transaction, alone among threads and processes. Without a COMMIT by the caller, nothing of it happens."""
        if self._not_written:
            raise StateError(f"The store {self.path} is only read: {self._not_written}.")
        with self._write_lock, self._explained():
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
            finally:
                if self._writer.in_transaction:
                    self._writer.rollback()
                    # What a transaction that was too large has left in the log would keep the disk full.
                    with suppress(sqlite3.Error):
                        self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What a SELECT gives, all of it."""
        with self._read_lock, self._explained():
            return self._reader.execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """The first row that a SELECT gives."""
        with self._read_lock:
            try:
                found: tuple[Any, ...] | None = self._reader.execute(sql, parameters).fetchone()
            except sqlite3.Error as error:
                raise self._explain(error) from error
        return found

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Whether no other process has the store open; if so, none can open it until the end of the block."""
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield True
        except BlockingIOError:
            yield False
        finally:
            # Going up may have cost the lock that we had.
            fcntl.flock(self._held, fcntl.LOCK_SH)

    def shrink(self) -> None:
        """Give pages that are free back to the file system, and the log into the file."""
        with self._write_lock, self._explained():
            self._writer.execute("PRAGMA incremental_vacuum").fetchall()
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close the file; what was committed stays."""
        with self._write_lock, self._read_lock:
            self._reader.close()
            self._writer.close()
            os.close(self._held)

    def _open(self) -> None:
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass  # another process has it open, and so has already done what follows
        else:
            self._check()
        fcntl.flock(self._held, fcntl.LOCK_SH)
        try:
            self._writer = self._connect()
            self._reader = self._connect()
            self._reader.execute("PRAGMA query_only=ON")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in _NO_SPACE or not self.path.exists():
                raise
            self._open_on_full_disk()

    def _check_version(self) -> None:
        version = self._reader.execute("PRAGMA user_version").fetchone()[0]
        if version == VERSION:
            return
        self._reader.close()
        self._writer.close()
        if version > VERSION:
            state = "was made by a later version of rpkival; use that, or move it away and a new one is made"
        elif self.another_users:
            state = "was made by an earlier version of rpkival; have its user run this one once"
        else:
            state = "is in use by an earlier version of rpkival; end that first"
        raise StateError(f"The store {self.path} {state}.")

    def _open_another_users(self) -> None:
        fcntl.flock(self._held, fcntl.LOCK_SH)
        self._not_written = "it belongs to another user"
        try:
            self._reader = self._writer = self._connect_read_only("mode=ro")
        except sqlite3.OperationalError:
            # Whoever closes it last takes its log away, and without that SQLite opens nothing that may change.
            if Path(f"{self.path}-wal").exists():
                raise
            self._reader = self._writer = self._connect_read_only("immutable=1")

    def _open_on_full_disk(self) -> None:
        """Without the shared memory beside the file, for which there is no room: possible for one connection alone."""
        self._not_written = "its disk is full; make room"
        self._reader = self._writer = _connected(self.path, ("locking_mode=EXCLUSIVE", "query_only=ON"))

    def _connect_read_only(self, how: str) -> sqlite3.Connection:
        return _connected(f"{self.path.absolute().as_uri()}?{how}", uri=True)

    def _connect(self) -> sqlite3.Connection:
        pragmas = (*PRAGMAS, f"max_page_count={max(1, self.max_bytes // PAGE_BYTES)}")
        return _connected(self.path, pragmas, timeout=STORE_BUSY_SECONDS)

    def _check(self) -> None:
        """Alone: make the file if there is none, and set it aside if it is damaged."""
        try:
            self._prepare()
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF not in _DAMAGED:
                if error.sqlite_errorcode & 0xFF in _NO_SPACE and self.path.exists():
                    return
                raise
            self._set_aside(str(error))
            self._prepare()
        with suppress(OSError):
            self._suspect.unlink(missing_ok=True)

    def _prepare(self) -> None:
        connection = sqlite3.connect(self.path, isolation_level=None)
        try:
            # Looking at every page takes seconds, so only a file that has once given an error is asked for it.
            if self._suspect.exists():
                verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
                if verdict != "ok":
                    raise _damaged(verdict.splitlines()[-1])
            if connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
                version = connection.execute("PRAGMA user_version").fetchone()[0]
                if version == 0:
                    raise _damaged("it is a database of something else")
                for older in range(version, VERSION):
                    _execute(connection, MIGRATIONS[older], older + 1)
                connection.execute("SELECT count(*) FROM repository").fetchone()
                return
            for pragma in CREATION_PRAGMAS:
                connection.execute(f"PRAGMA {pragma}").fetchall()
            _execute(connection, SCHEMA, VERSION)
        finally:
            connection.close()

    def _set_aside(self, reason: str) -> None:
        kept = self.path.with_name(f"{self.path.name}.damaged")
        self.path.replace(kept)
        for tail in ("-wal", "-shm"):
            beside = self.path.with_name(self.path.name + tail)
            if beside.exists():
                beside.replace(kept.with_name(kept.name + tail))
        self.trouble = (
            f"The store {self.path} was damaged ({reason}) and is now {kept.name}; a new one is begun, and "
            "everything is fetched again."
        )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._explain(error) from error

    def _not_ours(self, reason: str) -> AccessError:
        remedy = "run as the user it belongs to, or choose another directory"
        return AccessError(f"The store {self.path} cannot be used ({reason}); {remedy}.")

    def _explain(self, error: sqlite3.Error) -> StateError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            return StateError(
                f"The store {self.path} is full: its disk is, or it has reached its {self.max_bytes} bytes; what it "
                "has is used on."
            )
        if code in _DAMAGED:
            with suppress(OSError):
                self._suspect.touch()
            return StateError(f"The store {self.path} is damaged ({error}); the next start sets it aside.")
        if code in _NOT_OURS:
            return self._not_ours(str(error))
        return StateError(f"The store {self.path} cannot be used: {error}.")


def _connected(
    database: Path | str, pragmas: Iterable[str] = (), *, timeout: float = 5.0, uri: bool = False
) -> sqlite3.Connection:
    """A connection, for use in any thread, that has read something; SQLite opens files when it first needs them."""
    connection = sqlite3.connect(database, timeout, isolation_level=None, check_same_thread=False, uri=uri)
    try:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("SELECT count(*) FROM repository").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _execute(connection: sqlite3.Connection, statements: Iterable[str], version: int) -> None:
    """All of them or none; then the file is of this version."""
    connection.execute("BEGIN IMMEDIATE")
    for statement in statements:
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version={version}")
    connection.execute("COMMIT")


def _damaged(reason: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(reason)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error
