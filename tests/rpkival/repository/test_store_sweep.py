"""Tests for rpkival.repository.store_sweep: what goes, what stays, and that nothing rests on what has gone."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

from rpkival.limits import REPOSITORY_KEEP_SECONDS
from rpkival.objects.place import Accepted
from rpkival.repository.store import Kept, Store

ONE, OTHER = "https://one.example/notification.xml", "https://other.example/notification.xml"
X, Y = "rsync://one.example/repo/x.roa", "rsync://one.example/repo/y.roa"
DAY = 86400.0


def test_contents_lie_there_once_and_go_with_their_last_reference(tmp_path: Path, contents: Any) -> None:
    """References are listings and accepted versions."""
    store = Store(tmp_path)
    contents.publish(store, ONE, {X: b"same", Y: b"accepted"})
    contents.publish(store, OTHER, {X: b"same"})
    assert contents.count(tmp_path) == 2
    store.accept([Kept(b"p" * 32, Accepted(b"m" * 32, 2**159, 7), sha256(b"accepted").digest())])
    for repository in (ONE, OTHER):
        with store.update(repository) as update:
            update.replace_all()
            update.commit(None)
        store.sweep(thoroughly=True)
        assert (store.content(sha256(b"same").digest()) is None) == (repository == OTHER)

    assert store.content(sha256(b"accepted").digest()) == b"accepted"
    found = store.accepted(b"p" * 32)
    assert found is not None
    assert found[:2] == (Accepted(b"m" * 32, 2**159, 7), sha256(b"accepted").digest())
    store.accept([Kept(b"p" * 32, Accepted(b"n" * 32, 0, 8), sha256(b"gone").digest())])
    store.sweep(thoroughly=True)
    assert contents.count(tmp_path) == 0
    store.close()


def test_a_sweep_that_is_not_worth_it_is_put_off(tmp_path: Path, contents: Any) -> None:
    """A few contents without a reference are cheaper to keep than to find."""
    store = Store(tmp_path)
    contents.publish(store, ONE, {X: b"old"})
    contents.publish(store, ONE, {X: b"new"})
    store.sweep()
    assert contents.count(tmp_path) == 2
    store.close()


def test_what_nobody_leads_to_is_dropped_after_days(tmp_path: Path, clock: Any, contents: Any) -> None:
    """Repositories and accepted versions; what is touched stays, however long ago it succeeded."""
    store = Store(tmp_path, clock=clock)
    contents.publish(store, ONE, {X: b"x"})
    contents.publish(store, OTHER, {X: b"y"})
    version = Accepted(b"m" * 32, 1, 1)
    store.accept([Kept(b"p" * 32, version, sha256(b"x").digest()), Kept(b"q" * 32, version, sha256(b"y").digest())])
    clock.now += REPOSITORY_KEEP_SECONDS + DAY
    store.touch([OTHER])
    store.accept([], [b"q" * 32])
    store.sweep(thoroughly=True)

    assert store.repository(ONE) is None
    assert store.accepted(b"p" * 32) is None
    assert store.accepted(b"q" * 32) is not None
    assert contents.listed(store, OTHER, X) == b"y"
    assert contents.count(tmp_path) == 1
    store.close()


def test_nothing_rests_on_what_was_dropped(tmp_path: Path, clock: Any, contents: Any) -> None:
    """The repository that comes in its place may have its number and its version."""
    store = Store(tmp_path, clock=clock)
    before = store.acceptances
    contents.publish(store, ONE, {X: b"x"})
    old = store.repository(ONE)
    clock.now += REPOSITORY_KEEP_SECONDS + DAY
    store.sweep()
    contents.publish(store, ONE, {X: b"y"})
    new = store.repository(ONE)
    assert old is not None
    assert new is not None
    assert (new.id, new.version) == (old.id, old.version)
    assert store.acceptances > before
    before = store.acceptances
    store.accept([Kept(b"p" * 32, Accepted(b"m" * 32, 1, 1), b"")])
    clock.now += DAY
    store.sweep()
    assert store.acceptances == before + 1
    clock.now += REPOSITORY_KEEP_SECONDS
    store.touch([ONE])
    store.sweep()
    assert store.acceptances == before + 2
    store.close()
