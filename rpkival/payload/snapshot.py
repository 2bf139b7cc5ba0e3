"""The last good payload on disk, so that a restart serves routers at once, with the same RTR session and serial.

Layout: `_MAGIC`, then column files, each after its length (uint64): the payload, and of every change in the history
what was announced and what was withdrawn. Without the magic it is the payload's column file alone, as it once was.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from rpkival.errors import AccessError, StateError
from rpkival.payload.atomic_file import write_atomically
from rpkival.payload.changes import Changes
from rpkival.payload.column_file import decode_columns, encode_columns
from rpkival.payload.payload import Payload
from rpkival.payload.vrps import Vrps

__all__ = ["SNAPSHOT_NAME", "Snapshot", "load_snapshot", "save_snapshot"]

SNAPSHOT_NAME = "snapshot.rpkival"
"""The file's name in the data directory."""

_MAGIC = b"rpkival snapshot\n\x01\x00\x00\x00"
_LENGTH_BYTES = 8

_ColumnFile: TypeAlias = tuple[Payload, dict[str, int | str | None]]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`generated`: unix seconds of the validation. `serial` and `session_id`: what RTR served it as (RFC 8210).

    `history`: what led to it, oldest first, each from the serial before to the next, without names and dates of VRPs.
    """

    payload: Payload
    generated: int
    serial: int
    session_id: int
    history: tuple[Changes, ...] = ()

    @property
    def vrps(self) -> Vrps:
        """Those of the payload."""
        return self.payload.vrps


def save_snapshot(path: Path, snapshot: Snapshot) -> None:
    """Write whole or not at all, and on the disk before this returns. Raises `StateError`, also as `AccessError`."""
    about: dict[str, int | str | None] = {
        "generated": snapshot.generated,
        "serial": snapshot.serial,
        "session_id": snapshot.session_id,
        "history": len(snapshot.history),
    }
    files = [encode_columns(snapshot.payload, about)]
    for changes in snapshot.history:
        files += [encode_columns(changes.announced, {}), encode_columns(changes.withdrawn, {})]
    parts = (part for file in files for part in (sum(map(len, file)).to_bytes(_LENGTH_BYTES, "little"), *file))
    try:
        write_atomically(path, (_MAGIC, *parts))
    except PermissionError as error:
        raise _access(path) from error
    except OSError as error:
        raise StateError(f"The snapshot {path} cannot be written: {error.strerror}.") from error


def load_snapshot(path: Path) -> Snapshot:
    """Read what `save_snapshot` wrote. Raises `StateError` where it is missing or damaged, or as `AccessError`."""
    try:
        (payload, about), *rest = _column_files(path.read_bytes())
    except PermissionError as error:
        raise _access(path) from error
    except OSError as error:
        raise StateError(f"The snapshot {path} cannot be read: {error.strerror}.") from error
    except StateError as error:
        raise StateError(f"The snapshot {path} is damaged ({error}); remove it and validate again.") from error
    generated, serial, session_id = (about.get(name) for name in ("generated", "serial", "session_id"))
    if not (isinstance(generated, int) and isinstance(serial, int) and isinstance(session_id, int)):
        raise StateError(f"{path} is no snapshot; remove it and validate again.")
    payloads = [each for each, _ in rest]
    history = tuple(Changes(*each) for each in zip(payloads[::2], payloads[1::2], strict=True))
    return Snapshot(payload, generated, serial, session_id, history)


def _column_files(data: bytes) -> list[_ColumnFile]:
    """All of them, as many as the first one says."""
    if not data.startswith(_MAGIC):
        return [decode_columns(data)]
    found: list[_ColumnFile] = []
    at = len(_MAGIC)
    while at < len(data):
        body = at + _LENGTH_BYTES
        at = body + int.from_bytes(data[at:body], "little")
        if at > len(data):
            raise StateError("it is cut off")
        # A copy: what is kept of the history must not keep the whole file.
        found.append(decode_columns(data[body:at]))
    if not found or found[0][1].get("history") != len(found) // 2 or len(found) % 2 == 0:
        raise StateError("its history is not whole")
    return found


def _access(path: Path) -> AccessError:
    return AccessError(
        f"This user has no permission for the snapshot {path}; run as the user of rpkival up, or name another "
        "--data-dir."
    )
