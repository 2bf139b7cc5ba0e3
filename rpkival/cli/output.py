"""Where results go: standard output, a device or pipe, or a file that appears whole or not at all."""

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

_STANDARD_OUTPUT = (None, Path("-"), Path("/dev/stdout"))


def check_writable(path: Path | None, option: str = "--output") -> None:
    """Raise `UsageError` now rather than after minutes of work if `path`, the value of `option`, cannot be written."""
    if path in _STANDARD_OUTPUT or path is None:
        return
    if path == Path():
        raise UsageError(f"{option} needs the name of a file; leave it out or give - for standard output.")
    with _explained(str(path)):
        if path.is_dir():
            raise UsageError(f"{path} is a directory; give {option} a file name.")
        if _is_special(path):
            if not os.access(path, os.W_OK):
                raise UsageError(f"{path} cannot be written; choose another {option}.")
            return
        target = _target(path)
        if target.is_symlink():
            raise UsageError(f"{path} is a symbolic link that leads back to itself; choose another {option}.")
        if not target.parent.is_dir():
            raise UsageError(f"The directory {target.parent} does not exist; make it first or choose another {option}.")
    if not os.access(target.parent, os.W_OK):
        raise UsageError(f"The directory {target.parent} cannot be written; choose another {option}.")


@contextmanager
def open_output(path: Path | None, option: str = "--output") -> Iterator[BinaryIO]:
    """A binary stream to `path`, or to standard output for None and `-`.

    A file is written beside its place and renamed when it is whole; a symbolic link stays and what it names is
    replaced. A device or a pipe is opened and written as it is, since a rename would put a file in its stead.

    Raises `UsageError` where it cannot be written, `BrokenPipeError` where the reader of a pipe went away.
    """
    if path in _STANDARD_OUTPUT or path is None:
        with _standard_output() as stream:
            yield stream
        return
    check_writable(path, option)
    with _explained(str(path)), _special(path) if _is_special(path) else _replacing(_target(path)) as stream:
        yield stream


def _is_special(path: Path) -> bool:
    return path.exists() and not path.is_file()


def _target(path: Path) -> Path:
    """What a rename may replace: the end of all symbolic links. `Path.resolve` raises on loops, this does not."""
    return Path(os.path.realpath(path))


@contextmanager
def _standard_output() -> Iterator[BinaryIO]:
    if sys.stdout is None:
        raise UsageError("Standard output cannot be written: it is closed.")
    with _explained("Standard output"):
        sys.stdout.flush()
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()


@contextmanager
def _special(path: Path) -> Iterator[BinaryIO]:
    # Without O_CREAT: what went away meanwhile must not come back as a file.
    with os.fdopen(os.open(path, os.O_WRONLY), "wb") as stream:
        yield stream


@contextmanager
def _replacing(target: Path) -> Iterator[BinaryIO]:
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
        # mkstemp makes files that only we may read; a result is for whoever the umask allows.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _explained(name: str) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UsageError(f"{name} cannot be written: {error.strerror}.") from error
