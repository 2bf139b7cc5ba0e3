"""A block of bytes as MRT records (RFC 6396 sections 2 and 3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from struct import Struct

import numpy as np
from numpy.typing import NDArray

from feeds.mrt.octets import Octets
from rpkival.limits import MAX_MRT_RECORD_BYTES
from rpkival.prefixes import Rows

__all__ = ["RecordType", "Records", "has_no_routes", "read_records", "type_name"]

_HEADER_BYTES = 12
_STATE_CHANGES = np.array([0, 5])
_PEER_TABLES = np.array([1, 7])
"""PEER_INDEX_TABLE and GEO_PEER_TABLE (RFC 6397)."""
_OLD_UPDATE = 1
_length_at = Struct(">8xI").unpack_from


class RecordType(IntEnum):
    """RFC 6396 section 4, and section 5 for what it no longer recommends."""

    BGP = 5
    TABLE_DUMP = 12
    TABLE_DUMP_V2 = 13
    BGP4MP = 16
    BGP4MP_ET = 17


_ASSIGNED_TYPES = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, 17, 32, 33, 48, 49])
"""RFC 6396 section 5.1 and appendix B. No collector ever wrote another, so another means that we lost the framing."""


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """`n` records of a block. `at`, `end`: `int64[n]`, where the body begins and ends; `kind`, `subtype`: `int64[n]`;
    `time`: `float64[n]`, unix seconds. The microseconds of BGP4MP_ET are in `time` and no longer in the body.
    """

    at: Rows
    end: Rows
    kind: Rows
    subtype: Rows
    time: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.at)

    def take(self, rows: Rows | NDArray[np.bool_] | slice) -> Records:
        """The given rows, as numpy indexing selects them."""
        return Records(self.at[rows], self.end[rows], self.kind[rows], self.subtype[rows], self.time[rows])


def read_records(octets: Octets) -> tuple[Records, int, bool]:
    """The whole records at the start of a block.

    Returns the records, the number of bytes that they take, and True where what follows them cannot be a record, so
    that reading on would be guessing.
    """
    data, n = octets.data, len(octets)
    starts = []
    at = 0
    while at + _HEADER_BYTES <= n:
        (length,) = _length_at(data, at)
        if length > MAX_MRT_RECORD_BYTES or at + _HEADER_BYTES + length > n:
            break
        starts.append(at)
        at += _HEADER_BYTES + length
    header = np.array(starts, np.int64)
    kind = octets.u16(header + 4)
    foreign = np.flatnonzero(~np.isin(kind, _ASSIGNED_TYPES))
    if len(foreign):
        at = int(header[foreign[0]])
        header, kind = header[: foreign[0]], kind[: foreign[0]]
    lost = bool(len(foreign)) or (at + _HEADER_BYTES <= n and _length_at(data, at)[0] > MAX_MRT_RECORD_BYTES)
    body = header + _HEADER_BYTES
    end = body + octets.u32(header + 8)
    time = octets.u32(header).astype(np.float64)
    extended = (kind == RecordType.BGP4MP_ET) & (body + 4 <= end)
    time[extended] += octets.u32(body[extended]) / 1e6
    return Records(body + 4 * extended, end, kind, octets.u16(header + 6), time), at, lost


def has_no_routes(records: Records) -> NDArray[np.bool_]:
    """`bool[n]`: records about sessions and peers."""
    bgp4mp = (records.kind == RecordType.BGP4MP) | (records.kind == RecordType.BGP4MP_ET)
    state_change = bgp4mp & np.isin(records.subtype, _STATE_CHANGES)
    peers = (records.kind == RecordType.TABLE_DUMP_V2) & np.isin(records.subtype, _PEER_TABLES)
    old = (records.kind == RecordType.BGP) & (records.subtype != _OLD_UPDATE)
    return np.asarray(state_change | peers | old, np.bool_)


def type_name(kind: int) -> str:
    """The name of a record type, or `"type 11"` for one that is not decoded."""
    return RecordType(kind).name if kind in RecordType.__members__.values() else f"type {kind}"
