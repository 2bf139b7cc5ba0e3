"""Tests for rpkival.repository.store, with its update, its sweep and its file."""

from __future__ import annotations

import sqlite3
from hashlib import sha256
from pathlib import Path

import pytest

from rpkival.errors import AccessError, LimitError, StateError
from rpkival.limits import REPOSITORY_KEEP_SECONDS
from rpkival.objects.place import Accepted
from rpkival.repository import store_update
from rpkival.repository.store import STORE_NAME, Kept, Store

ONE, OTHER = "https://one.example/notification.xml", "https://other.example/notification.xml"
X, Y = "rsync://one.example/repo/x.roa", "rsync://one.example/repo/y.roa"
DAY = 86400.0


class Clock:
    """A clock that is set."""

    now = 1_773_648_000.0

    def __call__(self) -> float:
        """The time it shows."""
        return self.now


def publish(store: Store, repository: str, **objects: bytes) -> None:
    """Let a repository publish objects at the URIs X and Y, beside what it has."""
    with store.update(repository) as update:
        for name, content in objects.items():
            update.publish({"x": X, "y": Y}[name], content)
        update.commit(b"state")


def fill(store: Store, objects: int, octets: int) -> None:
    """Let the repository ONE publish so many objects of so many octets, and nothing else."""
    with store.update(ONE) as update:
        update.replace_all()
        for number in range(objects):
            update.publish(f"{X}{number}", number.to_bytes(2) * (octets // 2))
        update.commit(None)


def listed(store: Store, repository: str, uri: str) -> bytes | None:
    """What a repository publishes at a URI, after a look at its digest."""
    known = store.repository(repository)
    if known is None:
        return None
    found = store.published(known.id, uri)
    assert store.digest(known.id, uri) == (found[0] if found else None)
    assert found is None or found[0] == sha256(found[1]).digest()
    return found[1] if found else None


def test_what_is_committed_is_there(tmp_path: Path) -> None:
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
    assert listed(store, ONE, X) == b"x"
    with store.update(ONE) as update:
        assert update.state == b"serial 1"
        assert list(update.uris()) == [X]
    store.close()


def test_without_a_commit_nothing_happens(tmp_path: Path) -> None:
    """However the block is left."""
    store = Store(tmp_path)
    publish(store, ONE, x=b"x")
    with store.update(ONE) as update:
        update.withdraw(X)
        update.publish(Y, b"y")
    with pytest.raises(TypeError):
        publish(store, OTHER, y=b"other", x=None)  # type: ignore[arg-type]

    assert listed(store, ONE, X) == b"x"
    assert listed(store, ONE, Y) is None
    assert store.repository(OTHER) is None
    store.close()


def test_the_whole_of_a_repository_is_replaced(tmp_path: Path) -> None:
    """What is not published from there on is gone, and the sums of objects and bytes are right all the time."""
    store = Store(tmp_path)
    publish(store, ONE, x=b"x", y=b"yy")
    publish(store, ONE, y=b"yyyy")
    publish(store, ONE, y=b"yyyy")
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
    assert (listed(store, ONE, X), listed(store, ONE, Y)) == (None, b"why")
    assert store.state(ONE) is None
    store.close()


def test_a_repository_never_answers_for_another(tmp_path: Path) -> None:
    """Publishing somebody else's URIs, replacing or withdrawing them, touches only one's own listing."""
    store = Store(tmp_path)
    publish(store, ONE, x=b"mine")
    publish(store, OTHER, x=b"poison", y=b"more poison")
    assert (listed(store, ONE, X), listed(store, ONE, Y)) == (b"mine", None)

    with store.update(OTHER) as update:
        update.replace_all()
        update.withdraw(X)
        update.commit(None)
    store.sweep(thoroughly=True)
    assert listed(store, ONE, X) == b"mine"
    store.close()


def test_contents_lie_there_once_and_go_with_their_last_reference(tmp_path: Path) -> None:
    """References are listings and accepted versions."""
    store = Store(tmp_path)
    publish(store, ONE, x=b"same", y=b"accepted")
    publish(store, OTHER, x=b"same")
    assert count(tmp_path) == 2
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
    assert count(tmp_path) == 0
    store.close()


def count(directory: Path) -> int:
    """How many contents the store has."""
    with sqlite3.connect(directory / STORE_NAME) as connection:
        found: int = connection.execute("SELECT count(*) FROM blob").fetchone()[0]
    connection.close()
    return found


def test_a_sweep_that_is_not_worth_it_is_put_off(tmp_path: Path) -> None:
    """A few contents without a reference are cheaper to keep than to find."""
    store = Store(tmp_path)
    publish(store, ONE, x=b"old")
    publish(store, ONE, x=b"new")
    store.sweep()
    assert count(tmp_path) == 2
    store.close()


def test_what_nobody_leads_to_is_dropped_after_days(tmp_path: Path) -> None:
    """Repositories and accepted versions; what is touched stays, however long ago it succeeded."""
    clock = Clock()
    store = Store(tmp_path, clock=clock)
    publish(store, ONE, x=b"x")
    publish(store, OTHER, x=b"y")
    version = Accepted(b"m" * 32, 1, 1)
    store.accept([Kept(b"p" * 32, version, sha256(b"x").digest()), Kept(b"q" * 32, version, sha256(b"y").digest())])
    clock.now += REPOSITORY_KEEP_SECONDS + DAY
    store.touch([OTHER])
    store.accept([], [b"q" * 32])
    store.sweep(thoroughly=True)

    assert store.repository(ONE) is None
    assert store.accepted(b"p" * 32) is None
    assert store.accepted(b"q" * 32) is not None
    assert listed(store, OTHER, X) == b"y"
    assert count(tmp_path) == 1
    store.close()


def test_nothing_rests_on_what_was_dropped(tmp_path: Path) -> None:
    """The repository that comes in its place may have its number and its version."""
    clock = Clock()
    store = Store(tmp_path, clock=clock)
    before = store.acceptances
    publish(store, ONE, x=b"x")
    old = store.repository(ONE)
    clock.now += REPOSITORY_KEEP_SECONDS + DAY
    store.sweep()
    publish(store, ONE, x=b"y")
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


def test_the_last_to_succeed_has_the_largest_turn_whatever_the_clock_says(tmp_path: Path) -> None:
    """A clock that was a year ahead must not let a dead repository rule for a year."""
    clock = Clock()
    store = Store(tmp_path, clock=clock)
    publish(store, ONE, x=b"x")
    clock.now -= 365 * DAY
    publish(store, OTHER, x=b"x")
    one, other = store.repository(ONE), store.repository(OTHER)
    assert one is not None
    assert other is not None
    assert one.turn < other.turn
    store.note_success(ONE, clock.now + 600)
    one = store.repository(ONE)
    assert one is not None
    assert one.turn > other.turn
    store.close()


def test_failures_are_counted_until_the_next_success(tmp_path: Path) -> None:
    """A repository that never succeeded has a row too."""
    clock = Clock()
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


def test_a_repository_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In objects, in bytes, in one object; what passes a bound leaves what was there."""
    monkeypatch.setattr(store_update, "MAX_OBJECT_BYTES", 10)
    monkeypatch.setattr(store_update, "MAX_REPOSITORY_BYTES", 15)
    monkeypatch.setattr(store_update, "MAX_REPOSITORY_OBJECTS", 2)
    store = Store(tmp_path)
    publish(store, ONE, x=b"x", y=b"y" * 10)
    with pytest.raises(LimitError, match="11 bytes; 10 are allowed"):
        publish(store, ONE, x=b"x" * 11)
    with pytest.raises(LimitError, match="more than 2 objects or 15 bytes"):
        publish(store, ONE, x=b"x" * 6)
    with pytest.raises(LimitError, match="more than 2 objects"), store.update(ONE) as update:
        update.publish(X + "2", b"")
    publish(store, ONE, x=b"x" * 5)

    assert (listed(store, ONE, X), listed(store, ONE, Y)) == (b"xxxxx", b"y" * 10)
    store.close()


def test_the_number_of_repositories_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are there go on."""
    monkeypatch.setattr(store_update, "MAX_STORED_REPOSITORIES", 1)
    store = Store(tmp_path)
    publish(store, ONE, x=b"x")
    with pytest.raises(LimitError, match="has 1 repositories already"):
        publish(store, OTHER, x=b"x")
    with pytest.raises(LimitError):
        store.note_failure(OTHER, "It is down.", 0.0)
    publish(store, ONE, x=b"new")
    assert listed(store, ONE, X) == b"new"
    store.close()


def test_repositories_that_never_came_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name costs nothing to invent; the one that was asked for longest ago goes first."""
    monkeypatch.setattr(store_update, "MAX_STORED_REPOSITORIES", 3)
    clock = Clock()
    store = Store(tmp_path, clock=clock)
    publish(store, ONE, x=b"x")
    for number in range(5):
        clock.now += 1
        store.note_failure(f"https://{number}.example/", "It does not exist.", clock.now)
    assert store.repository("https://2.example/") is None
    assert store.repository("https://3.example/") is not None
    publish(store, OTHER, x=b"x")
    assert listed(store, OTHER, X) == listed(store, ONE, X) == b"x"
    assert store.repository("https://3.example/") is None
    assert store.repository("https://4.example/") is not None
    store.close()


def test_a_full_store_is_read_on(tmp_path: Path) -> None:
    """Its own bound and a full disk are the same to SQLite, and to us: a sentence, and nothing lost."""
    store = Store(tmp_path, max_bytes=2_000_000)
    publish(store, ONE, x=b"x")
    with pytest.raises(StateError, match="is full"):
        fill(store, 300, 10_000)
    assert listed(store, ONE, X) == b"x"
    assert store.state(ONE) == b"state"
    assert (tmp_path / f"{STORE_NAME}-wal").stat().st_size < 100_000

    publish(store, ONE, x=b"new")
    assert listed(store, ONE, X) == b"new"
    assert (tmp_path / STORE_NAME).stat().st_size <= 2_000_000
    store.close()


@pytest.mark.parametrize("damage", [b"this is no database at all" * 1000, b"SQLite format 3\0" + b"\xff" * 50_000])
def test_a_damaged_file_is_set_aside(tmp_path: Path, damage: bytes) -> None:
    """With a sentence that says so; the new one works."""
    (tmp_path / STORE_NAME).write_bytes(damage)
    store = Store(tmp_path)
    assert "was damaged" in str(store.trouble)
    assert "everything is fetched again" in str(store.trouble)
    assert (tmp_path / f"{STORE_NAME}.damaged").read_bytes() == damage
    publish(store, ONE, x=b"x")
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


def test_a_file_in_use_is_not_set_aside(tmp_path: Path) -> None:
    """Another process may have it open; who comes second is told."""
    first = Store(tmp_path)
    publish(first, ONE, x=b"x")
    second = Store(tmp_path)
    publish(second, ONE, y=b"y")
    assert (listed(first, ONE, X), listed(first, ONE, Y)) == (b"x", b"y")
    with second.update(ONE) as update:
        update.replace_all()
        update.commit(None)
    second.sweep(thoroughly=True)
    assert count(tmp_path) == 2
    first.close()
    second.sweep(thoroughly=True)
    assert count(tmp_path) == 0
    second.close()


def make_older(directory: Path) -> None:
    """What version 1 had of a store."""
    with sqlite3.connect(directory / STORE_NAME) as connection:
        connection.execute("ALTER TABLE repository DROP COLUMN version")
        connection.execute("CREATE TABLE loose (count INTEGER NOT NULL)")
        connection.execute("INSERT INTO loose SELECT loose FROM counter")
        connection.execute("DROP TABLE counter")
        connection.execute("PRAGMA user_version=1")
    connection.close()


def test_a_store_of_an_earlier_version_is_taken_over(tmp_path: Path) -> None:
    """With all that is in it: the last good versions are nowhere else."""
    store = Store(tmp_path)
    publish(store, ONE, x=b"x")
    publish(store, OTHER, x=b"y")
    before = store.repository(OTHER)
    assert before is not None
    store.close()
    make_older(tmp_path)
    store = Store(tmp_path)
    assert listed(store, ONE, X) == b"x"
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


def test_judgements_are_kept_until_they_are_forgotten(tmp_path: Path) -> None:
    """They are there before they are written, and after the store is opened again."""
    store = Store(tmp_path)
    keys = [sha256(bytes([number])).digest() for number in range(5)]
    for key in keys:
        store.judgements.put(key, b"record of " + key)
    store.judgements.put(keys[0], b"better")
    assert store.judgements.get(keys[0]) == b"better"
    found = store.judgements.all(1_000)
    assert found is not None
    assert found[keys[0]] == b"better"
    store.judgements.flush()
    store.judgements.put(keys[0], b"best")
    store.judgements.forget_unused(keys[:2])
    store.close()

    store = Store(tmp_path)
    assert store.judgements.all(1_000) == {keys[0]: b"best", keys[1]: b"record of " + keys[1]}
    assert store.judgements.all(10) is None
    assert store.judgements.get(keys[2]) is None
    store.close()


def test_a_judgement_too_large_to_be_kept_costs_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that wait are written together."""
    monkeypatch.setattr("rpkival.repository.store_judgements.MAX_MEMO_BYTES", 10)
    store = Store(tmp_path)
    store.judgements.put(b"small", b"record")
    store.judgements.put(b"large", b"record" * 2)
    store.judgements.flush()
    assert store.judgements.all(100) == {b"small": b"record"}
    store.close()


def test_a_judgement_that_the_disk_has_changed_is_not_there(tmp_path: Path) -> None:
    """Nor one that got under another key."""
    store = Store(tmp_path)
    store.judgements.put(b"k" * 32, b"good")
    store.judgements.put(b"l" * 32, b"good")
    store.judgements.flush()
    with sqlite3.connect(tmp_path / STORE_NAME) as connection:
        connection.execute("UPDATE judgement SET record=? WHERE key=?", (b"goof", b"k" * 32))
        connection.execute("UPDATE judgement SET key=? WHERE key=?", (b"m" * 32, b"l" * 32))
    connection.close()
    assert store.judgements.get(b"k" * 32) is None
    assert store.judgements.all(1_000) == {}
    store.close()
