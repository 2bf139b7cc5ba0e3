"""The MRT files of a command line: their routes one after the other, and what could not be read of each."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from feeds.mrt import MrtReader, MrtStats
from feeds.mrt.ahead import read_ahead
from feeds.route_batch import RouteBatch
from rpkival.cli.terminal import note, progress
from rpkival.errors import FormatError, UsageError

__all__ = ["FileReport", "MrtFiles"]

_STDIN = Path("-")


@dataclass(frozen=True, slots=True)
class FileReport:
    """One file: its name, what was read of it, and one sentence about what was not, or ""."""

    name: str
    stats: MrtStats
    complaint: str

    @property
    def incomplete(self) -> bool:
        """True where routes of the file are missing from the answer."""
        return bool(self.complaint)


class MrtFiles:
    """Reads the files in turn, the next blocks always in a thread. The first is begun at once.

    A file that is damaged, or no MRT file at all, costs only itself: what is wrong with it is in `reports`. Raises
    `UsageError` where a file does not exist or cannot be opened.
    """

    def __init__(self, paths: list[Path], *, quiet: bool = False) -> None:
        self.reports: list[FileReport] = []
        self._quiet = quiet
        for path in paths:
            _check(path)
        self._paths = paths
        self._total = sum(path.stat().st_size for path in paths if path != _STDIN)
        self._done_bytes = 0
        self._now: MrtReader | None = None
        self._batches = read_ahead(self._read_all(), depth=2)

    def batches(self) -> Iterator[RouteBatch]:
        """The routes, with a bar on a terminal and a note about each file of which routes are missing.

        Raises `FormatError` where nothing at all could be read.
        """
        with progress(quiet=self._quiet, in_bytes=True) as bars:
            bar = bars.add_task("Reading", total=self._total or None)
            for batch in self._batches:
                now = self._now.stats.compressed_bytes if self._now else 0
                bars.update(bar, completed=self._done_bytes + now)
                yield batch
        if all(report.incomplete and not report.stats.records for report in self.reports):
            raise FormatError(self.reports[0].complaint)
        for report in self.reports:
            if report.incomplete:
                note(f"rpkival: {report.complaint}")

    @property
    def incomplete(self) -> bool:
        """True where routes of any file are missing from the answer; final after the last batch."""
        return any(report.incomplete for report in self.reports)

    def _read_all(self) -> Iterator[RouteBatch]:
        for path in self._paths:
            name = str(path)
            self._now = reader = MrtReader(sys.stdin.buffer if path == _STDIN else path, name=name)
            complaint = ""
            try:
                yield from reader.batches()
            except FormatError as error:
                complaint = str(error)
            except OSError as error:
                complaint = f"{name} cannot be read: {error.strerror}."
            self._done_bytes += reader.stats.compressed_bytes
            self.reports.append(FileReport(name, reader.stats, complaint or _complaint(name, reader.stats)))


def _complaint(name: str, stats: MrtStats) -> str:
    if stats.damage:
        return f"{name} is damaged: {stats.damage}; what could be read is counted."
    if stats.malformed:
        records = (
            "1 record that breaks its" if stats.malformed == 1 else f"{stats.malformed:,} records that break their"
        )
        return f"{name} has {records} format; the rest is counted."
    return ""


def _check(path: Path) -> None:
    """Raise `UsageError` for what can never be read; without opening it, which a pipe would notice."""
    if path == _STDIN:
        return
    if path.is_dir():
        raise UsageError(f"{path} is a directory; name the MRT files in it.")
    if not path.exists():
        raise UsageError(f"{path} does not exist; check the name of the MRT file.")
    if not os.access(path, os.R_OK):
        raise UsageError(f"{path} cannot be read; check who may read it.")
