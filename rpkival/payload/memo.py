"""Columns of VRP files that were read before, so that the same file is never parsed twice.

Kept in a directory of the user's cache under the SHA-256 of the file, a few at most. A memo is checked before it is
believed, and one that cannot be read or written only costs the time that it would have saved.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from rpkival.errors import StateError
from rpkival.limits import MAX_VRP_MEMOS
from rpkival.payload.atomic_file import write_atomically
from rpkival.payload.column_file import LAYOUT_VERSION, decode_columns, encode_columns
from rpkival.payload.formats import Loaded, read_vrps

__all__ = ["read_vrps_once"]

READERS_VERSION = 3
"""To be raised with every change to the readers that changes what they make of a file."""

WORTH_BYTES = 256 * 1024
"""Smaller files are parsed faster than their memo is found."""


def read_vrps_once(data: bytes, *, name: str, directory: Path | None) -> Loaded:
    """As `read_vrps`; from the memo in `directory` if `data` was read before. None keeps and looks for nothing."""
    if directory is None or len(data) < WORTH_BYTES:
        return read_vrps(data, name=name)
    path = directory / f"{hashlib.sha256(data).hexdigest()}.{LAYOUT_VERSION}.{READERS_VERSION}"
    loaded = _recall(path)
    if loaded is None:
        loaded = read_vrps(data, name=name)
        _keep(path, loaded)
    return loaded


def _recall(path: Path) -> Loaded | None:
    try:
        payload, about = decode_columns(path.read_bytes())
        # The time of last use decides which memo goes first.
        os.utime(path)
    except (OSError, StateError):
        return None
    generated, form = about.get("generated"), about.get("format")
    if isinstance(generated, str) or not isinstance(form, str):
        return None
    return Loaded(payload, generated, form)


def _keep(path: Path, loaded: Loaded) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(path, encode_columns(loaded.payload, {"generated": loaded.generated, "format": loaded.format}))
        memos = sorted(path.parent.iterdir(), key=lambda memo: memo.stat().st_mtime_ns, reverse=True)
        for memo in memos[MAX_VRP_MEMOS:]:
            memo.unlink(missing_ok=True)
    except OSError:
        return
