"""An encoder of MRT, written from the RFCs with plain Python, to hold the decoder against."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

Path = Sequence[int | set[int]]


@dataclass(frozen=True)
class Encoder:
    """Bytes of every part of an MRT file; `width` is the octets of an AS number."""

    peer_as: int = 64500
    peer: str = "192.0.2.1"

    def record(self, kind: int, subtype: int, body: bytes, time: float = 1_500_000_000.0) -> bytes:
        """RFC 6396 section 2; kind 17 gets its microseconds."""
        seconds = int(time)
        if kind == 17:
            body = struct.pack(">I", round((time - seconds) * 1e6)) + body
        return struct.pack(">IHHI", seconds, kind, subtype, len(body)) + body

    def prefix(self, text: str, path_id: int | None = None) -> bytes:
        """RFC 4271 section 4.3, RFC 7911 section 3. Host bits within the last octet stay as they are."""
        address, _, length = text.partition("/")
        identifier = b"" if path_id is None else struct.pack(">I", path_id)
        octets = ipaddress.ip_address(address).packed[: (int(length) + 7) // 8]
        return identifier + bytes([int(length)]) + octets

    def prefixes(self, *texts: str) -> bytes:
        """A run of prefixes without path identifiers."""
        return b"".join(self.prefix(text) for text in texts)

    def path(self, path: Path, width: int = 4) -> bytes:
        """AS_PATH's value: numbers next to each other are one AS_SEQUENCE, a set is an AS_SET."""
        segments: list[tuple[int, list[int]]] = []
        for part in path:
            if isinstance(part, set):
                segments.append((1, sorted(part)))
            elif segments and segments[-1][0] == 2 and len(segments[-1][1]) < 255:
                segments[-1][1].append(part)
            else:
                segments.append((2, [part]))
        return b"".join(self.segment(kind, asns, width) for kind, asns in segments)

    def segment(self, kind: int, asns: Sequence[int], width: int = 4) -> bytes:
        """One segment of a path."""
        return bytes([kind, len(asns)]) + b"".join(asn.to_bytes(width, "big") for asn in asns)

    def attribute(self, code: int, value: bytes, *, extended: bool = False) -> bytes:
        """One path attribute."""
        if extended or len(value) > 255:
            return bytes([0x50, code]) + struct.pack(">H", len(value)) + value
        return bytes([0x40, code, len(value)]) + value

    def reach(self, afi: int, nlri: bytes, *, safi: int = 1, next_hop: bytes = bytes(16)) -> bytes:
        """MP_REACH_NLRI (RFC 4760 section 3)."""
        return self.attribute(14, struct.pack(">HBB", afi, safi, len(next_hop)) + next_hop + b"\0" + nlri)

    def unreach(self, afi: int, nlri: bytes, *, safi: int = 1) -> bytes:
        """MP_UNREACH_NLRI (RFC 4760 section 4)."""
        return self.attribute(15, struct.pack(">HB", afi, safi) + nlri)

    def update(self, *, withdrawn: bytes = b"", attributes: bytes = b"", nlri: bytes = b"") -> bytes:
        """A whole BGP UPDATE message."""
        body = struct.pack(">H", len(withdrawn)) + withdrawn + struct.pack(">H", len(attributes)) + attributes + nlri
        return b"\xff" * 16 + struct.pack(">HB", 19 + len(body), 2) + body

    def bgp4mp(self, message: bytes, *, subtype: int = 4, kind: int = 16, time: float = 1_500_000_000.0) -> bytes:
        """A record that carries a BGP message (RFC 6396 section 4.4)."""
        width = 4 if subtype in {4, 7, 9, 11} else 2
        address = ipaddress.ip_address(self.peer)
        head = self.peer_as.to_bytes(width, "big") + (64501).to_bytes(width, "big")
        head += struct.pack(">HH", 0, 1 if address.version == 4 else 2) + 2 * address.packed
        return self.record(kind, subtype, head + message, time)

    def announcement(self, path: Path, *prefixes: str, subtype: int = 4, more: bytes = b"") -> bytes:
        """A record that announces IPv4 prefixes with a path and `more` attributes."""
        width = 4 if subtype in {4, 7, 9, 11} else 2
        attributes = self.attribute(1, b"\0") + self.attribute(2, self.path(path, width)) + more
        return self.bgp4mp(self.update(attributes=attributes, nlri=self.prefixes(*prefixes)), subtype=subtype)

    def peer_table(self, *peers: tuple[int, str], name: bytes = b"view") -> bytes:
        """PEER_INDEX_TABLE (RFC 6396 section 4.3.1)."""
        body = bytes(4) + struct.pack(">H", len(name)) + name + struct.pack(">H", len(peers))
        for asn, text in peers:
            address = ipaddress.ip_address(text)
            wide = asn > 0xFFFF
            flags = (address.version == 6) | (2 * wide)
            body += bytes([flags]) + bytes(4) + address.packed + asn.to_bytes(4 if wide else 2, "big")
        return self.record(13, 1, body)

    def entry(self, peer: int, path: Path, *, path_id: int | None = None, attributes: bytes | None = None) -> bytes:
        """One RIB entry (RFC 6396 section 4.3.4, RFC 8050 section 4)."""
        if attributes is None:
            attributes = self.attribute(1, b"\0") + self.attribute(2, self.path(path))
        identifier = b"" if path_id is None else struct.pack(">I", path_id)
        return struct.pack(">HI", peer, 1) + identifier + struct.pack(">H", len(attributes)) + attributes

    def rib(self, prefix: str, *entries: bytes, add_path: bool = False) -> bytes:
        """RIB_IPV4_UNICAST or RIB_IPV6_UNICAST (RFC 6396 section 4.3.2)."""
        subtype = (4 if ":" in prefix else 2) + (6 if add_path else 0)
        body = struct.pack(">I", 7) + self.prefix(prefix) + struct.pack(">H", len(entries)) + b"".join(entries)
        return self.record(13, subtype, body)

    def table_dump(self, prefix: str, peer_as: int, peer: str, attributes: bytes) -> bytes:
        """One TABLE_DUMP record (RFC 6396 section 4.2)."""
        address, _, length = prefix.partition("/")
        packed = ipaddress.ip_address(address).packed
        body = bytes(4) + packed + bytes([int(length), 1]) + bytes(4) + ipaddress.ip_address(peer).packed
        body += struct.pack(">HH", peer_as, len(attributes)) + attributes
        return self.record(12, 1 if len(packed) == 4 else 2, body)


@pytest.fixture(scope="session")
def encode() -> Encoder:
    """The encoder, with a peer of its own."""
    return Encoder()
