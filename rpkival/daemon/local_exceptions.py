"""The operator's SLURM files at work in `rpkival up`: followed as they change, the last good ones kept over faults."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np

from rpkival.errors import RpkivalError, StateError
from rpkival.log import Log
from rpkival.payload.atomic_file import write_atomically
from rpkival.payload.column_file import decode_columns, encode_columns
from rpkival.payload.exceptions.compiling import compile_exceptions
from rpkival.payload.exceptions.exceptions import Applied, Exceptions
from rpkival.payload.exceptions.files import FileWatch, read_files
from rpkival.payload.local_source import LocalSource
from rpkival.payload.payload import Payload
from web.view import LocalState, View

__all__ = ["LocalExceptions"]

_GOOD_NAME = "exceptions.good"
"""The last files that could be used, in the data directory: a reboot after a bad edit must not end what is served."""

_VALIDATED_NAME = "validated.rpkival"
"""What validation gave before the exceptions, in the data directory, so that other exceptions can take their place."""

_TROUBLE = "exceptions"

log = Log("rpkival.exceptions")

Contents = list[tuple[str, bytes]]


class LocalExceptions:
    """`current` is what is in force. Files that cannot be used change nothing: log, status, page and metrics say so.

    Raises `UsageError`, `FormatError` or `LimitError` where they cannot be used at the start and never could here.
    """

    def __init__(self, paths: Sequence[Path], data_dir: Path, view: View) -> None:
        self._paths = paths
        self._good = data_dir / _GOOD_NAME
        self._validated = data_dir / _VALIDATED_NAME
        self._view = view
        self._watch = FileWatch(paths)
        self._problem = ""
        self.current = Exceptions()
        if paths and not self._load():
            self.current = self._last_good()

    def look(self) -> bool:
        """Whether the files have changed and are in force now. Takes a moment; for a thread."""
        return self._watch.look() and self._load()

    def tell(self, applied: Applied) -> None:
        """Show what they do to the payload."""
        if self._view.exceptions is not None:
            self._view.exceptions = replace(self._view.exceptions, filtered=applied.filtered, added=applied.added)

    def remember(self, validated: Payload) -> None:
        """Keep what validation gave, where something else is served."""
        try:
            if self.current:
                write_atomically(self._validated, encode_columns(validated, {}))
            else:
                self._validated.unlink(missing_ok=True)
        except OSError as error:
            log.error("validated_not_saved", error=str(error))

    def recall(self, served: Payload) -> Payload:
        """What validation gave when `served` was served; without exceptions that is the same."""
        try:
            return decode_columns(self._validated.read_bytes())[0]
        except FileNotFoundError:
            return served
        except (OSError, StateError) as error:
            log.error("validated_lost", error=str(error))
            return _without_local(served)

    def _load(self) -> bool:
        try:
            contents = read_files(self._paths)
            self.current = compile_exceptions(contents)
        except RpkivalError as error:
            self._complain(error)
            return False
        self._view.troubles.pop(_TROUBLE, None)
        self._view.exceptions = LocalState(self.current.files, time.time())
        log.info("exceptions_loaded", files=[file.name for file in self.current.files])
        try:
            write_atomically(self._good, [msgspec.json.encode(contents)])
        except OSError as error:
            log.error("exceptions_not_saved", error=str(error))
        return True

    def _last_good(self) -> Exceptions:
        """Raises what is wrong with the files where none are kept of the same names."""
        try:
            contents = msgspec.json.decode(self._good.read_bytes(), type=Contents)
            if [name for name, _ in contents] != list(map(str, self._paths)):
                raise StateError("other files are kept")
            kept = compile_exceptions(contents)
        except (OSError, msgspec.MsgspecError, RpkivalError):
            return compile_exceptions(read_files(self._paths))
        self._view.exceptions = LocalState(kept.files, self._good.stat().st_mtime, problem=self._problem)
        return kept

    def _complain(self, error: RpkivalError) -> None:
        self._problem = str(error)
        log.error("exceptions_unusable", error=str(error))
        self._view.troubles[_TROUBLE] = f"The local exceptions cannot be used, the last good ones are: {error}"
        if self._view.exceptions is not None:
            self._view.exceptions = replace(self._view.exceptions, problem=str(error))


def _without_local(payload: Payload) -> Payload:
    """What of it is signed."""
    vrps = payload.vrps
    # Row -1, an unknown source, is the last of the table.
    signed = np.array([*map(_is_signed, vrps.sources), True], np.bool_)
    return Payload(
        replace(vrps, ipv4=vrps.ipv4.take(signed[vrps.ipv4.source]), ipv6=vrps.ipv6.take(signed[vrps.ipv6.source])),
        tuple(aspa for aspa in payload.aspas if _is_signed(aspa.source)),
        tuple(key for key in payload.router_keys if _is_signed(key.source)),
    )


def _is_signed(source: str) -> bool:
    return LocalSource.parse(source) is None
