"""SLURM files on disk: read whole, within their bound, and looked at again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rpkival.errors import LimitError, UsageError
from rpkival.limits import MAX_SLURM_FILE_BYTES
from rpkival.payload.exceptions.compiling import compile_exceptions
from rpkival.payload.exceptions.exceptions import Exceptions

__all__ = ["FileWatch", "load_exceptions", "read_files"]

_Stamp = tuple[int, int, int] | None


def load_exceptions(paths: Sequence[Path]) -> Exceptions:
    """Raises `UsageError` for a file that cannot be read, `FormatError`, `LimitError`."""
    return compile_exceptions(read_files(paths))


def read_files(paths: Sequence[Path]) -> list[tuple[str, bytes]]:
    """The name and content of each. Raises `UsageError`, `LimitError`."""
    return [(str(path), _read(path)) for path in paths]


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_SLURM_FILE_BYTES + 1)
    except OSError as error:
        raise UsageError(f"The SLURM file {path} cannot be read: {error.strerror}.") from error
    if len(data) > MAX_SLURM_FILE_BYTES:
        raise LimitError(f"{path} is longer than {MAX_SLURM_FILE_BYTES} bytes; no SLURM file is that long.")
    return data


class FileWatch:
    """Tells when files have changed and are whole, by their time, size and inode."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._seen = self._before = self._stamps()

    def look(self) -> bool:
        """Whether any has changed since that was last said, and none between the last look and this one.

        A file that is still being written differs from look to look; reading half of it would take away the rest.
        """
        now = self._stamps()
        settled = now == self._before
        self._before = now
        if settled and now != self._seen:
            self._seen = now
            return True
        return False

    def _stamps(self) -> tuple[_Stamp, ...]:
        return tuple(map(_stamp, self._paths))


def _stamp(path: Path) -> _Stamp:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
