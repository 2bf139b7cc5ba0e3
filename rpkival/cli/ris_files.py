"""The recorded RIS Live messages of a command line, one file after the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from feeds.ris_dump import RisDump, is_ris_dump
from feeds.route_batch import RouteBatch
from rpkival.cli.terminal import note, progress
from rpkival.errors import FormatError, UsageError

__all__ = ["RisFiles", "are_ris_dumps"]


class RisFiles:
    """Reads the files in turn. `incomplete`, final after the last batch: routes are missing from the answer."""

    def __init__(self, paths: list[Path], *, quiet: bool = False) -> None:
        self.incomplete = False
        self._paths = paths
        self._quiet = quiet

    def batches(self) -> Iterator[RouteBatch]:
        """The routes, with a bar on a terminal and a note about each file of which routes are missing.

        Raises `FormatError` where nothing at all could be read.
        """
        understood = 0
        complaints = []
        with progress(quiet=self._quiet) as bars:
            bar = bars.add_task("Reading", total=sum(path.stat().st_size for path in self._paths))
            done = 0
            for path in self._paths:
                dump = RisDump(path)
                for batch in dump.batches():
                    bars.update(bar, completed=done + dump.compressed_bytes)
                    yield batch
                done += dump.compressed_bytes
                understood += dump.messages - dump.malformed
                if dump.damage:
                    complaints.append(f"{path} is damaged: {dump.damage}; what could be read is counted.")
                elif dump.malformed:
                    complaints.append(f"{path} has {dump.malformed:,} lines that are no RIS Live messages.")
        if complaints and not understood:
            raise FormatError(complaints[0])
        for complaint in complaints:
            note(f"rpkival: {complaint}")
        self.incomplete = bool(complaints)


def are_ris_dumps(paths: list[Path]) -> bool:
    """Whether the files are recorded RIS Live messages rather than MRT (as standard input, `-`, always is).

    Raises `UsageError` for some of each, and for a file that cannot be read.
    """
    found = set()
    for path in paths:
        try:
            found.add(path != Path("-") and is_ris_dump(path))
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    if len(found) > 1:
        raise UsageError("Some files are MRT and some RIS Live messages; replay them in runs of their own.")
    return True in found
