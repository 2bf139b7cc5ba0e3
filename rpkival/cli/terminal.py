"""What people see on standard error: progress bars and notes, only where somebody looks."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

__all__ = ["note", "progress"]


def progress(*, quiet: bool = False) -> Progress:
    """A progress display on standard error that leaves nothing behind; silent off a terminal or under --quiet."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=quiet or not sys.stderr.isatty(),
    )


def note(sentence: str) -> None:
    """One line for people on standard error."""
    sys.stderr.write(f"{sentence}\n")
