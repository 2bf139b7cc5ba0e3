"""Prefix PDUs by the hundred thousand: columns of VRPs to bytes and back, without an object for any of them.

A prefix PDU has a fixed layout, so a set of them is one numpy array of records and its buffer is what goes on the wire.
The order is the one of draft-ietf-sidrops-8210bis-26 section 11.2, which version 2 demands and older ones allow.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rpkival.payload.changes import VrpChanges
from rpkival.payload.vrps import VrpColumns, Vrps
from rpkival.prefixes import ADDRESS_BITS, Family, Prefixes
from rpkival.rtr.errors import CorruptDataError
from rpkival.rtr.pdu import PduType

__all__ = [
    "ANNOUNCE",
    "WITHDRAW",
    "Records",
    "decode_prefixes",
    "encode_changes",
    "encode_prefixes",
    "in_wire_order",
    "leading_records",
    "with_version",
]

WITHDRAW = 0
ANNOUNCE = 1

Records: TypeAlias = NDArray[Any]
"""`n` PDUs of one type, as a structured array of `RECORD[family]`."""

WORDS: dict[Family, tuple[str, ...]] = {4: ("word0",), 6: ("word0", "word1")}
_HEAD = [
    ("version", "u1"),
    ("type", "u1"),
    ("zero", ">u2"),
    ("pdu_length", ">u4"),
    ("flags", "u1"),
    ("length", "u1"),
    ("max_length", "u1"),
    ("pad", "u1"),
]
RECORD: dict[Family, np.dtype[Any]] = {
    4: np.dtype([*_HEAD, ("word0", ">u4"), ("asn", ">u4")]),
    6: np.dtype([*_HEAD, ("word0", ">u8"), ("word1", ">u8"), ("asn", ">u4")]),
}
TYPE: dict[Family, PduType] = {4: PduType.IPV4_PREFIX, 6: PduType.IPV6_PREFIX}


def encode_prefixes(vrps: Vrps, flags: int, version: int) -> bytes:
    """The PDUs that announce (`flags=ANNOUNCE`) or withdraw all of `vrps`: IPv4 first, in the order of the protocol."""
    return b"".join(_encode(columns, flags, version).tobytes() for columns in (vrps.ipv4, vrps.ipv6))


def encode_changes(changes: VrpChanges, version: int) -> bytes:
    """The prefixes of a delta: by type, and within a type announcements first, that no route is bare in between."""
    return b"".join(
        _encode(vrps.family(family), flags, version).tobytes()
        for family in TYPE
        for vrps, flags in ((changes.announced, ANNOUNCE), (changes.withdrawn, WITHDRAW))
    )


def with_version(pdus: bytes, ipv4: int, ipv6: int, version: int) -> bytes:
    """The prefixes that `pdus` begins with, `ipv4` and then `ipv6` of them, for another version."""
    boundary = ipv4 * RECORD[4].itemsize
    data = bytearray(memoryview(pdus)[: boundary + ipv6 * RECORD[6].itemsize])
    np.frombuffer(data, RECORD[4], ipv4)["version"] = version
    np.frombuffer(data, RECORD[6], ipv6, boundary)["version"] = version
    return bytes(data)


def _encode(columns: VrpColumns, flags: int, version: int) -> Records:
    family = columns.prefixes.family
    ordered = columns.take(_wire_order(columns, flags))
    records = np.zeros(len(columns), RECORD[family])
    records["version"] = version
    records["type"] = TYPE[family]
    records["pdu_length"] = RECORD[family].itemsize
    records["flags"] = flags
    records["length"] = ordered.prefixes.length
    records["max_length"] = ordered.max_length
    for name, word in zip(WORDS[family], ordered.prefixes.words, strict=True):
        records[name] = word
    records["asn"] = ordered.asn
    return records


def _wire_order(columns: VrpColumns, flags: int) -> NDArray[np.int64]:
    """Rows by address, max_length, length, ASN: withdrawals ascending, announcements descending.

    So more-specifics come before what covers them, and AS 0, which only ever makes routes invalid, last among equals.
    """
    prefixes = columns.prefixes
    keys: list[NDArray[Any]] = [columns.asn, prefixes.length, columns.max_length, *reversed(prefixes.words)]
    rows = np.lexsort(keys)
    return rows[::-1] if flags == ANNOUNCE else rows


def in_wire_order(records: Records, family: Family) -> bool:
    """Whether no row comes before its turn: announcements descending, then withdrawals ascending."""
    announced = (records["flags"] & 1).astype(np.bool_)
    if (announced[1:] & ~announced[:-1]).any():
        return False
    names = (*WORDS[family], "max_length", "length", "asn")
    columns = [records[name].astype(records[name].dtype.newbyteorder("=")) for name in names]
    ascend = _ascending([column[~announced] for column in columns])
    return ascend and _ascending([column[announced][::-1] for column in columns])


def _ascending(columns: list[NDArray[Any]]) -> bool:
    """Whether no row of `columns` (most significant first) comes before the one that it follows; equals may."""
    n = max(len(columns[0]) - 1, 0)
    more, equal = np.zeros(n, np.bool_), np.ones(n, np.bool_)
    for column in columns:
        more |= equal & (column[:-1] > column[1:])
        equal &= column[:-1] == column[1:]
    return not more.any()


def leading_records(data: memoryview, family: Family, version: int) -> Records:
    """The whole PDUs of `family` that `data` starts with; a view, as long as the run is unbroken."""
    record = RECORD[family]
    rows, window = 0, 16
    while whole := min(window, len(data) // record.itemsize - rows):
        block = np.frombuffer(data, record, whole, rows * record.itemsize)
        fits = (block["type"] == TYPE[family]) & (block["version"] == version)
        fits &= block["pdu_length"] == record.itemsize
        if not fits.all():
            rows += int(fits.argmin())
            break
        rows += whole
        window *= 2
    return np.frombuffer(data, record, rows)


def decode_prefixes(records: Records, family: Family) -> tuple[VrpColumns, VrpColumns]:
    """The announced and the withdrawn VRPs. Raises `CorruptDataError` where a length cannot be."""
    length, max_length = records["length"], records["max_length"]
    bad = np.flatnonzero((length > max_length) | (max_length > ADDRESS_BITS[family]))
    if len(bad):
        row = int(bad[0])
        raise CorruptDataError(f"A prefix of length {length[row]} with max length {max_length[row]} cannot be.")
    words = tuple(records[name].astype(records[name].dtype.newbyteorder("=")) for name in WORDS[family])
    # Only the first `length` bits make the prefix, whatever the cache left in the others.
    prefixes = Prefixes(words, length.copy()).masked()
    columns = VrpColumns.of(prefixes, max_length.copy(), records["asn"].astype(np.uint32))
    announced = (records["flags"] & 1).astype(np.bool_)
    return columns.take(announced), columns.take(~announced)
