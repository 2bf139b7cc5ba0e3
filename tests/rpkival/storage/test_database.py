"""The database file: careful opening, transactions, threads."""

from __future__ import annotations

import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from rpkival.errors import AccessError, StateError
from rpkival.storage import Database, append_event, open_database


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database is."""
    return tmp_path / "rpkival.sqlite"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    """A new one."""
    database = open_database(path)
    yield database
    database.close()


def test_it_is_made_for_its_owner_alone(database: Database, path: Path) -> None:
    """Webhook addresses may hold tokens."""
    append_event(database, "test", {}, 1.0)

    modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}

    assert modes == {0o600}


def test_what_was_committed_is_there_again(database: Database, path: Path) -> None:
    """Another connection, later or now, sees it."""
    identifier = append_event(database, "test", {"n": 1}, 1.0)

    other = open_database(path)

    assert other.rows("SELECT id, type, data FROM events") == [{"id": identifier, "type": "test", "data": '{"n":1}'}]
    other.close()


def test_a_transaction_is_all_or_nothing(database: Database) -> None:
    """An error inside takes everything back, also what an inner transaction did."""

    def half() -> None:
        with database.transaction():
            append_event(database, "test", {"n": 1}, 1.0)
            with database.transaction():
                append_event(database, "test", {"n": 2}, 1.0)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()

    assert database.rows("SELECT * FROM events") == []


def test_listeners_hear_commits_and_only_those(database: Database) -> None:
    """Once for a whole transaction; not for one that failed or wrote nothing; not after they left."""
    heard: list[int] = []
    leave = database.on_commit(lambda: heard.append(1))

    with database.transaction():
        append_event(database, "test", {}, 1.0)
        append_event(database, "test", {}, 1.0)
        assert heard == []
    with pytest.raises(RuntimeError), database.transaction():
        raise RuntimeError
    with database.transaction():
        assert len(database.rows("SELECT * FROM events")) == 2
    leave()
    append_event(database, "test", {}, 1.0)

    assert heard == [1]


def test_threads_take_turns(database: Database) -> None:
    """Each transaction is whole, whoever else writes."""

    def write() -> None:
        for _ in range(25):
            with database.transaction():
                append_event(database, "test", {}, 1.0)
                append_event(database, "test", {}, 1.0)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert database.rows("SELECT count(*) AS n FROM events") == [{"n": 200}]


def test_references_are_kept(database: Database) -> None:
    """A sighting of no incident is a fault of ours that must not be stored."""
    with pytest.raises(StateError, match="FOREIGN KEY"):
        database.write(
            "INSERT INTO sightings (incident, collector, peer, peer_asn, path_id, path, seen_at, active)"
            " VALUES ('inc_nothing', '', '', 0, 0, '', 0, 0)"
        )


def test_a_newer_schema_is_refused(database: Database, path: Path) -> None:
    """An old rpkival must not write into what it does not understand."""
    database.write(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('rpkival', 'm999_beyond', '')"
    )

    with pytest.raises(StateError, match=r"newer rpkival .*m999_beyond.*upgrade"):
        open_database(path)


@pytest.mark.parametrize("damage", ["text", "pages", "short"])
def test_a_damaged_file_is_refused(database: Database, path: Path, damage: str) -> None:
    """One sentence that says what to do, not a traceback in the night."""
    for number in range(200):
        append_event(database, "test", {"n": number, "x": "x" * 500}, 1.0)
    database.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    if damage == "text":
        path.write_bytes(b"this is no database" * 500)
    elif damage == "pages":
        octets = bytearray(path.read_bytes())
        octets[8192:32768] = b"\xff" * (32768 - 8192)
        path.write_bytes(octets)
    else:
        path.write_bytes(path.read_bytes()[:20_000])

    with pytest.raises(StateError, match=r"damaged or not ours .*move it away"):
        open_database(path)


def test_a_directory_that_cannot_be_written(tmp_path: Path) -> None:
    """Named, with the system's reason."""
    with pytest.raises(StateError, match="cannot be opened: No such file"):
        open_database(tmp_path / "none" / "rpkival.sqlite")
    with pytest.raises(StateError, match="cannot be opened: Is a directory"):
        open_database(tmp_path)


def test_a_write_that_fails_is_a_state_error(database: Database) -> None:
    """SQLite's errors do not leak."""
    with pytest.raises(StateError, match="no such table"):
        database.rows("SELECT * FROM nowhere")


def test_it_waits_for_another_writer(database: Database, path: Path) -> None:
    """A short transaction of another process costs patience, not an error."""
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.2, lambda: other.execute("COMMIT"))
    timer.start()

    append_event(database, "test", {}, 1.0)

    timer.join()
    other.close()
    assert len(database.rows("SELECT * FROM events")) == 1


def test_another_users_database_is_no_fault_of_ours(
    database: Database, path: Path, no_permission: Callable[[Path], AbstractContextManager[None]]
) -> None:
    """It is not damaged, and what to do is told."""
    with (
        no_permission(path),
        pytest.raises(AccessError, match=r"no permission for the database .* run as the user of rpkival up"),
    ):
        open_database(path)
