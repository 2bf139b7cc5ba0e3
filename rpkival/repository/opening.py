"""The source for one run, as it is asked for: fetched, from the store alone, or from somebody's directory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from rpkival.errors import AccessError, UsageError
from rpkival.repository.collector import Collector, Fallback
from rpkival.repository.local import LocalDirectory
from rpkival.repository.mirror import STAGING, RsyncMirror
from rpkival.repository.rsync import Rsync
from rpkival.repository.store import STORE_NAME, Store
from rpkival.repository.stored_source import StoredSource

__all__ = ["Fetching", "fallback_named", "open_source"]


@dataclass(frozen=True, slots=True)
class Fetching:
    """What may be fetched and how.

    `fallback` says when rsync follows a failure of RRDP, for which `refresh` is the time between two runs in seconds;
    `ca_file` has certificates to be trusted besides the system's.
    """

    offline: bool = False
    rsync: bool = True
    rrdp: bool = True
    fallback: Fallback = "stale"
    refresh: float = 600.0
    allow_dubious_hosts: bool = False
    ca_file: Path | None = None

    @property
    def fetches(self) -> bool:
        """Whether anything may be fetched at all."""
        return not self.offline and (self.rsync or self.rrdp)

    def check(self, directory: Path) -> None:
        """Raises `UsageError` where `ca_file` cannot be used, nothing is installed to fetch with, or the `directory` to
        fetch into holds what another program has fetched.
        """
        if self.fetches:
            from rpkival.repository.http import Http

            _rsync(self)
            Http(ca_file=self.ca_file)
            _check_ours(directory)


def fallback_named(name: str) -> Fallback:
    """One of the policies by its name. Raises `UsageError`."""
    names: tuple[Fallback, ...] = get_args(Fallback)
    for known in names:
        if name == known:
            return known
    raise UsageError(f"{name!r} is no policy for rsync after RRDP; choose one of {', '.join(names)}.")


@contextmanager
def open_source(directory: Path, fetching: Fetching) -> Iterator[StoredSource | LocalDirectory]:
    """The source for one run; what it has learnt is kept when the block is left.

    Offline, a directory without a store is one that is laid out `host/module/path`, and is only read; nothing is
    fetched into it. Another user's store is only read, too. Raises `UsageError` where the directory cannot be used or
    nothing is installed to fetch with, `StateError` for the store.
    """
    if not fetching.fetches and not (directory / STORE_NAME).exists():
        yield LocalDirectory(directory)
        return
    rsync = _rsync(fetching) if fetching.fetches else None
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if fetching.fetches:
            _check_ours(directory)
    except OSError as error:
        raise UsageError(
            f"The repository directory {directory} cannot be written: {error.strerror}; choose another."
        ) from error
    store = _store(directory, fetching)
    try:
        collector = _collector(directory, store, fetching, rsync) if fetching.fetches else None
    except BaseException:
        store.close()
        raise
    with StoredSource(store, collector) as source:
        yield source


def _store(directory: Path, fetching: Fetching) -> Store:
    try:
        return Store(directory)
    except AccessError:
        if fetching.fetches:
            raise
        return Store(directory, another_users=True)


def _check_ours(directory: Path) -> None:
    """Raises `UsageError` for a tree `host/module/path` of another program: with a store in it, it would be read no
    more.
    """
    inside = list(directory.iterdir()) if directory.is_dir() else []
    ours = any(path.name == STAGING or path.name.startswith(STORE_NAME) for path in inside)
    if not ours and any("." in path.name.lstrip(".") and path.is_dir() for path in inside):
        raise UsageError(
            f"{directory} holds files of hosts, but no store of rpkival; choose another directory to fetch into, "
            "or stay offline to judge these as they are."
        )


def _collector(directory: Path, store: Store, fetching: Fetching, rsync: Rsync | None) -> Collector:
    # Here, as whoever fetches nothing need not wait for an HTTP client to be imported.
    from rpkival.repository.http import Http
    from rpkival.repository.rrdp import Rrdp

    http = Http(ca_file=fetching.ca_file, allow_dubious_hosts=fetching.allow_dubious_hosts)
    return Collector(
        store,
        rrdp=Rrdp(http, allow_dubious_hosts=fetching.allow_dubious_hosts) if fetching.rrdp else None,
        https=http if fetching.rrdp else None,
        mirror=RsyncMirror(directory, rsync, store) if rsync else None,
        fallback=fetching.fallback,
        refresh=fetching.refresh,
        allow_dubious_hosts=fetching.allow_dubious_hosts,
    )


def _rsync(fetching: Fetching) -> Rsync | None:
    if not fetching.rsync:
        return None
    try:
        return Rsync()
    except UsageError:
        # With RRDP, most of the world comes without it; what does not says so.
        if fetching.rrdp:
            return None
        raise
