"""The data directory, held by one process at a time."""

from __future__ import annotations

import fcntl
from contextlib import ExitStack
from pathlib import Path

from rpkival.errors import UsageError

__all__ = ["hold_directory"]


def hold_directory(data_dir: Path, option: str = "--data-dir") -> ExitStack:
    """Make the data directory if need be and hold it against a second process, until the stack is closed.

    Two monitors over one database would not know of each other's incidents. The kernel lets go at the end of the
    process, however it ends. Raises `UsageError`, which names `option`, where another process holds it or it cannot be
    written.
    """
    stack = ExitStack()
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = stack.enter_context((data_dir / "lock").open("w"))
    except OSError as error:
        raise UsageError(
            f"The data directory {data_dir} cannot be written: {error.strerror}; choose another {option}."
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        stack.close()
        raise UsageError(
            f"Another rpkival uses the data directory {data_dir}; end it or choose another {option}."
        ) from None
    return stack
