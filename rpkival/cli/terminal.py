"""What people see on standard error: progress bars and notes, only where somebody looks."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from rich.progress import TaskID

__all__ = ["Bars", "counted", "note", "progress"]


class Bars(Protocol):
    """The part of `rich.progress.Progress` that verbs use."""

    def add_task(self, description: str, *, total: float | None) -> TaskID:
        """A new bar; without `total` it only shows that something goes on."""

    def update(self, task_id: TaskID, *, total: float | None = None, completed: float | None = None) -> None:
        """Where a bar stands now."""

    def remove_task(self, task_id: TaskID) -> None:
        """Show this bar no more."""


class _NoBars:
    """For when nobody looks; `rich` is not even imported, which would take longer than many a command."""

    def add_task(self, description: str, *, total: float | None) -> TaskID:  # noqa: ARG002 - it has the face of Bars
        return cast("TaskID", 0)

    def update(self, task_id: TaskID, *, total: float | None = None, completed: float | None = None) -> None:
        pass

    def remove_task(self, task_id: TaskID) -> None:
        pass


@contextmanager
def progress(*, quiet: bool = False, in_bytes: bool = False) -> Iterator[Bars]:
    """A progress display on standard error that leaves nothing behind; silent off a terminal or under --quiet.

    `in_bytes`: what is counted is bytes, and shown as kB, MB and so on.
    """
    if quiet or not sys.stderr.isatty():
        yield _NoBars()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn() if in_bytes else MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bars:
        yield bars


def note(sentence: str) -> None:
    """One line for people on standard error."""
    sys.stderr.write(f"{sentence}\n")


def counted(number: int, one: str, many: str) -> str:
    """`1 prefix`, `2,000 prefixes`."""
    return f"{number:,} {one if number == 1 else many}"
