"""RIB entries of TABLE_DUMP_V2 (RFC 6396 section 4.3, RFC 8050 section 4) and TABLE_DUMP as batches."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from feeds.mrt.as_path import AsPaths, read_paths
from feeds.mrt.attributes import Attribute, find_attributes
from feeds.mrt.decoded import Decoded, announced_batch
from feeds.mrt.nlri import prefixes_at
from feeds.mrt.octets import Octets, in_order
from feeds.mrt.records import Records, RecordType
from feeds.route_batch import Peer
from rpkival.errors import FormatError
from rpkival.prefixes import ADDRESS_BITS, Family, Rows

__all__ = ["RibSubtype", "decode_rib", "is_unicast", "read_peer_table"]


class RibSubtype(IntEnum):
    """RFC 6396 section 4.3 and RFC 8050 section 4."""

    PEER_INDEX_TABLE = 1
    IPV4_UNICAST = 2
    IPV6_UNICAST = 4
    IPV4_UNICAST_ADDPATH = 8
    IPV6_UNICAST_ADDPATH = 10


_FAMILIES: dict[Family, tuple[int, int]] = {
    4: (RibSubtype.IPV4_UNICAST, RibSubtype.IPV4_UNICAST_ADDPATH),
    6: (RibSubtype.IPV6_UNICAST, RibSubtype.IPV6_UNICAST_ADDPATH),
}
_PEER_IPV6, _PEER_AS4 = 1, 2


def is_unicast(records: Records) -> NDArray[np.bool_]:
    """`bool[n]`: the records of TABLE_DUMP_V2 that carry IPv4 or IPv6 unicast routes."""
    of_unicast = np.isin(records.subtype, [*_FAMILIES[4], *_FAMILIES[6]])
    return np.asarray((records.kind == RecordType.TABLE_DUMP_V2) & of_unicast, np.bool_)


def read_peer_table(body: bytes) -> tuple[Peer, ...]:
    """PEER_INDEX_TABLE (RFC 6396 section 4.3.1): the peers that RIB entries count from 0. Raises `FormatError`."""
    # Collector, length of the view's name, the view's name, number of peers.
    at = 8 + int.from_bytes(body[4:6], "big")
    count = int.from_bytes(body[at - 2 : at], "big")
    peers: list[Peer] = []
    while len(peers) < count or at > len(body):
        flags = int.from_bytes(body[at : at + 1], "big")
        address_at = at + 5
        as_at = address_at + (16 if flags & _PEER_IPV6 else 4)
        at = as_at + (4 if flags & _PEER_AS4 else 2)
        if at > len(body):
            raise FormatError("The peer table of this RIB is shorter than it says; the file is damaged.")
        address = ipaddress.ip_address(body[address_at:as_at])
        peers.append(Peer(int.from_bytes(body[as_at:at], "big"), str(address)))
    return tuple(peers)


@dataclass(frozen=True, slots=True, eq=False)
class _Entries:
    """`m` entries of `n` records, in order. `record`: `int64[m]`; `path`: start and end of its attributes, `int64[m]`.

    `malformed`: `bool[n]`, True for a record whose entries pass its end.
    """

    record: Rows
    peer: Rows
    path_id: NDArray[np.uint32]
    attributes: tuple[Rows, Rows]
    malformed: NDArray[np.bool_]


def decode_rib(octets: Octets, records: Records, collector: str, peers: tuple[Peer, ...]) -> Decoded:
    """All routes of RIB_IPV4_UNICAST and RIB_IPV6_UNICAST records, with path identifiers or not: one batch a family.

    The time of a route is that of its record, when the collector wrote down that the peer had it. Without a peer table
    (`peers` empty) every route comes from the peer without a name.
    """
    batches = []
    malformed = 0
    for family, (plain, add_path) in _FAMILIES.items():
        of_family = records.take((records.subtype == plain) | (records.subtype == add_path))
        if not len(of_family):
            continue
        # Sequence number, then the prefix as in an UPDATE, then the number of entries.
        prefix_at = of_family.at + 4
        length = octets.u8(prefix_at)
        count_at = prefix_at + 1 + ((length + 7) >> 3)
        broken = (length > ADDRESS_BITS[family]) | (count_at + 2 > of_family.end)
        malformed += int(broken.sum())
        if broken.any():
            of_family, prefix_at, count_at = of_family.take(~broken), prefix_at[~broken], count_at[~broken]
        id_bytes = np.where(of_family.subtype == add_path, 4, 0)
        entries = _read_entries(octets, count_at + 2, of_family.end, octets.u16(count_at), id_bytes)
        paths, bad_entry = _rib_paths(octets, entries)
        unknown_peer = entries.peer >= len(peers) if peers else np.zeros(len(entries.peer), np.bool_)
        bad_entry |= unknown_peer | entries.malformed[entries.record]
        bad_record = entries.malformed.copy()
        bad_record[entries.record[bad_entry]] = True
        malformed += int(bad_record.sum())
        batch = announced_batch(
            prefixes_at(octets, family, prefix_at).take(entries.record),
            paths,
            of_family.time[entries.record],
            entries.peer if peers else np.zeros_like(entries.peer),
            entries.path_id,
            peers or (Peer(0, ""),),
            collector,
        )
        if bad_entry.any():
            batch = batch.take(~bad_entry)
        if len(batch):
            batches.append(batch)
    return Decoded(tuple(batches), malformed, 0)


def _read_entries(octets: Octets, at: Rows, end: Rows, count: Rows, id_bytes: Rows) -> _Entries:
    """RFC 6396 section 4.3.4: peer index, time of origination, [path identifier], length and attributes."""
    n = len(at)
    malformed = np.zeros(n, np.bool_)
    rounds: list[tuple[Rows, Rows]] = []
    record = np.flatnonzero(count > 0)
    at = at[record]
    while len(record):
        head = at + 6 + id_bytes[record]
        stop = head + 2 + octets.u16(head)
        fine = stop <= end[record]
        if not fine.all():
            malformed[record[~fine]] = True
            record, at, stop = record[fine], at[fine], stop[fine]
        rounds.append((record, at))
        more = count[record] > len(rounds)
        record, at = record[more], stop[more]
    record, at = in_order(rounds, n)
    path_id = np.zeros(len(record), np.uint32)
    identified = id_bytes[record] > 0
    if identified.any():
        path_id[identified] = octets.u32(at[identified] + 6)
    attributes = at + 8 + id_bytes[record]
    return _Entries(record, octets.u16(at), path_id, (attributes, attributes + octets.u16(attributes - 2)), malformed)


def _rib_paths(octets: Octets, entries: _Entries) -> tuple[AsPaths, NDArray[np.bool_]]:
    """The path of each entry, and `bool[m]`, True where its attributes are malformed. AS numbers have 4 octets here."""
    found = find_attributes(octets, *entries.attributes, (Attribute.AS_PATH,))
    paths, malformed = read_paths(octets, found, np.full(len(entries.record), 4))
    return paths, malformed | found.malformed
