"""Tests for rpkival.repository.mirror, with the real rsync against a real daemon on loopback."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rpkival.errors import StateError, UsageError
from rpkival.lab.rsync_daemon import RsyncDaemon
from rpkival.limits import REPOSITORY_KEEP_SECONDS
from rpkival.repository import store_update
from rpkival.repository.mirror import RsyncMirror
from rpkival.repository.rsync import Rsync
from rpkival.repository.store import Store
from rpkival.repository.uri import RsyncUri

pytestmark = pytest.mark.usefixtures("needs_rsync")


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """A module with one object."""
    directory = tmp_path / "module"
    (directory / "a").mkdir(parents=True)
    (directory / "a/x.roa").write_bytes(b"old")
    return directory


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A directory for what is fetched."""
    directory = tmp_path / "repository"
    directory.mkdir()
    return directory


@pytest.fixture
def store(cache: Path) -> Iterator[Store]:
    """The store in it."""
    opened = Store(cache)
    yield opened
    opened.close()


def update(cache: Path, store: Store, uri: str, rsync: Rsync | None = None) -> str | None:
    """Fetch a module as a new process would; what went wrong."""
    return RsyncMirror(cache, rsync or Rsync(), store).update(RsyncUri.parse(uri, allow_dubious_hosts=True)).error


def listed(store: Store, uri: str) -> dict[str, bytes]:
    """What the store has of a module, by path."""
    known = store.repository(uri)
    if known is None:
        return {}
    with store.update(uri) as transaction:
        uris = list(transaction.uris())
    found = {each.removeprefix(uri): store.published(known.id, each) for each in uris}
    return {path: content[1] for path, content in found.items() if content}


def program(tmp_path: Path, script: str) -> Rsync:
    """A program in place of rsync, which finds its destination in $last and the real one as rsync."""
    path = tmp_path / "instead-of-rsync"
    path.write_text(f"#!/bin/sh\nfor last; do :; done\n{script}\n")
    path.chmod(0o755)
    return Rsync(str(path), total_seconds=2)


def test_a_module_comes_into_the_store(rsync_daemon: RsyncDaemon, module: Path, cache: Path, store: Store) -> None:
    """And what is new, changed or gone, the next time."""
    uri = rsync_daemon.serve("m", module)
    (module / "a/y.roa").write_bytes(b"gone soon")
    assert update(cache, store, uri + "a/") is None
    assert listed(store, uri) == {"a/x.roa": b"old", "a/y.roa": b"gone soon"}

    (module / "a/x.roa").write_bytes(b"newer")
    (module / "a/y.roa").unlink()
    (module / "z.roa").write_bytes(b"z")
    assert update(cache, store, uri) is None
    assert listed(store, uri) == {"a/x.roa": b"newer", "z.roa": b"z"}


def test_only_what_changed_is_read(
    rsync_daemon: RsyncDaemon, module: Path, cache: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By size and time, as rsync has it; and everything again where the store does not know the mirror."""
    uri = rsync_daemon.serve("m", module)
    (module / "a/y.roa").write_bytes(b"y")
    published: list[str] = []
    publish = store_update.Update.publish

    def note(self: store_update.Update, object_uri: str, content: bytes) -> None:
        published.append(object_uri.removeprefix(uri))
        publish(self, object_uri, content)

    monkeypatch.setattr(store_update.Update, "publish", note)
    update(cache, store, uri)
    assert sorted(published) == ["a/x.roa", "a/y.roa"]

    published.clear()
    (module / "a/y.roa").write_bytes(b"why")
    update(cache, store, uri)
    assert published == ["a/y.roa"]

    published.clear()
    with store.update(uri) as transaction:
        transaction.replace_all()
        transaction.commit(None)
    update(cache, store, uri)
    assert sorted(published) == ["a/x.roa", "a/y.roa"]
    assert listed(store, uri) == {"a/x.roa": b"old", "a/y.roa": b"why"}


def test_a_crash_between_commit_and_exchange_loses_nothing(
    rsync_daemon: RsyncDaemon, module: Path, cache: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store is ahead of the mirror; a file that then goes back to what it was is still noticed."""
    uri = rsync_daemon.serve("m", module)
    moment = time.time() - 1000
    os.utime(module / "a/x.roa", (moment, moment))
    update(cache, store, uri)
    (module / "a/x.roa").write_bytes(b"new")
    with monkeypatch.context() as patch:
        patch.setattr(RsyncMirror, "_exchange", lambda *_: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            update(cache, store, uri)
    assert listed(store, uri) == {"a/x.roa": b"new"}

    (module / "a/x.roa").write_bytes(b"old")
    os.utime(module / "a/x.roa", (moment, moment))
    assert update(cache, store, uri) is None
    assert listed(store, uri) == {"a/x.roa": b"old"}


def test_names_that_no_certificate_can_have_are_left_out(
    rsync_daemon: RsyncDaemon, module: Path, cache: Path, store: Store
) -> None:
    """So are links."""
    uri = rsync_daemon.serve("m", module)
    for name in (".hidden", "with space", "\N{LATIN SMALL LETTER U WITH DIAERESIS}.roa", "star*"):
        (module / name).write_bytes(b"?")
    (module / "link.roa").symlink_to("/etc/passwd")
    assert update(cache, store, uri) is None
    assert listed(store, uri) == {"a/x.roa": b"old"}


def test_a_failing_fetch_leaves_the_last_good_one(
    rsync_daemon: RsyncDaemon, module: Path, cache: Path, store: Store
) -> None:
    """The error is a sentence."""
    uri = rsync_daemon.serve("m", module)
    update(cache, store, uri)
    rsync_daemon.close()
    assert "Connection refused" in str(update(cache, store, uri))
    assert listed(store, uri) == {"a/x.roa": b"old"}


def test_a_fetch_killed_midway_leaves_the_last_good_one(
    rsync_daemon: RsyncDaemon, module: Path, cache: Path, store: Store, tmp_path: Path
) -> None:
    """Nothing of it is seen, and nothing of it stays behind."""
    uri = rsync_daemon.serve("m", module)
    update(cache, store, uri)
    (module / "a/x.roa").unlink()
    for number in range(20):
        (module / f"a/{number:02}.roa").write_bytes(os.urandom(50_000))
    slow = program(tmp_path, f'exec {shutil.which("rsync")} --bwlimit=50 "$@"')

    assert "was stopped" in str(update(cache, store, uri, slow))
    assert listed(store, uri) == {"a/x.roa": b"old"}
    assert {path.name.split(",")[0] for path in (cache / ".staging").iterdir()} <= {"lock", "partial", "token"}


def test_a_fetch_goes_on_where_the_last_one_stopped(
    rsync_daemon: RsyncDaemon, module: Path, cache: Path, store: Store, tmp_path: Path
) -> None:
    """What came before it was cut off is not transferred again, and nothing is left over in the end."""
    uri = rsync_daemon.serve("m", module)
    (module / "large.roa").write_bytes(os.urandom(1_000_000))
    assert "exit code 30" in str(
        update(cache, store, uri, program(tmp_path, f'cp -p {module}/large.roa "$last"; exit 30'))
    )
    assert listed(store, uri) == {}

    result = RsyncMirror(cache, Rsync(), store).update(RsyncUri.parse(uri, allow_dubious_hosts=True))
    assert result.error is None
    assert result.received is not None
    assert result.received < 100_000
    assert listed(store, uri) == {"a/x.roa": b"old", "large.roa": (module / "large.roa").read_bytes()}
    assert {path.name.split(",")[0] for path in (cache / ".staging").iterdir()} == {"lock", "token"}


def test_what_the_sender_could_not_send_is_kept(
    rsync_daemon: RsyncDaemon, module: Path, cache: Path, store: Store, tmp_path: Path
) -> None:
    """One file that the server cannot read must not hold up all others; the error is told."""
    uri = rsync_daemon.serve("m", module)
    update(cache, store, uri)
    (module / "a/y.roa").write_bytes(b"new")
    troubled = program(tmp_path, f'{shutil.which("rsync")} "$@"; rm "$last/a/x.roa"; exit 23')

    assert "exit code 23" in str(update(cache, store, uri, troubled))
    assert listed(store, uri) == {"a/x.roa": b"old", "a/y.roa": b"new"}


def test_a_single_file_is_fetched_and_not_kept(
    rsync_daemon: RsyncDaemon, module: Path, cache: Path, store: Store
) -> None:
    """As trust anchors are."""
    uri = RsyncUri.parse(rsync_daemon.serve("m", module) + "a/x.roa", allow_dubious_hosts=True)
    mirror = RsyncMirror(cache, Rsync(), store)
    assert mirror.file(uri)[1] == b"old"
    (module / "a/x.roa").unlink()
    result, content = mirror.file(uri)
    assert content is None
    assert result.error is not None


def test_a_crash_between_two_names_loses_nothing(cache: Path, store: Store) -> None:
    """The next run gives the module its name back, or drops the copy that was replaced; abandoned fetches go."""
    staging = cache / ".staging"
    for left in (
        "old,rpki.example.net,lost",
        "old,rpki.example.net,replaced",
        "fetch-dead",
        "fetch-alive",
        "partial,a,b",
    ):
        (staging / left).mkdir(parents=True)
        (staging / left / "x.roa").write_bytes(b"old")
    (cache / "rpki.example.net/replaced").mkdir(parents=True)
    (cache / "rpki.example.net/replaced/x.roa").write_bytes(b"new")
    long_ago = time.time() - 2 * 24 * 3600
    for left in ("fetch-dead", "partial,a,b"):
        os.utime(staging / left, (long_ago, long_ago))

    RsyncMirror(cache, Rsync(), store)

    assert (cache / "rpki.example.net/lost/x.roa").read_bytes() == b"old"
    assert (cache / "rpki.example.net/replaced/x.roa").read_bytes() == b"new"
    assert {path.name for path in staging.iterdir()} == {"lock", "fetch-alive"}


def test_modules_that_are_not_fetched_any_more_are_deleted(
    rsync_daemon: RsyncDaemon, module: Path, cache: Path, store: Store
) -> None:
    """After days, and only what was fetched here: the directory may have been somebody's."""
    uri, other = rsync_daemon.serve("m", module), rsync_daemon.serve("other", module)
    update(cache, store, uri)
    update(cache, store, other)
    (cache / "rpki.example.net/foreign").mkdir(parents=True)
    long_ago = time.time() - REPOSITORY_KEEP_SECONDS - 60
    for each in (cache / ".staging" / f"token,{rsync_daemon.authority},m", cache / "rpki.example.net/foreign"):
        os.utime(each, (long_ago, long_ago))

    RsyncMirror(cache, Rsync(), store)

    assert [path.name for path in (cache / rsync_daemon.authority).iterdir()] == ["other"]
    assert (cache / "rpki.example.net/foreign").is_dir()
    assert listed(store, uri) == {"a/x.roa": b"old"}


def test_a_disk_that_fails_is_told_apart_from_the_repository(
    rsync_daemon: RsyncDaemon, module: Path, cache: Path, store: Store
) -> None:
    """As an error of ours, in a sentence; other modules are not touched by it."""
    uri, other = rsync_daemon.serve("m", module), rsync_daemon.serve("other", module)
    mirror = RsyncMirror(cache, Rsync(), store)
    shutil.rmtree(cache / ".staging")
    with pytest.raises(StateError, match="cannot be kept in"):
        mirror.update(RsyncUri.parse(uri, allow_dubious_hosts=True))
    (cache / ".staging").mkdir()
    assert mirror.update(RsyncUri.parse(other, allow_dubious_hosts=True)).error is None


def test_a_full_disk_is_told_apart_from_the_repository(
    rsync_daemon: RsyncDaemon, module: Path, cache: Path, store: Store, tmp_path: Path
) -> None:
    """What had come does not stay to fill it; what a sender says of its own disk is the sender's trouble."""
    uri = rsync_daemon.serve("m", module)
    said = (
        'cp {}/a/x.roa "$last"; echo "rsync: [{}] write failed on \\"x\\": No space left on device (28)" >&2; exit 11'
    )
    with pytest.raises(StateError, match=r"cannot be kept in .*: No space left on device; make room\.$"):
        update(cache, store, uri, program(tmp_path, said.format(module, "receiver")))
    assert not list((cache / ".staging").glob("partial,*"))
    assert "[sender] write failed" in str(update(cache, store, uri, program(tmp_path, said.format(module, "sender"))))
    assert list((cache / ".staging").glob("partial,*"))


def test_a_module_beyond_its_bounds_leaves_the_last_good_one(
    rsync_daemon: RsyncDaemon, module: Path, cache: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the store as in the mirror."""
    uri = rsync_daemon.serve("m", module)
    update(cache, store, uri)
    monkeypatch.setattr(store_update, "MAX_REPOSITORY_OBJECTS", 3)
    for number in range(5):
        (module / f"{number}.roa").write_bytes(b"?")
    assert "cannot be kept" in str(update(cache, store, uri))
    assert listed(store, uri) == {"a/x.roa": b"old"}


def test_a_directory_that_cannot_be_written_is_wrong_usage(tmp_path: Path, store: Store) -> None:
    """It is told before anything is fetched."""
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be written"):
        RsyncMirror(tmp_path / "file/repository", Rsync(), store)
