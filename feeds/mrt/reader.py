"""A whole MRT file as batches of routes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from feeds.mrt.octets import Octets
from feeds.mrt.records import Records, RecordType, has_no_routes, read_records, type_name
from feeds.mrt.rib import RibSubtype, decode_rib, is_unicast, read_peer_table
from feeds.mrt.stream import Source, Stream
from feeds.mrt.table_dump import decode_table_dump, is_table_dump
from feeds.mrt.updates import decode_updates, is_message
from feeds.route_batch import Peer, RouteBatch
from rpkival.errors import FormatError
from rpkival.limits import MRT_BLOCK_BYTES

__all__ = ["MrtReader", "MrtStats", "read_mrt"]


@dataclass(slots=True)
class MrtStats:
    """What was read so far.

    `records`: how many of each type, by name. `malformed`: records that break their format and gave nothing or not all.
    `unsupported`: records whose routes are of a type, subtype or family that is not decoded. `compressed_bytes`: of the
    file itself; `octets`: after decompression. `damage`: why reading ended before the file's own end, a clause for the
    user, or "".
    """

    records: Counter[str] = field(default_factory=Counter)
    malformed: int = 0
    unsupported: int = 0
    compressed_bytes: int = 0
    octets: int = 0
    damage: str = ""

    @property
    def truncated(self) -> bool:
        """True where the file ended early or could not be followed to its end."""
        return bool(self.damage)


class MrtReader:
    """Reads one MRT file once: plain, gzip or bzip2, told by its content.

    Memory is bounded by the block, whatever the file. `stats` is current after each batch and final after the last.
    """

    def __init__(self, source: Source, *, name: str = "", block_bytes: int = MRT_BLOCK_BYTES) -> None:
        self.stats = MrtStats()
        self._name = name
        self._stream = Stream(source, block_bytes)
        self._peers: tuple[Peer, ...] = ()

    def batches(self) -> Iterator[RouteBatch]:
        """The routes, in the order of the file within a family; each batch of one family and one stretch of the file.

        A torn or damaged file gives what can be read of it, and says so in `stats.damage`. Raises `FormatError` where
        not even the first record is one of MRT, `OSError` where the file cannot be read.
        """
        rest = b""
        for block in self._stream.blocks():
            self.stats.octets += len(block)
            self.stats.compressed_bytes = self._stream.compressed_bytes
            octets = Octets(rest + block)
            records, taken, lost = read_records(octets)
            if lost and not len(records) and not self.stats.records:
                raise FormatError(f"{self._title} is not an MRT file; its first record has no type that MRT knows.")
            yield from self._decode(octets, records)
            if lost:
                at = self.stats.octets - len(octets) + taken
                self.stats.damage = f"what follows its first {at} bytes is not an MRT record"
                return
            rest = octets.data[taken:]
        self.stats.compressed_bytes = self._stream.compressed_bytes
        self.stats.damage = self._stream.damage
        if not self.stats.records:
            raise FormatError(self._why_nothing(rest))
        if rest and not self.stats.damage:
            self.stats.damage = "it ends within a record"

    @property
    def _title(self) -> str:
        return self._name or "This"

    def _why_nothing(self, rest: bytes) -> str:
        if self.stats.damage:
            return f"{self._title} cannot be read: {self.stats.damage}."
        if not rest:
            return f"{self._title} is empty; an MRT file has at least one record."
        return f"{self._title} is not an MRT file, or was cut off within its first record."

    def _decode(self, octets: Octets, records: Records) -> Iterator[RouteBatch]:
        """A PEER_INDEX_TABLE changes what the records behind it mean, so the tables cut the block into stretches."""
        self._count(records)
        tables = np.flatnonzero(
            (records.kind == RecordType.TABLE_DUMP_V2) & (records.subtype == RibSubtype.PEER_INDEX_TABLE)
        )
        begin = 0
        for table in [*tables.tolist(), len(records)]:
            yield from self._decode_stretch(octets, records.take(slice(begin, table)))
            if table < len(records):
                self._read_peer_table(octets.data[int(records.at[table]) : int(records.end[table])])
            begin = table + 1

    def _read_peer_table(self, body: bytes) -> None:
        try:
            self._peers = read_peer_table(body)
        except FormatError:
            self._peers = ()
            self.stats.malformed += 1

    def _decode_stretch(self, octets: Octets, records: Records) -> Iterator[RouteBatch]:
        """Each kind by its decoder; a file has updates or a RIB, so their order between each other means nothing."""
        decoded = np.zeros(len(records), np.bool_)
        for chosen, decode in (
            (is_message(records), decode_updates),
            (is_unicast(records), partial(decode_rib, peers=self._peers)),
            (is_table_dump(records), decode_table_dump),
        ):
            if chosen.any():
                routes = decode(octets, records.take(chosen), collector=self._name)
                self.stats.malformed += routes.malformed
                self.stats.unsupported += routes.unsupported
                yield from routes.batches
            decoded |= chosen
        self.stats.unsupported += int((~decoded & ~has_no_routes(records)).sum())

    def _count(self, records: Records) -> None:
        kinds, counts = np.unique(records.kind, return_counts=True)
        for kind, count in zip(kinds.tolist(), counts.tolist(), strict=True):
            self.stats.records[type_name(kind)] += count


def read_mrt(source: Source, *, name: str = "") -> Iterator[RouteBatch]:
    """The routes of an MRT file, for callers that need no account of what could not be read; see `MrtReader`."""
    return MrtReader(source, name=name).batches()
