"""Tests for rpkival.repository.store_file: one that is full, damaged, in use, or of another version."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from rpkival.errors import AccessError, StateError
from rpkival.repository.store import STORE_NAME, Store

ONE, OTHER = "https://one.example/notification.xml", "https://other.example/notification.xml"
X, Y = "rsync://one.example/repo/x.roa", "rsync://one.example/repo/y.roa"


def fill(store: Store, objects: int, octets: int) -> None:
    """Let the repository ONE publish so many objects of so many octets, and nothing else."""
    with store.update(ONE) as update:
        update.replace_all()
        for number in range(objects):
            update.publish(f"{X}{number}", number.to_bytes(2) * (octets // 2))
        update.commit(None)


def test_a_full_store_is_read_on(tmp_path: Path, contents: Any) -> None:
    """Its own bound and a full disk are the same to SQLite, and to us: a sentence, and nothing lost."""
    store = Store(tmp_path, max_bytes=2_000_000)
    contents.publish(store, ONE, {X: b"x"})
    with pytest.raises(StateError, match="is full"):
        fill(store, 300, 10_000)
    assert contents.listed(store, ONE, X) == b"x"
    assert store.state(ONE) == b"state"
    assert (tmp_path / f"{STORE_NAME}-wal").stat().st_size < 100_000

    contents.publish(store, ONE, {X: b"new"})
    assert contents.listed(store, ONE, X) == b"new"
    assert (tmp_path / STORE_NAME).stat().st_size <= 2_000_000
    store.close()


@pytest.mark.parametrize("damage", [b"this is no database at all" * 1000, b"SQLite format 3\0" + b"\xff" * 50_000])
def test_a_damaged_file_is_set_aside(tmp_path: Path, contents: Any, damage: bytes) -> None:
    """With a sentence that says so; the new one works."""
    (tmp_path / STORE_NAME).write_bytes(damage)
    store = Store(tmp_path)
    assert "was damaged" in str(store.trouble)
    assert "everything is fetched again" in str(store.trouble)
    assert (tmp_path / f"{STORE_NAME}.damaged").read_bytes() == damage
    contents.publish(store, ONE, {X: b"x"})
    store.close()
    assert Store(tmp_path).trouble is None


def test_damage_found_midway_is_set_aside_at_the_next_start(tmp_path: Path) -> None:
    """Looking at every page of a gigabyte takes too long for every start, so the first error asks for it."""
    store = Store(tmp_path)
    fill(store, 2_000, 1_000)
    store.close()
    file = tmp_path / STORE_NAME
    content = bytearray(file.read_bytes())
    for page in range(40, len(content) // 16_384):
        content[page * 16_384 : page * 16_384 + 64] = b"\xff" * 64
    file.write_bytes(content)

    store = Store(tmp_path)
    assert store.trouble is None
    known = store.repository(ONE)
    assert known is not None
    with pytest.raises(StateError, match="the next start sets it aside"):
        [store.published(known.id, f"{X}{number}") for number in range(2_000)]
    store.close()
    store = Store(tmp_path)
    assert "was damaged" in str(store.trouble)
    assert store.repository(ONE) is None
    store.close()


def test_a_file_in_use_is_not_set_aside(tmp_path: Path, contents: Any) -> None:
    """Another process may have it open; who comes second is told."""
    first = Store(tmp_path)
    contents.publish(first, ONE, {X: b"x"})
    second = Store(tmp_path)
    contents.publish(second, ONE, {Y: b"y"})
    assert (contents.listed(first, ONE, X), contents.listed(first, ONE, Y)) == (b"x", b"y")
    with second.update(ONE) as update:
        update.replace_all()
        update.commit(None)
    second.sweep(thoroughly=True)
    assert contents.count(tmp_path) == 2
    first.close()
    second.sweep(thoroughly=True)
    assert contents.count(tmp_path) == 0
    second.close()


def make_older(directory: Path) -> None:
    """What version 1 had of a store."""
    with sqlite3.connect(directory / STORE_NAME) as connection:
        connection.execute("ALTER TABLE repository DROP COLUMN version")
        connection.execute("CREATE TABLE loose (count INTEGER NOT NULL)")
        connection.execute("INSERT INTO loose SELECT loose FROM counter")
        connection.execute("DROP TABLE counter")
        connection.execute("DROP INDEX manifest")
        connection.execute("PRAGMA user_version=1")
    connection.close()


def test_a_store_of_an_earlier_version_is_taken_over(tmp_path: Path, contents: Any) -> None:
    """With all that is in it: the last good versions are nowhere else."""
    store = Store(tmp_path)
    contents.publish(store, ONE, {X: b"x"})
    contents.publish(store, OTHER, {X: b"y"})
    before = store.repository(OTHER)
    assert before is not None
    store.close()
    make_older(tmp_path)
    store = Store(tmp_path)
    assert contents.listed(store, ONE, X) == b"x"
    after = store.repository(OTHER)
    assert after == before
    assert (after.version, store.acceptances) == (after.turn, 0)
    store.close()


def test_a_store_that_an_earlier_version_has_open_is_left_alone(tmp_path: Path) -> None:
    """It would find other tables than it knows."""
    store = Store(tmp_path)
    make_older(tmp_path)
    with pytest.raises(StateError, match="in use by an earlier version"):
        Store(tmp_path)
    store.close()


def test_a_store_of_another_version_is_left_alone(tmp_path: Path) -> None:
    """It may be a newer one's, and is not damaged."""
    Store(tmp_path).close()
    with sqlite3.connect(tmp_path / STORE_NAME) as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(StateError, match="later version of rpkival"):
        Store(tmp_path)


def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """As something that who runs this can mend."""
    (tmp_path / "file").touch()
    with pytest.raises(AccessError, match="cannot be used"):
        Store(tmp_path / "file")


def test_a_file_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    """As one of another user's, or a directory in its place: what to do follows, and it is no fault of ours."""
    (tmp_path / STORE_NAME).mkdir()
    with pytest.raises(AccessError, match=r"unable to open database file.*choose another directory"):
        Store(tmp_path)
