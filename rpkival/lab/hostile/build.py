"""Attacks into a directory, as files that any validator can be pointed at, or with servers for as long as wanted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rpkival.errors import UsageError
from rpkival.lab.directory import make_empty
from rpkival.lab.hostile.ground import Case
from rpkival.lab.hostile.stage import KeysInOrder, Stage
from rpkival.lab.hostile.table import CASES
from rpkival.lab.rsync_daemon import RsyncDaemon

__all__ = ["build_attacks", "cases_named", "serve_attacks"]


def cases_named(names: Sequence[str], *, served: bool) -> list[Case]:
    """Each once; `all` for all that there are as files, or, `served`, at all. Raises `UsageError`."""
    if "all" in names:
        return [case for case in CASES.values() if served or not _needs_server(case)]
    for name in names:
        if name not in CASES:
            raise UsageError(f"There is no attack named {name}; `rpkival lab attacks` lists them.")
        if _needs_server(CASES[name]) and not served:
            raise UsageError(f"{name} is the attack of a server, not of files alone; add --serve.")
    return [CASES[name] for name in dict.fromkeys(names)]


def build_attacks(directory: Path, cases: Sequence[Case], *, at: int) -> Stage:
    """Publish once, into a directory that is new or empty. Raises `UsageError` where it is not."""
    make_empty(directory)
    stage = Stage(directory, cases, at=at, keys=KeysInOrder())
    stage.publish()
    return stage


@contextmanager
def serve_attacks(directory: Path, cases: Sequence[Case], *, at: int) -> Iterator[Stage]:
    """The same on loopback, by rsync and RRDP, until the block is left. Raises `UsageError`."""
    make_empty(directory)
    with RsyncDaemon() as daemon, ExitStack() as servers:
        keys = KeysInOrder()
        stage = Stage(directory, cases, at=at, keys=keys, authority=daemon.authority, open_server=servers.enter_context)
        stage.publish()
        for module in sorted((directory / "rsync").glob("*/*")):
            daemon.serve(module.name, module.resolve())
        yield stage


def _needs_server(case: Case) -> bool:
    """Also what comes to light only when it is published again."""
    return case.served or case.visits > 1
