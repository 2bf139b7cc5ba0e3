"""VRP files: one module a format, and the tables that name them.

To add a format that is written, write its module and its row in `WRITERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from rpkival.errors import FormatError, UsageError
from rpkival.limits import MAX_VRP_FILE_BYTES
from rpkival.payload.formats.compression import decompress
from rpkival.payload.formats.csv import read_csv, write_csv
from rpkival.payload.formats.csvext import write_csvext
from rpkival.payload.formats.json import read_json, write_json
from rpkival.payload.formats.summary import write_summary
from rpkival.payload.payload import Payload
from rpkival.payload.vrps import Vrps

__all__ = ["WRITERS", "Loaded", "Writer", "read_vrps", "write_vrps"]

Writer = Callable[[Vrps, int], Iterator[bytes]]
"""From sorted, unique VRPs and the unix time of their validation to the file's bytes, in chunks."""

WRITERS: dict[str, Writer] = {
    "csv": write_csv,
    "csvext": write_csvext,
    "json": write_json,
    "summary": write_summary,
}
"""Every format that is written, by the name that `--format` and the HTTP paths use."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A file's content, sorted and unique; `generated` in unix seconds, None where the file does not say."""

    payload: Payload
    generated: int | None
    format: str

    @property
    def vrps(self) -> Vrps:
        """Those of the payload."""
        return self.payload.vrps


def read_vrps(data: bytes, *, name: str) -> Loaded:
    """Read a VRP file of any known format, compressed or not; `name` is what errors call it.

    Raises `FormatError` that names a bad VRP, `LimitError`.
    """
    content = decompress(data, name=name, limit=MAX_VRP_FILE_BYTES)
    first = content.lstrip()[:1]
    if not first:
        raise FormatError(f"{name} is empty.")
    if first in b"{[":
        vrps, generated = read_json(content, name=name)
        return Loaded(Payload(vrps), generated, "json")
    vrps, generated = read_csv(content, name=name)
    return Loaded(Payload(vrps), generated, "csv")


def write_vrps(vrps: Vrps, fmt: str, stream: BinaryIO, *, generated: int) -> None:
    """Write each VRP once, in the order of addresses, IPv4 first. Raises `UsageError` for an unknown format."""
    if fmt not in WRITERS:
        raise UsageError(f"{fmt!r} is not a format of VRPs; choose one of {', '.join(WRITERS)}.")
    stream.writelines(WRITERS[fmt](vrps.unique_sorted(), generated))
