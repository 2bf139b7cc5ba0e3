"""RIB entries of the legacy TABLE_DUMP (RFC 6396 section 4.2) as batches of routes."""

from __future__ import annotations

import ipaddress

import numpy as np
from numpy.typing import NDArray

from feeds.mrt.as_path import read_paths
from feeds.mrt.attributes import Attribute, find_attributes
from feeds.mrt.decoded import Decoded, announced_batch
from feeds.mrt.octets import Octets
from feeds.mrt.records import Records, RecordType
from feeds.route_batch import Peer
from rpkival.prefixes import ADDRESS_BITS, Family, Prefixes, Rows, Words

__all__ = ["decode_table_dump", "is_table_dump"]

_SUBTYPES: dict[Family, int] = {4: 1, 6: 2}
_PATH_ATTRIBUTES = (Attribute.AS_PATH, Attribute.AGGREGATOR, Attribute.AS4_PATH, Attribute.AS4_AGGREGATOR)


def is_table_dump(records: Records) -> NDArray[np.bool_]:
    """`bool[n]`: the records of TABLE_DUMP."""
    of_known_family = np.isin(records.subtype, list(_SUBTYPES.values()))
    return np.asarray((records.kind == RecordType.TABLE_DUMP) & of_known_family, np.bool_)


def decode_table_dump(octets: Octets, records: Records, collector: str) -> Decoded:
    """All routes of TABLE_DUMP records, one each: at most one batch a family. AS numbers have 2 octets here."""
    batches = []
    malformed = 0
    for family, subtype in _SUBTYPES.items():
        of_family = records.take(records.subtype == subtype)
        if not len(of_family):
            continue
        # View, sequence number, prefix, its length, status, time of origination, peer address and AS, attributes.
        address_bytes = ADDRESS_BITS[family] // 8
        prefix_at = of_family.at + 4
        length = octets.u8(prefix_at + address_bytes)
        peer_at = prefix_at + address_bytes + 6
        as_at = peer_at + address_bytes
        start = as_at + 4
        end = start + octets.u16(as_at + 2)
        found = find_attributes(octets, start, np.minimum(end, of_family.end), _PATH_ATTRIBUTES)
        paths, bad = read_paths(octets, found, np.full(len(of_family), 2))
        bad |= found.malformed | (end > of_family.end) | (length > ADDRESS_BITS[family])
        prefixes = Prefixes(
            _words(octets, family, prefix_at), np.minimum(length, ADDRESS_BITS[family]).astype(np.uint8)
        )
        peer, peers = _peers(octets, family, peer_at, as_at)
        batch = announced_batch(
            prefixes.masked(), paths, of_family.time, peer, np.zeros(len(peer), np.uint32), peers, collector
        )
        malformed += int(bad.sum())
        if not bad.all():
            batches.append(batch.take(~bad) if bad.any() else batch)
    return Decoded(tuple(batches), malformed, 0)


def _words(octets: Octets, family: Family, at: Rows) -> Words:
    return (octets.u32(at),) if family == 4 else (octets.u64(at), octets.u64(at + 8))


def _peers(octets: Octets, family: Family, at: Rows, as_at: Rows) -> tuple[Rows, tuple[Peer, ...]]:
    """The peer of each record. A table has few."""
    known: dict[tuple[int, ...], int] = {}
    columns = (octets.u16(as_at), *_words(octets, family, at))
    rows = zip(*(column.tolist() for column in columns), strict=True)
    peer = np.array([known.setdefault(key, len(known)) for key in rows], np.int64)
    address = ipaddress.IPv4Address if family == 4 else ipaddress.IPv6Address
    bits = 32 if family == 4 else 64
    return peer, tuple(Peer(asn, str(address(_joined(words, bits)))) for asn, *words in known)


def _joined(words: list[int], bits: int) -> int:
    number = 0
    for word in words:
        number = (number << bits) | word
    return number
