"""Where results go: standard output, or a file that appears whole or not at all."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from rpkival.errors import UsageError

__all__ = ["check_writable", "open_output"]


def check_writable(path: Path | None) -> None:
    """Raise `UsageError` now rather than after minutes of work if `path` can never be written."""
    if path is None:
        return
    if path.is_dir():
        raise UsageError(f"{path} is a directory; give --output a file name.")
    if not path.parent.is_dir():
        raise UsageError(f"The directory {path.parent} does not exist; make it first or choose another --output.")
    if not os.access(path.parent, os.W_OK):
        raise UsageError(f"The directory {path.parent} cannot be written; choose another --output.")


@contextmanager
def open_output(path: Path | None) -> Iterator[BinaryIO]:
    """A binary stream to `path` (written to a temporary file beside it and renamed) or to standard output.

    Raises `UsageError` where the file cannot be written.
    """
    if path is None:
        sys.stdout.flush()
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    check_writable(path)
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
        # mkstemp makes files that only we may read; a result is for whoever the umask allows.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        temporary.unlink(missing_ok=True)
