"""Repositories fetched with rsync into a directory that always holds what the last good fetch of a module brought."""

from __future__ import annotations

import fcntl
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path

from rpkival.errors import UriError, UsageError
from rpkival.limits import MAX_RSYNC_MODULE_BYTES, MAX_RSYNC_MODULES, RSYNC_RUN_SECONDS
from rpkival.repository.local import LocalDirectory
from rpkival.repository.rsync import Rsync, RsyncResult
from rpkival.repository.uri import RsyncUri

__all__ = ["FetchedDirectory"]

_STAGING = ".staging"
"""Directory for fetches under way; no host has a name that starts with a dot."""

_OLD = "old,"
"""Start of the name, in `_STAGING`, of a module that is being replaced: `old,authority,module`."""

_SOME_FILES_MISSING = (23, 24)
"""Exit codes of rsync (its manual, "exit values") when the sender could not read some files, or they vanished."""

_HELD_UP = (30, 35, -signal.SIGKILL)
"""Exit codes of an rsync that waited for its server in vain, and of one that we had to stop."""

_PARTIAL = "partial,"
"""What a fetch that failed had brought: a module too large for the time of one run comes in several."""

_ABANDONED_SECONDS = 24 * 3600
"""Older fetches belong to no living process, and older parts help no new one."""


class FetchedDirectory:
    """Signed objects by their rsync URI, fetched when first asked for, one whole module (RFC 5781) at a time.

    One instance serves one run: each module is fetched at most once in its life. A fetch goes to a place of its own and
    takes the old module's place only when all of it came, so what is read is always one state that the repository was
    in; a fetch that fails or is killed changes nothing that is read. Unchanged files become hard links and cost no
    transfer. A host that held one fetch up is not asked again, and all fetches together have `RSYNC_RUN_SECONDS`; what
    is not fetched for these reasons is read as the last run left it. `results` has every fetch there was.

    Safe to be used by several threads, and by several processes on one directory.
    """

    def __init__(self, directory: Path, rsync: Rsync, *, allow_dubious_hosts: bool = False) -> None:
        """Raises `UsageError` where `directory` cannot be made or written."""
        try:
            (directory / _STAGING).mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=directory / _STAGING).close()
        except OSError as error:
            raise UsageError(
                f"The repository directory {directory} cannot be written: {error.strerror}; choose another."
            ) from error
        self._directory = directory.resolve()
        self._tidy()
        self._rsync = rsync
        self._allow_dubious_hosts = allow_dubious_hosts
        self._files = LocalDirectory(self._directory)
        self._lock = threading.Lock()
        self._fetched: dict[str, Future[str | None]] = {}
        self._held_up: set[str] = set()
        self.results: list[RsyncResult] = []

    def trust_anchor(self, uri: str) -> bytes | None:
        """The trust anchor certificate at `uri`: a new one where it can be fetched, else the last one, else None."""
        try:
            parsed = RsyncUri.parse(uri, allow_dubious_hosts=self._allow_dubious_hosts)
        except UriError as error:
            self.unreadable[uri] = str(error)
            return None
        if parsed.file_name:
            self._once(str(parsed), parsed.authority, lambda: self._fetch_file(parsed))
        return self._files.read(uri)

    def prepare(self, uri: str) -> str | None:
        """Fetch the module of `uri` unless this run has. Returns why that failed, in one sentence, or None."""
        try:
            parsed = RsyncUri.parse(uri, allow_dubious_hosts=self._allow_dubious_hosts)
        except UriError as error:
            return str(error)
        return self._once(parsed.module_uri, parsed.authority, lambda: self._fetch_module(parsed))

    def read(self, uri: str) -> bytes | None:
        """The object at `uri` as last fetched, or None."""
        return self._files.read(uri)

    @property
    def unreadable(self) -> dict[str, str]:
        """Why an object that is there could not be read, in one sentence, by URI."""
        return self._files.unreadable

    def _once(self, key: str, authority: str, fetch: Callable[[], str | None]) -> str | None:
        """Do `fetch` (unless something speaks against it) for the first caller; others with this key wait for it."""
        with self._lock:
            future = self._fetched.get(key)
            if mine := future is None:
                if len(self._fetched) >= MAX_RSYNC_MODULES:
                    return f"{key} is not fetched: this run has already fetched {MAX_RSYNC_MODULES} modules."
                future = self._fetched[key] = Future()
        if mine:
            try:
                future.set_result(self._reason_against(key, authority) or fetch())
            except OSError as error:
                future.set_result(f"{key} cannot be kept in {self._directory}: {error.strerror}.")
            except BaseException as error:
                future.set_exception(error)
                raise
        return future.result()

    def _reason_against(self, key: str, authority: str) -> str | None:
        """Why nothing more may be fetched from this host, in one sentence, or None."""
        if authority in self._held_up:
            return f"{key} is not fetched: {authority} has already held up a fetch of this run."
        if sum(result.seconds for result in self.results) >= RSYNC_RUN_SECONDS:
            return f"{key} is not fetched: the {RSYNC_RUN_SECONDS:g} seconds for all fetches of a run are up."
        return None

    def _keep(self, result: RsyncResult, authority: str) -> None:
        self.results.append(result)
        if result.exit_code in _HELD_UP:
            self._held_up.add(authority)

    def _fetch_file(self, uri: RsyncUri) -> str | None:
        target = self._directory / uri.directory / uri.file_name
        with self._staging() as staging:
            result = self._rsync.fetch(str(uri), staging / uri.file_name)
            self._keep(result, uri.authority)
            if result.error is None:
                target.parent.mkdir(parents=True, exist_ok=True)
                (staging / uri.file_name).replace(target)
        return result.error

    def _fetch_module(self, uri: RsyncUri) -> str | None:
        target = self._directory / uri.authority / uri.module
        partial = self._directory / _STAGING / f"{_PARTIAL}{uri.authority},{uri.module}"
        with self._staging() as staging:
            new = staging / "new"
            new.mkdir()
            known = [directory for directory in (target, partial) if directory.is_dir()]
            result = self._rsync.fetch(uri.module_uri, new, known=known)
            self._keep(result, uri.authority)
            if result.exit_code in _SOME_FILES_MISSING:
                _link_missing(target, new)
            elif result.exit_code != 0:
                if 0 < _size(new) <= MAX_RSYNC_MODULE_BYTES:
                    self._exchange(partial, new, staging)
                return result.error
            target.parent.mkdir(exist_ok=True)
            self._exchange(target, new, staging)
            self._exchange(partial, None, staging)
        return result.error

    def _exchange(self, place: Path, new: Path | None, staging: Path) -> None:
        """Put `new` (or nothing) in place of what is there, which goes with the staging directory."""
        old = self._directory / _STAGING / f"{_OLD}{place.parent.name},{place.name}"
        with self._alone():
            if place.exists():
                place.rename(old)
            if new is not None:
                new.rename(place)
            if old.exists():
                old.rename(staging / f"old-{place.name}")

    def _tidy(self) -> None:
        """Give back a module that a crash caught between two names, and drop what dead processes left."""
        with self._alone():
            for left in (self._directory / _STAGING).glob(f"{_OLD}*"):
                _, authority, module = left.name.split(",", 2)
                target = self._directory / authority / module
                if target.exists():
                    shutil.rmtree(left)
                else:
                    left.rename(target)
        staging = self._directory / _STAGING
        for left in (*staging.glob("fetch-*"), *staging.glob(f"{_PARTIAL}*")):
            with suppress(FileNotFoundError):
                if time.time() - left.stat().st_mtime > _ABANDONED_SECONDS:
                    shutil.rmtree(left, ignore_errors=True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Alone among all processes on this directory: two that end at once would meet a half-done exchange."""
        with (self._directory / _STAGING / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _staging(self) -> Iterator[Path]:
        place = Path(tempfile.mkdtemp(prefix="fetch-", dir=self._directory / _STAGING))
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)


def _size(directory: Path) -> int:
    """Bytes of all files under a directory."""
    return sum(file.stat().st_size for file in directory.rglob("*") if file.is_file())


def _link_missing(old: Path, new: Path) -> None:
    """Add to `new` the files that only `old` has: rsync too deletes nothing where the sender had errors."""
    for file in old.rglob("*"):
        link = new / file.relative_to(old)
        if file.is_file() and not link.exists():
            link.parent.mkdir(parents=True, exist_ok=True)
            link.hardlink_to(file)
