"""BGP4MP and BGP4MP_ET messages (RFC 6396 section 4.4, RFC 8050 section 3) as batches of routes.

Also the BGP records of 1999 and 2000 (RFC 6396 appendix B.2.2), which hold an UPDATE without its BGP header.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from feeds.mrt.as_path import read_paths
from feeds.mrt.attributes import Attribute, Attributes, find_attributes
from feeds.mrt.decoded import Decoded
from feeds.mrt.nlri import hidden_path_ids, read_nlri
from feeds.mrt.octets import Octets
from feeds.mrt.records import Records, RecordType
from feeds.route_batch import OriginKind, Peer, RouteBatch
from rpkival.prefixes import Family, Rows

__all__ = ["decode_updates", "is_message"]

_MARKER_BYTES = 16
_HEADER_BYTES = 19
_UPDATE = 2
_AFI: dict[Family, int] = {4: 1, 6: 2}
_UNICAST = 1

_MESSAGES = np.array([1, 4, 6, 7, 8, 9, 10, 11])
"""RFC 6396 section 4.4, RFC 8050 section 3: MESSAGE, _AS4, _LOCAL, _AS4_LOCAL, and the four again with _ADDPATH."""
_AS4 = np.array([4, 7, 9, 11])
_ADD_PATH = np.array([8, 9, 10, 11])
_OLD_UPDATE = 1


@dataclass(frozen=True, slots=True, eq=False)
class _Messages:
    """`n` BGP UPDATE messages: columns of where their parts stand, all `int64[n]` but as noted."""

    width: Rows
    add_path: NDArray[np.bool_]
    withdrawn: tuple[Rows, Rows]
    attributes: tuple[Rows, Rows]
    nlri: tuple[Rows, Rows]
    time: NDArray[np.float64]
    peer: NDArray[np.int32]
    peers: tuple[Peer, ...]

    def __len__(self) -> int:
        return len(self.width)


def is_message(records: Records) -> NDArray[np.bool_]:
    """`bool[n]`: the records that carry a BGP message which may be an UPDATE."""
    bgp4mp = (records.kind == RecordType.BGP4MP) | (records.kind == RecordType.BGP4MP_ET)
    return np.asarray((bgp4mp & np.isin(records.subtype, _MESSAGES)) | _is_old(records), np.bool_)


def _is_old(records: Records) -> NDArray[np.bool_]:
    return np.asarray((records.kind == RecordType.BGP) & (records.subtype == _OLD_UPDATE), np.bool_)


def decode_updates(octets: Octets, records: Records, collector: str) -> Decoded:
    """All routes of BGP4MP records that carry a message: at most one batch a family.

    A message that breaks its format gives nothing. Prefixes of families other than IPv4 and IPv6 unicast are left out.
    """
    messages, broken = _read_messages(octets, records)
    start, end = messages.attributes
    found = find_attributes(octets, start, end, tuple(Attribute))
    paths, bad_path = read_paths(octets, found, messages.width)
    malformed = found.malformed | bad_path
    runs = _Runs(octets, messages, found)
    malformed |= runs.malformed

    parts = []
    for family in (4, 6):
        owner, start, end, announced = runs.of(family)
        with_path_id = messages.add_path[owner]
        nlri = read_nlri(octets, family, start, end, with_path_id)
        hidden = hidden_path_ids(octets, nlri, start, end)
        if len(hidden):
            with_path_id[hidden] = True
            nlri = read_nlri(octets, family, start, end, with_path_id)
        malformed[owner[nlri.malformed]] = True
        parts.append((nlri, owner[nlri.run], announced[nlri.run]))
    batches = []
    for nlri, owner, announced in parts:
        batch = RouteBatch(
            nlri.prefixes,
            announced,
            np.where(announced, paths.origin[owner], np.uint32(0)),
            np.where(announced, paths.origin_kind[owner], np.uint8(OriginKind.EMPTY)),
            messages.time[owner],
            messages.peer[owner],
            np.where(announced, owner, -1).astype(np.int32),
            nlri.path_id,
            messages.peers,
            paths.table,
            collector,
        )
        if malformed.any():
            batch = batch.take(~malformed[owner])
        if len(batch):
            batches.append(batch)
    return Decoded(tuple(batches), broken + int(malformed.sum()), int((runs.unsupported & ~malformed).sum()))


class _Runs:
    """Where the prefixes of each message stand, withdrawals first: WITHDRAWN, MP_UNREACH, NLRI, MP_REACH.

    RFC 4271 section 4.3: a prefix that is both withdrawn and announced by one message is announced.
    """

    def __init__(self, octets: Octets, messages: _Messages, found: Attributes) -> None:
        n = len(messages)
        self.malformed = np.zeros(n, np.bool_)
        self.unsupported = np.zeros(n, np.bool_)
        reach, reach_end = found.spans[Attribute.MP_REACH_NLRI]
        unreach, unreach_end = found.spans[Attribute.MP_UNREACH_NLRI]
        # RFC 4760 section 3: AFI, SAFI, length of next hop, next hop, one reserved octet. Section 4: AFI, SAFI.
        reached = np.where(reach > 0, reach + 5 + octets.u8(reach + 3), 0)
        unreached = np.where(unreach > 0, unreach + 3, 0)
        self.malformed |= (reached > reach_end) | (unreached > unreach_end)
        reach_family = self._family(octets, reach)
        unreach_family = self._family(octets, unreach)
        native = np.full(n, 4)
        self._start = np.stack([messages.withdrawn[0], unreached, messages.nlri[0], reached], 1)
        self._end = np.stack([messages.withdrawn[1], unreach_end, messages.nlri[1], reach_end], 1)
        self._of_family = np.stack([native, unreach_family, native, reach_family], 1)
        self._of_family[self._start >= self._end] = 0

    def _family(self, octets: Octets, at: Rows) -> Rows:
        afi, safi = octets.u16(at), octets.u8(at + 2)
        family = np.where(afi == _AFI[4], 4, np.where(afi == _AFI[6], 6, 0)) * (safi == _UNICAST)
        self.unsupported |= (at > 0) & (family == 0)
        return np.where(at > 0, family, 0)

    def of(self, family: Family) -> tuple[Rows, Rows, Rows, NDArray[np.bool_]]:
        """The runs of one family, sorted by message: its row, start, end, and whether it announces."""
        owner, kind = np.nonzero(self._of_family == family)
        return owner, self._start[owner, kind], self._end[owner, kind], kind >= 2


def _read_messages(octets: Octets, records: Records) -> tuple[_Messages, int]:
    """The UPDATEs among the messages, and how many records are too short for what they say they hold."""
    old = _is_old(records)
    width = np.where(np.isin(records.subtype, _AS4), 4, 2)
    # Peer AS, local AS, interface, address family, peer address, local address, message.
    family_at = records.at + 2 * width + 2
    afi = octets.u16(family_at)
    message = family_at + 2 + np.where(afi == _AFI[4], 8, 32)
    end = np.where(old, records.end, message + octets.u16(message + _MARKER_BYTES))
    broken = ~old & (
        ((afi != _AFI[4]) & (afi != _AFI[6]))
        | (message + _HEADER_BYTES > records.end)
        | (end > records.end)
        | (end < message + _HEADER_BYTES)
    )
    update = old | (octets.u8(message + _MARKER_BYTES + 2) == _UPDATE)
    # Peer AS, peer address, local AS, local address, all of them in two and four octets.
    body = np.where(old, records.at + 12, message + _HEADER_BYTES)
    withdrawn_end = body + 2 + octets.u16(body)
    attributes = withdrawn_end + 2
    nlri = attributes + octets.u16(withdrawn_end)
    broken |= update & ((attributes > end) | (nlri > end))
    rows = np.flatnonzero(update & ~broken)
    address_at = np.where(old, records.at + 2, family_at + 2)[rows]
    peer, peers = _peers(octets, records.at[rows], width[rows], address_at, (afi[rows] == _AFI[6]) & ~old[rows])
    messages = _Messages(
        width[rows],
        np.isin(records.subtype[rows], _ADD_PATH),
        (body[rows] + 2, withdrawn_end[rows]),
        (attributes[rows], nlri[rows]),
        (nlri[rows], end[rows]),
        records.time[rows],
        peer,
        peers,
    )
    return messages, int(broken.sum())


def _peers(
    octets: Octets, at: Rows, width: Rows, address_at: Rows, ipv6: NDArray[np.bool_]
) -> tuple[NDArray[np.int32], tuple[Peer, ...]]:
    """The peer of each record. Peers talk in bursts, so only the first record of a burst is looked at by itself."""
    if not len(at):
        return np.zeros(0, np.int32), ()
    asn = np.where(width == 4, octets.u32(at), octets.u16(at).astype(np.uint32))
    high = np.where(ipv6, octets.u64(address_at), octets.u32(address_at).astype(np.uint64))
    low = np.where(ipv6, octets.u64(address_at + 8), np.uint64(0))
    new = np.ones(len(at), np.bool_)
    new[1:] = (asn[1:] != asn[:-1]) | (ipv6[1:] != ipv6[:-1]) | (high[1:] != high[:-1]) | (low[1:] != low[:-1])
    known: dict[tuple[int, bool, int, int], int] = {}
    bursts = zip(asn[new].tolist(), ipv6[new].tolist(), high[new].tolist(), low[new].tolist(), strict=True)
    burst_peer = np.array([known.setdefault(key, len(known)) for key in bursts], np.int32)
    peers = tuple(Peer(asn, _address(ipv6, high, low)) for asn, ipv6, high, low in known)
    return burst_peer[np.cumsum(new) - 1], peers


def _address(ipv6: bool, high: int, low: int) -> str:
    return str(ipaddress.IPv6Address((high << 64) | low) if ipv6 else ipaddress.IPv4Address(high))
