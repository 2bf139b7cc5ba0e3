"""rsync modules as the program needs them, files in a directory, and from there into the store.

rsync finds out what is new by the files that it has: size, time and checksums of blocks. To write them out of the store
for each fetch would cost more than it saves, so a module that is fetched by rsync, and only such a one, has a file an
object here, laid out `host/module/path`. What is read is the store; this directory may be deleted at any time.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from rpkival.errors import RpkivalError, StateError, UriError, UsageError
from rpkival.limits import MAX_RSYNC_MODULE_BYTES, REPOSITORY_KEEP_SECONDS
from rpkival.repository.rsync import Rsync, RsyncResult
from rpkival.repository.store import Store
from rpkival.repository.uri import RsyncUri

__all__ = ["STAGING", "RsyncMirror"]

STAGING = ".staging"
"""Directory for fetches under way; no host has a name that starts with a dot."""

_OLD = "old,"
"""Start of the name, in `STAGING`, of a module that is being replaced: `old,authority,module`."""

_TOKEN = "token,"  # noqa: S105 - not a secret
"""Start of the name, in `STAGING`, of the file that says which commit to the store a module is the same as."""

_SOME_FILES_MISSING = (23, 24)
"""Exit codes of rsync (its manual, "exit values") when the sender could not read some files, or they vanished."""

_DISK_FULL = re.compile(r"\[(?:receiver|generator)\].*: (No space left on device|Disk quota exceeded)")
"""What rsync says of our side; with its exit code it says the same of a sender's trouble."""

_PARTIAL = "partial,"
"""What a fetch that failed had brought: a module too large for the time of one run comes in several."""

_ABANDONED_SECONDS = 24 * 3600
"""Older fetches belong to no living process, and older parts help no new one."""


class RsyncMirror:
    """Fetches modules and files by rsync; for any number of threads, and processes on one directory.

    A fetch goes to a place of its own, in which unchanged files are hard links. When all of it came, what is new of it
    is committed to the store at once, and it takes the old module's place. A fetch that fails or is killed changes
    neither. Modules that were not fetched for `REPOSITORY_KEEP_SECONDS` are deleted.
    """

    def __init__(self, directory: Path, rsync: Rsync, store: Store) -> None:
        """Raises `UsageError` where `directory` cannot be made or written."""
        self._directory = directory.resolve()
        self._places = self._directory / STAGING
        try:
            self._places.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=self._places).close()
        except OSError as error:
            raise UsageError(
                f"The repository directory {directory} cannot be written: {error.strerror}; choose another."
            ) from error
        self._rsync = rsync
        self._store = store
        self._tidy()

    def stop(self) -> None:
        """Kill every fetch that runs."""
        self._rsync.stop()

    def file(self, uri: RsyncUri) -> tuple[RsyncResult, bytes | None]:
        """One file, which is not kept. Raises `StateError` where the disk is at fault."""
        with self._staging() as staging:
            result = self._fetched(str(uri), staging / uri.file_name)
            content = (staging / uri.file_name).read_bytes() if result.error is None else None
        return result, content

    def update(self, uri: RsyncUri) -> RsyncResult:
        """Bring the whole module of `uri` into the store. Raises `StateError` where that or the disk is at fault."""
        target = self._directory / uri.authority / uri.module
        partial = self._places / f"{_PARTIAL}{uri.authority},{uri.module}"
        try:
            with self._staging() as staging:
                new = staging / "new"
                new.mkdir()
                known = [directory for directory in (target, partial) if directory.is_dir()]
                result = self._fetched(uri.module_uri, new, known)
                if result.exit_code in _SOME_FILES_MISSING:
                    _link_missing(target, new)
                elif result.exit_code != 0:
                    if 0 < _size(new) <= MAX_RSYNC_MODULE_BYTES:
                        with self._alone():
                            self._exchange(partial, new, staging)
                    return result
                with self._alone():
                    self._take_over(uri, new, target, staging)
                    self._exchange(partial, None, staging)
        except StateError:
            raise
        except RpkivalError as error:
            return replace(result, error=f"{uri.module_uri} cannot be kept: {error}")
        except OSError as error:
            raise StateError(f"{uri.module_uri} cannot be kept in {self._directory}: {error.strerror}.") from error
        return result

    def _fetched(self, uri: str, target: Path, known: Sequence[Path] = ()) -> RsyncResult:
        """How rsync ended. Raises `StateError` where it was our disk: what came is deleted, to have room for others."""
        result = self._rsync.fetch(uri, target, known=known)
        if result.error is not None and (full := _DISK_FULL.search(result.error)):
            raise StateError(f"{uri} cannot be kept in {self._directory}: {full[1]}; make room.")
        return result

    def _take_over(self, uri: RsyncUri, new: Path, target: Path, staging: Path) -> None:
        """Commit, then exchange, then write the token: after a crash between two of them, all files are read again."""
        token_file = self._places / f"{_TOKEN}{uri.authority},{uri.module}"
        known = token_file.read_bytes() if token_file.exists() else b""
        token = secrets.token_bytes(16)
        self._publish(uri, new, target, known, token)
        self._exchange(target, new, staging)
        token_file.write_bytes(token)

    def _publish(self, uri: RsyncUri, new: Path, old: Path, known: bytes, token: bytes) -> None:
        """Commit `new` to the store; files that `old` has too are there already, if `old` is what it has (`known`)."""
        with self._store.update(uri.module_uri) as update:
            same = old if known and update.state == known else None
            gone = set(update.uris())
            for name in _files(new):
                try:
                    object_uri = str(RsyncUri.parse(uri.module_uri + name, allow_dubious_hosts=True))
                except UriError:
                    continue  # no certificate can name it
                gone.discard(object_uri)
                if same is None or not _unchanged(same / name, new / name):
                    update.publish(object_uri, (new / name).read_bytes())
            for object_uri in gone:
                update.withdraw(object_uri)
            update.commit(token)

    def _exchange(self, place: Path, new: Path | None, staging: Path) -> None:
        """Alone: put `new` (or nothing) in place of what is there, which goes with the staging directory."""
        old = self._places / f"{_OLD}{place.parent.name},{place.name}"
        place.parent.mkdir(exist_ok=True)
        if place.exists():
            place.rename(old)
        if new is not None:
            new.rename(place)
        if old.exists():
            old.rename(staging / f"old-{place.name}")

    def _tidy(self) -> None:
        """Give back a module that a crash caught between two names, and drop what dead processes and days left."""
        with self._alone():
            for left in self._places.glob(f"{_OLD}*"):
                _, authority, module = left.name.split(",", 2)
                target = self._directory / authority / module
                if target.exists():
                    shutil.rmtree(left)
                else:
                    left.rename(target)
            self._drop_unused()
        for left in (*self._places.glob("fetch-*"), *self._places.glob(f"{_PARTIAL}*")):
            if _age(left) > _ABANDONED_SECONDS:
                shutil.rmtree(left, ignore_errors=True)

    def _drop_unused(self) -> None:
        for token_file in self._places.glob(f"{_TOKEN}*"):
            if _age(token_file) > REPOSITORY_KEEP_SECONDS:
                _, authority, module = token_file.name.split(",", 2)
                shutil.rmtree(self._directory / authority / module, ignore_errors=True)
                token_file.unlink(missing_ok=True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Alone among all threads and processes on this directory: two that end at once would mix their modules."""
        with (self._places / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _staging(self) -> Iterator[Path]:
        place = Path(tempfile.mkdtemp(prefix="fetch-", dir=self._places))
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)


def _files(directory: Path) -> Iterator[str]:
    """Names of all regular files under a directory, relative to it."""
    pending = [""]
    while pending:
        inside = pending.pop()
        with os.scandir(directory / inside) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(f"{inside}{entry.name}/")
                elif entry.is_file(follow_symlinks=False):
                    yield inside + entry.name


def _unchanged(old: Path, new: Path) -> bool:
    """By what rsync itself goes by."""
    try:
        before, now = old.lstat(), new.lstat()
    except FileNotFoundError:
        return False
    return (before.st_size, before.st_mtime_ns) == (now.st_size, now.st_mtime_ns)


def _size(directory: Path) -> int:
    """Bytes of all files under a directory."""
    return sum((directory / name).lstat().st_size for name in _files(directory))


def _age(path: Path) -> float:
    """Seconds since it was written; none where it is gone."""
    with suppress(FileNotFoundError):
        return time.time() - path.lstat().st_mtime
    return 0.0


def _link_missing(old: Path, new: Path) -> None:
    """Add to `new` the files that only `old` has: rsync too deletes nothing where the sender had errors."""
    if not old.is_dir():
        return
    for name in _files(old):
        link = new / name
        if not link.exists():
            link.parent.mkdir(parents=True, exist_ok=True)
            link.hardlink_to(old / name)
