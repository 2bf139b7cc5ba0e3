"""Tests for rpkival.repository.store: what was fetched, what was found good, and how repositories did."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

from rpkival.repository.store import Store

ONE, OTHER = "https://one.example/notification.xml", "https://other.example/notification.xml"
X, Y = "rsync://one.example/repo/x.roa", "rsync://one.example/repo/y.roa"
DAY = 86400.0


def test_what_is_committed_is_there(tmp_path: Path, contents: Any) -> None:
    """With the state, and after the store is opened again."""
    store = Store(tmp_path)
    with store.update(ONE) as update:
        assert update.state is None
        assert update.digest(X) is None
        update.publish(X, b"x")
        assert update.digest(X) == sha256(b"x").digest()
        update.commit(b"serial 1")
    store.close()

    store = Store(tmp_path)
    assert store.trouble is None
    assert store.state(ONE) == b"serial 1"
    assert contents.listed(store, ONE, X) == b"x"
    with store.update(ONE) as update:
        assert update.state == b"serial 1"
        assert list(update.uris()) == [X]
    store.close()


def test_a_repository_never_answers_for_another(tmp_path: Path, contents: Any) -> None:
    """Publishing somebody else's URIs, replacing or withdrawing them, touches only one's own listing."""
    store = Store(tmp_path)
    contents.publish(store, ONE, {X: b"mine"})
    contents.publish(store, OTHER, {X: b"poison", Y: b"more poison"})
    assert (contents.listed(store, ONE, X), contents.listed(store, ONE, Y)) == (b"mine", None)

    with store.update(OTHER) as update:
        update.replace_all()
        update.withdraw(X)
        update.commit(None)
    store.sweep(thoroughly=True)
    assert contents.listed(store, ONE, X) == b"mine"
    store.close()


def test_the_last_to_succeed_has_the_largest_turn_whatever_the_clock_says(
    tmp_path: Path, clock: Any, contents: Any
) -> None:
    """A clock that was a year ahead must not let a dead repository rule for a year."""
    store = Store(tmp_path, clock=clock)
    contents.publish(store, ONE, {X: b"x"})
    clock.now -= 365 * DAY
    contents.publish(store, OTHER, {X: b"x"})
    one, other = store.repository(ONE), store.repository(OTHER)
    assert one is not None
    assert other is not None
    assert one.turn < other.turn
    store.note_success(ONE, clock.now + 600)
    one = store.repository(ONE)
    assert one is not None
    assert one.turn > other.turn
    store.close()


def test_failures_are_counted_until_the_next_success(tmp_path: Path, clock: Any) -> None:
    """A repository that never succeeded has a row too."""
    store = Store(tmp_path, clock=clock)
    store.note_failure(ONE, "It is down.", clock.now + 30)
    store.note_failure(ONE, "It is still down.", clock.now + 60)
    known = store.repository(ONE)
    assert known is not None
    assert (known.failures, known.error, known.retry_at) == (2, "It is still down.", clock.now + 60)
    assert known.succeeded is None

    store.note_success(ONE, clock.now + 600)
    known = store.repository(ONE)
    assert known is not None
    assert (known.failures, known.error, known.retry_at) == (0, None, None)
    assert (known.succeeded, known.fallback_at) == (clock.now, clock.now + 600)
    store.close()


def test_trust_anchors_are_kept(tmp_path: Path) -> None:
    """The last good one of each URI."""
    store = Store(tmp_path)
    assert store.trust_anchor(X) is None
    store.accept_trust_anchor(X, b"first")
    store.accept_trust_anchor(X, b"second")
    assert store.trust_anchor(X) == b"second"
    store.close()
