"""Where repositories are built: only where nothing is lost by it."""

from __future__ import annotations

from pathlib import Path

from rpkival.errors import UsageError

__all__ = ["make_empty"]


def make_empty(directory: Path) -> None:
    """Make sure that it is there and has nothing in it. Raises `UsageError`."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise UsageError(
                f"{directory} is not empty; give a new directory, or change what was built there (--change)."
            )
    except OSError as error:
        raise UsageError(f"{directory} cannot be used: {error.strerror}.") from None
