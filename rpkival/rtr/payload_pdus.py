"""The PDUs that carry the payload, one record each: prefixes, router keys, ASPAs.

A whole set of prefixes never becomes objects; `rpkival.rtr.columns` does those.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Self

from rpkival.rtr.errors import AspaProviderListError, CorruptDataError
from rpkival.rtr.header import HEADER, HEADER_BYTES, UINT32, Header, PduType

__all__ = ["ROUTER_KEY", "AspaPdu", "IPv4Prefix", "IPv6Prefix", "RouterKeyPdu"]

ROUTER_KEY = struct.Struct("!20sI")
"""Subject key identifier and ASN; the key itself follows."""


@dataclass(frozen=True, slots=True)
class _Prefix:
    type: ClassVar[PduType]
    bits: ClassVar[int]
    version: int
    announce: bool
    address: int
    length: int
    max_length: int
    asn: int

    def serialize(self) -> bytes:
        octets = self.bits // 8
        return (
            HEADER.pack(self.version, self.type, 0, HEADER_BYTES + 4 + octets + 4)
            + bytes((self.announce, self.length, self.max_length, 0))
            + self.address.to_bytes(octets)
            + UINT32.pack(self.asn)
        )

    @classmethod
    def of(cls, header: Header, body: bytes) -> Self:
        flags, length, max_length = body[:3]
        if not length <= max_length <= cls.bits:
            raise CorruptDataError(f"A prefix of length {length} with max length {max_length} cannot be.")
        host = cls.bits - length
        # Section 5.6: only the first `length` bits count, whatever the cache left in the others.
        address = int.from_bytes(body[4:-4]) >> host << host
        return cls(header.version, bool(flags & 1), address, length, max_length, int.from_bytes(body[-4:]))


@dataclass(frozen=True, slots=True)
class IPv4Prefix(_Prefix):
    """One VRP announced or withdrawn (section 5.6); `address` as an integer."""

    type = PduType.IPV4_PREFIX
    bits = 32


@dataclass(frozen=True, slots=True)
class IPv6Prefix(_Prefix):
    """One VRP announced or withdrawn (section 5.7); `address` as an integer."""

    type = PduType.IPV6_PREFIX
    bits = 128


@dataclass(frozen=True, slots=True)
class RouterKeyPdu:
    """One BGPsec router key announced or withdrawn (section 5.10); from version 1 on."""

    type: ClassVar[PduType] = PduType.ROUTER_KEY
    version: int
    announce: bool
    subject_key_identifier: bytes
    asn: int
    subject_public_key_info: bytes

    def serialize(self) -> bytes:
        body = ROUTER_KEY.pack(self.subject_key_identifier, self.asn) + self.subject_public_key_info
        return HEADER.pack(self.version, self.type, self.announce << 8, HEADER_BYTES + len(body)) + body

    @classmethod
    def of(cls, header: Header, body: bytes) -> Self:
        identifier, asn = ROUTER_KEY.unpack_from(body)
        return cls(header.version, bool(header.field & 0x100), identifier, asn, body[ROUTER_KEY.size :])


@dataclass(frozen=True, slots=True)
class AspaPdu:
    """The providers of one customer AS announced, or the customer withdrawn (draft section 5.12); from version 2 on.

    An announcement replaces the customer's former one. `providers` ascend; a withdrawal has none.
    """

    type: ClassVar[PduType] = PduType.ASPA
    version: int
    announce: bool
    customer: int
    providers: tuple[int, ...] = ()

    def serialize(self) -> bytes:
        asns = struct.pack(f"!{1 + len(self.providers)}I", self.customer, *self.providers)
        return HEADER.pack(self.version, self.type, self.announce << 8, HEADER_BYTES + len(asns)) + asns

    @classmethod
    def of(cls, header: Header, body: bytes) -> Self:
        if len(body) % 4:
            raise CorruptDataError(f"An ASPA PDU cannot be {header.length} octets long.")
        customer, *providers = struct.unpack(f"!{len(body) // 4}I", body)
        announce = bool(header.field & 0x100)
        if announce != bool(providers):
            what = "without providers is announced" if announce else "with providers is withdrawn"
            raise AspaProviderListError(f"An ASPA of AS{customer} {what}.")
        if any(one >= other for one, other in pairwise(providers)):
            raise AspaProviderListError(f"The providers of AS{customer} do not ascend.")
        if len(providers) > 1 and providers[0] == 0:
            raise AspaProviderListError(f"AS{customer} has AS0 among other providers.")
        return cls(header.version, announce, customer, tuple(providers))
