"""Tests for rpkival.repository.store_update: all of a change or nothing, and no more than is allowed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rpkival.errors import LimitError
from rpkival.repository import store_update
from rpkival.repository.store import Store

ONE, OTHER = "https://one.example/notification.xml", "https://other.example/notification.xml"
X, Y = "rsync://one.example/repo/x.roa", "rsync://one.example/repo/y.roa"


def test_without_a_commit_nothing_happens(tmp_path: Path, contents: Any) -> None:
    """However the block is left."""
    store = Store(tmp_path)
    contents.publish(store, ONE, {X: b"x"})
    with store.update(ONE) as update:
        update.withdraw(X)
        update.publish(Y, b"y")
    with pytest.raises(TypeError):
        contents.publish(store, OTHER, {Y: b"other", X: None})

    assert contents.listed(store, ONE, X) == b"x"
    assert contents.listed(store, ONE, Y) is None
    assert store.repository(OTHER) is None
    store.close()


def test_the_whole_of_a_repository_is_replaced(tmp_path: Path, contents: Any) -> None:
    """What is not published from there on is gone, and the sums of objects and bytes are right all the time."""
    store = Store(tmp_path)
    contents.publish(store, ONE, {X: b"x", Y: b"yy"})
    contents.publish(store, ONE, {Y: b"yyyy"})
    contents.publish(store, ONE, {Y: b"yyyy"})
    known = store.repository(ONE)
    assert known is not None
    assert (known.objects, known.bytes) == (2, 5)
    with store.update(ONE) as update:
        update.replace_all()
        update.publish(Y, b"why")
        update.withdraw(X)
        update.commit(None)

    known = store.repository(ONE)
    assert known is not None
    assert (known.objects, known.bytes) == (1, 3)
    assert (contents.listed(store, ONE, X), contents.listed(store, ONE, Y)) == (None, b"why")
    assert store.state(ONE) is None
    store.close()


def test_a_repository_is_bounded(tmp_path: Path, contents: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """In objects, in bytes, in one object; what passes a bound leaves what was there."""
    monkeypatch.setattr(store_update, "MAX_OBJECT_BYTES", 10)
    monkeypatch.setattr(store_update, "MAX_REPOSITORY_BYTES", 15)
    monkeypatch.setattr(store_update, "MAX_REPOSITORY_OBJECTS", 2)
    store = Store(tmp_path)
    contents.publish(store, ONE, {X: b"x", Y: b"y" * 10})
    with pytest.raises(LimitError, match="11 bytes; 10 are allowed"):
        contents.publish(store, ONE, {X: b"x" * 11})
    with pytest.raises(LimitError, match="more than 2 objects or 15 bytes"):
        contents.publish(store, ONE, {X: b"x" * 6})
    with pytest.raises(LimitError, match="more than 2 objects"), store.update(ONE) as update:
        update.publish(X + "2", b"")
    contents.publish(store, ONE, {X: b"x" * 5})

    assert (contents.listed(store, ONE, X), contents.listed(store, ONE, Y)) == (b"xxxxx", b"y" * 10)
    store.close()


def test_the_number_of_repositories_is_bounded(tmp_path: Path, contents: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are there go on."""
    monkeypatch.setattr(store_update, "MAX_STORED_REPOSITORIES", 1)
    store = Store(tmp_path)
    contents.publish(store, ONE, {X: b"x"})
    with pytest.raises(LimitError, match="has 1 repositories already"):
        contents.publish(store, OTHER, {X: b"x"})
    with pytest.raises(LimitError):
        store.note_failure(OTHER, "It is down.", 0.0)
    contents.publish(store, ONE, {X: b"new"})
    assert contents.listed(store, ONE, X) == b"new"
    store.close()


def test_repositories_that_never_came_make_room(
    tmp_path: Path, clock: Any, contents: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name costs nothing to invent; the one that was asked for longest ago goes first."""
    monkeypatch.setattr(store_update, "MAX_STORED_REPOSITORIES", 3)
    store = Store(tmp_path, clock=clock)
    contents.publish(store, ONE, {X: b"x"})
    for number in range(5):
        clock.now += 1
        store.note_failure(f"https://{number}.example/", "It does not exist.", clock.now)
    assert store.repository("https://2.example/") is None
    assert store.repository("https://3.example/") is not None
    contents.publish(store, OTHER, {X: b"x"})
    assert contents.listed(store, OTHER, X) == contents.listed(store, ONE, X) == b"x"
    assert store.repository("https://3.example/") is None
    assert store.repository("https://4.example/") is not None
    store.close()
