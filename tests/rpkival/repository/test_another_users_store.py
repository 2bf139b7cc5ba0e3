"""A store that this user may read and not write, as an operator finds the one of the service."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from rpkival.errors import AccessError, StateError
from rpkival.repository.opening import Fetching, open_source
from rpkival.repository.store import STORE_NAME, Store
from rpkival.repository.stored_source import StoredSource

ONE = "https://one.example/notification.xml"
X, Y = "rsync://one.example/repo/x.roa", "rsync://one.example/repo/y.roa"


@pytest.fixture
def directory(contents: Any) -> Iterator[Path]:
    """Of a store with X in it, where everybody may read; pytest's own directories are closed to others."""
    with tempfile.TemporaryDirectory(prefix="rpkival-store-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        with_x = Store(directory)
        contents.publish(with_x, ONE, {X: b"x"})
        with_x.close()
        yield directory


@pytest.fixture
def as_another(directory: Path) -> Callable[[], AbstractContextManager[None]]:
    """`with as_another():` what is in the directory may be read and not be written, even if root runs the tests."""

    @contextmanager
    def user() -> Iterator[None]:
        before, modes = os.geteuid(), {path: path.stat().st_mode for path in (directory, *directory.iterdir())}
        for path, mode in modes.items():
            path.chmod(mode & ~0o222)
        if before == 0:
            os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(before)
            for path, mode in modes.items():
                path.chmod(mode)

    return user


def test_it_is_read_and_nothing_is_written(
    directory: Path, as_another: Callable[[], AbstractContextManager[None]], contents: Any
) -> None:
    """Not even the memo, and that is no trouble; fetching into it is refused."""
    files = {path.name: path.read_bytes() for path in directory.iterdir()}
    with as_another():
        store = Store(directory, another_users=True)
        assert contents.listed(store, ONE, X) == b"x"
        with pytest.raises(StateError, match="is only read: it belongs to another user"):
            store.note_success(ONE, 1.0)
        store.close()
        with open_source(directory, Fetching(offline=True)) as source:
            assert isinstance(source, StoredSource)
            source.put(b"k", b"record")
            source.forget_unused(frozenset())
            assert source.get(b"k") is None
            assert source.trouble is None
        with pytest.raises(AccessError, match="run as the user it belongs to"), open_source(directory, Fetching()):
            pass
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == files


def test_what_its_user_writes_meanwhile_is_seen(
    directory: Path, as_another: Callable[[], AbstractContextManager[None]], contents: Any
) -> None:
    """As everybody sees it who has it open."""
    its_user = Store(directory)
    contents.publish(its_user, ONE, {Y: b"y"})
    with as_another():
        store = Store(directory, another_users=True)
        assert contents.listed(store, ONE, Y) == b"y"
        contents.publish(its_user, ONE, {Y: b"z"})
        assert contents.listed(store, ONE, Y) == b"z"
        store.close()
    its_user.close()


def test_a_log_that_cannot_be_read_is_not_left_out(
    directory: Path, as_another: Callable[[], AbstractContextManager[None]], contents: Any
) -> None:
    """What is in it would be missing, or half there."""
    its_user = Store(directory)
    contents.publish(its_user, ONE, {Y: b"y"})
    for tail in ("-wal", "-shm"):
        (directory / f"{STORE_NAME}{tail}").chmod(0o600)
    with as_another(), pytest.raises(AccessError, match="cannot be used"):
        Store(directory, another_users=True)
    its_user.close()


def test_an_earlier_version_is_its_users_to_migrate(
    directory: Path, as_another: Callable[[], AbstractContextManager[None]]
) -> None:
    """And the sentence says so."""
    with sqlite3.connect(directory / STORE_NAME) as connection:
        connection.execute("PRAGMA user_version=1")
    connection.close()
    with as_another(), pytest.raises(StateError, match="have its user run this one once"):
        Store(directory, another_users=True)
