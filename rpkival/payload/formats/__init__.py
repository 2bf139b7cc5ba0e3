"""Files of payloads, VRP files for short: one module a format, and the table that names those that are written.

To add a format that is written, write its module and its row in `WRITERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from rpkival.errors import FormatError, UsageError
from rpkival.limits import MAX_VRP_FILE_BYTES
from rpkival.payload.formats.bird import write_bird, write_bird1, write_bird2
from rpkival.payload.formats.compression import decompress
from rpkival.payload.formats.csv import write_csv
from rpkival.payload.formats.csv_reader import read_csv
from rpkival.payload.formats.csvcompat import write_csvcompat
from rpkival.payload.formats.csvext import write_csvext
from rpkival.payload.formats.json import write_json
from rpkival.payload.formats.json_reader import read_json
from rpkival.payload.formats.jsonext import write_jsonext
from rpkival.payload.formats.openbgpd import write_openbgpd
from rpkival.payload.formats.rpsl import write_rpsl
from rpkival.payload.formats.slurm import write_slurm, write_slurm2
from rpkival.payload.formats.summary import write_summary
from rpkival.payload.payload import Payload
from rpkival.payload.vrps import Vrps

__all__ = ["WRITERS", "Loaded", "Writer", "check_format", "read_vrps", "write_payload"]

Writer = Callable[[Payload, int], Iterator[bytes]]
"""From a sorted, unique payload and the unix time of its validation to the file's bytes, in chunks."""

WRITERS: dict[str, Writer] = {
    "csv": write_csv,
    "csvcompat": write_csvcompat,
    "csvext": write_csvext,
    "json": write_json,
    "jsonext": write_jsonext,
    "slurm": write_slurm,
    "slurm2": write_slurm2,
    "openbgpd": write_openbgpd,
    "bird": write_bird,
    "bird1": write_bird1,
    "bird2": write_bird2,
    "rpsl": write_rpsl,
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
        payload, generated = read_json(content, name=name)
        return Loaded(payload, generated, "json")
    vrps, generated = read_csv(content, name=name)
    return Loaded(Payload(vrps), generated, "csv")


def check_format(fmt: str, *others: str) -> None:
    """Raise `UsageError` for a format that is neither written nor one of `others`, which the caller writes itself."""
    known = (*WRITERS, *others)
    if fmt not in known:
        raise UsageError(f"{fmt!r} is not a format of VRPs; choose one of {', '.join(known)}.")


def write_payload(payload: Payload, fmt: str, stream: BinaryIO, *, generated: int) -> None:
    """Write each VRP, ASPA and router key that the format has a place for once, VRPs in the order of addresses, IPv4
    first. Raises `UsageError` for an unknown format.
    """
    check_format(fmt)
    stream.writelines(WRITERS[fmt](payload.unique_sorted(), generated))
