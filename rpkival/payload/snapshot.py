"""The last good payload on disk, so that a restart serves routers at once, with the same RTR session and serial."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rpkival.errors import AccessError, StateError
from rpkival.payload.atomic_file import write_atomically
from rpkival.payload.column_file import decode_columns, encode_columns
from rpkival.payload.payload import Payload
from rpkival.payload.vrps import Vrps

__all__ = ["SNAPSHOT_NAME", "Snapshot", "load_snapshot", "save_snapshot"]

SNAPSHOT_NAME = "snapshot.rpkival"
"""The file's name in the data directory."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`generated`: unix seconds of the validation. `serial` and `session_id`: what RTR served it as (RFC 8210)."""

    payload: Payload
    generated: int
    serial: int
    session_id: int

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
    }
    try:
        write_atomically(path, encode_columns(snapshot.payload, about))
    except PermissionError as error:
        raise _access(path) from error
    except OSError as error:
        raise StateError(f"The snapshot {path} cannot be written: {error.strerror}.") from error


def load_snapshot(path: Path) -> Snapshot:
    """Read what `save_snapshot` wrote. Raises `StateError` where it is missing or damaged, or as `AccessError`."""
    try:
        payload, about = decode_columns(path.read_bytes())
    except PermissionError as error:
        raise _access(path) from error
    except OSError as error:
        raise StateError(f"The snapshot {path} cannot be read: {error.strerror}.") from error
    except StateError as error:
        raise StateError(f"The snapshot {path} is damaged ({error}); remove it and validate again.") from error
    generated, serial, session_id = (about.get(name) for name in ("generated", "serial", "session_id"))
    if not (isinstance(generated, int) and isinstance(serial, int) and isinstance(session_id, int)):
        raise StateError(f"{path} is no snapshot; remove it and validate again.")
    return Snapshot(payload, generated, serial, session_id)


def _access(path: Path) -> AccessError:
    return AccessError(
        f"This user has no permission for the snapshot {path}; run as the user of rpkival up, or name another "
        "--data-dir."
    )
