"""Messages of RIS Live (https://ris-live.ripe.net/manual) as batches of routes."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec
import numpy as np

from feeds.route_batch import OriginKind, PathTable, Peer, RouteBatch
from rpkival.asn import parse_asn
from rpkival.errors import AsnError
from rpkival.limits import MAX_ASN
from rpkival.prefixes import ADDRESS_BITS, Family, Prefixes

__all__ = ["RisMessages", "decode_messages"]

_Asn = Annotated[int, msgspec.Meta(ge=0, le=MAX_ASN)]


class _Announcement(msgspec.Struct, gc=False):
    prefixes: list[str] = []


class _Data(msgspec.Struct, gc=False):
    """`data` of a `ris_message` and of a `ris_error`; what other types carry is passed over."""

    timestamp: float = 0.0
    peer: str = ""
    peer_asn: int | str = 0
    host: str = ""
    type: str = ""
    path: list[_Asn | list[_Asn]] | None = None
    announcements: list[_Announcement] | None = None
    withdrawals: list[str] | None = None
    message: str = ""


class _Envelope(msgspec.Struct, gc=False):
    type: str = ""
    data: _Data | list[Any] | None = None


_ANSWERS = {"pong", "ris_rrc_list", "ris_subscribe_ok"}
"""What the server says to our own requests."""

_decoder = msgspec.json.Decoder(_Envelope)


@dataclass(frozen=True, slots=True)
class RisMessages:
    """What some messages gave: at most one batch for each family and collector.

    `malformed`: messages that are not RIS Live's, or of which a prefix or AS number makes no sense; the rest of such a
    message stands. `heard`: messages about BGP, of any type. `errors`: what the server complained of.
    """

    batches: tuple[RouteBatch, ...]
    malformed: int
    heard: int
    errors: tuple[str, ...]


@dataclass(slots=True)
class _Columns:
    """A batch in the making."""

    family: Family
    addresses: list[int] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    update: list[int] = field(default_factory=list)
    announced: list[bool] = field(default_factory=list)


@dataclass(slots=True)
class _Collector:
    """The UPDATEs of one collector; a column's `update` is a row of `times`, `peer` and the paths."""

    name: str
    families: dict[Family, _Columns] = field(default_factory=lambda: {4: _Columns(4), 6: _Columns(6)})
    times: list[float] = field(default_factory=list)
    peer: list[int] = field(default_factory=list)
    peers: dict[Peer, int] = field(default_factory=dict)
    path_ends: list[int] = field(default_factory=lambda: [0])
    asns: list[int] = field(default_factory=list)
    in_set: list[bool] = field(default_factory=list)

    def add(self, data: _Data) -> bool:
        """Add one UPDATE; False where some of it makes no sense."""
        try:
            asn = parse_asn(data.peer_asn)
        except AsnError:
            return False
        row = len(self.times)
        self.times.append(data.timestamp)
        self.peer.append(self.peers.setdefault(Peer(asn, data.peer), len(self.peers)))
        for part in data.path or ():
            members = part if isinstance(part, list) else [part]
            self.asns.extend(members)
            self.in_set.extend([isinstance(part, list)] * len(members))
        self.path_ends.append(len(self.asns))
        whole = True
        # Of an IPv6 route with a global and a link-local next hop, the same prefixes are listed under each.
        announced = dict.fromkeys(prefix for part in data.announcements or () for prefix in part.prefixes)
        for texts, is_announced in ((data.withdrawals or (), False), (announced, True)):
            for text in texts:
                whole &= self._add_prefix(text, row, is_announced)
        return whole

    def _add_prefix(self, text: str, row: int, is_announced: bool) -> bool:
        # End-of-RIB (RFC 4724) stands where a prefix would.
        if text == "eor":
            return True
        prefix = _parse(text)
        if prefix is None:
            return False
        family, address, length = prefix
        columns = self.families[family]
        columns.addresses.append(address)
        columns.lengths.append(length)
        columns.update.append(row)
        columns.announced.append(is_announced)
        return True

    def batches(self) -> list[RouteBatch]:
        """The columns of each family that has rows."""
        ends = np.array(self.path_ends, np.int64)
        paths = PathTable(np.array(self.asns, np.uint32), ends, np.array(self.in_set, np.bool_))
        kind = np.full(len(self.times), OriginKind.EMPTY, np.uint8)
        origin = np.zeros(len(self.times), np.uint32)
        some = np.flatnonzero(ends[1:] > ends[:-1])
        last = ends[some + 1] - 1
        kind[some] = np.where(paths.in_set[last], OriginKind.AS_SET, OriginKind.AS)
        origin[some] = np.where(paths.in_set[last], 0, paths.asns[last])
        times, peer = np.array(self.times, np.float64), np.array(self.peer, np.int32)
        batches = []
        for family, columns in self.families.items():
            if not columns.update:
                continue
            row = np.array(columns.update, np.int64)
            announced = np.array(columns.announced, np.bool_)
            batches.append(
                RouteBatch(
                    Prefixes.of_integers(family, columns.addresses, columns.lengths).masked(),
                    announced,
                    np.where(announced, origin[row], np.uint32(0)),
                    np.where(announced, kind[row], np.uint8(OriginKind.EMPTY)),
                    times[row],
                    peer[row],
                    np.where(announced, row, -1).astype(np.int32),
                    np.zeros(len(row), np.uint32),
                    tuple(self.peers),
                    paths,
                    self.name,
                )
            )
        return batches


def decode_messages(messages: Sequence[bytes | str]) -> RisMessages:
    """Decode messages as they came from the websocket, one JSON document each, in order.

    Nothing that a server sends raises: what cannot be understood is counted.
    """
    collectors: dict[str, _Collector] = {}
    malformed = heard = 0
    errors: list[str] = []
    for message in messages:
        try:
            envelope = _decoder.decode(message)
        except (msgspec.DecodeError, UnicodeDecodeError):
            malformed += 1
            continue
        data = envelope.data
        if envelope.type == "ris_error":
            errors.append(data.message if isinstance(data, _Data) else "")
        elif envelope.type != "ris_message":
            malformed += envelope.type not in _ANSWERS
        elif not isinstance(data, _Data):
            malformed += 1
        else:
            heard += 1
            # The first servers left the type of an UPDATE out.
            if data.type in {"UPDATE", ""}:
                # "rrc25" of 2019 and "rrc25.ripe.net" of today are the same collector.
                host = data.host.removesuffix(".ripe.net")
                if host not in collectors:
                    collectors[host] = _Collector(host)
                malformed += not collectors[host].add(data)
    batches = tuple(batch for collector in collectors.values() for batch in collector.batches())
    return RisMessages(batches, malformed, heard, tuple(errors))


def _parse(text: str) -> tuple[Family, int, int] | None:
    """Family, address and length of a prefix, or None. RIS Live writes withdrawals as `2605:de00:bb:0:0:0:0:0/48`."""
    address, _, length = text.partition("/")
    family: Family = 6 if ":" in address else 4
    if not (length.isascii() and length.isdigit()) or len(length) > 3 or int(length) > ADDRESS_BITS[family]:
        return None
    try:
        packed = socket.inet_pton(socket.AF_INET6 if family == 6 else socket.AF_INET, address)
    except (OSError, ValueError):
        return None
    return family, int.from_bytes(packed, "big"), int(length)
