"""IP address blocks and AS numbers (RFC 3779): what a certificate claims, and arithmetic on sets of them.

A set is a tuple of `(first, last)` pairs of integers, ascending, neither overlapping nor adjacent: the canonical form
of RFC 3779 section 2.2.3.6, in which a set is written in one way only. So equal sets are equal tuples, and a question
is a binary search.
"""

from __future__ import annotations

import ipaddress
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal

from cryptography.hazmat.asn1 import BitString

from rpkival.errors import LimitError, ObjectError
from rpkival.limits import MAX_ASN, MAX_RESOURCE_BLOCKS
from rpkival.objects.asn1 import ip_resources
from rpkival.objects.asn1.der import decode, header
from rpkival.objects.bounds import shown, shown_octets
from rpkival.objects.record import Record

__all__ = [
    "INHERIT",
    "Claim",
    "Ranges",
    "ResourceClaims",
    "Resources",
    "address_range",
    "as_ranges",
    "first_outside",
    "format_ranges",
    "intersection",
    "ip_claims",
    "parse_as_identifiers",
    "parse_ip_blocks",
    "united",
]

Ranges = tuple[tuple[int, int], ...]


class Inherit(Enum):
    """The claim to have whatever the issuer has (RFC 3779 sections 2.2.3.5 and 3.2.3.3)."""

    INHERIT = "inherit"


INHERIT: Final = Inherit.INHERIT
Claim = Ranges | Literal[Inherit.INHERIT] | None
"""What a certificate says of one kind of resource: its ranges, that it inherits them, or (None) nothing."""

_BEYOND: Final = 1 << 129
"""More than any address or AS number."""

_BITS: Final = {b"\x00\x01": 32, b"\x00\x02": 128}


@dataclass(frozen=True, slots=True)
class Resources(Record):
    """What a certificate really has, with everything inherited filled in."""

    ipv4: Ranges = ()
    ipv6: Ranges = ()
    asn: Ranges = ()


@dataclass(frozen=True, slots=True)
class ResourceClaims:
    """What the two RFC 3779 extensions of a certificate say."""

    ipv4: Claim = None
    ipv6: Claim = None
    asn: Claim = None

    @property
    def inherits(self) -> bool:
        """Whether any kind is inherited."""
        return self.ipv4 is INHERIT or self.ipv6 is INHERIT or self.asn is INHERIT

    @property
    def only_inherits(self) -> bool:
        """Whether no kind is claimed by itself."""
        return not (isinstance(self.ipv4, tuple) or isinstance(self.ipv6, tuple) or isinstance(self.asn, tuple))

    def under(self, issuer: Resources) -> Resources:
        """What the claims come to under an issuer. Raises `ObjectError` where they go beyond what the issuer has."""
        return Resources(
            _under(self.ipv4, issuer.ipv4, "IPv4 addresses", 4),
            _under(self.ipv6, issuer.ipv6, "IPv6 addresses", 6),
            _under(self.asn, issuer.asn, "AS numbers", 0),
        )

    def of(self, issuer: Resources) -> Resources:
        """What of the claims an issuer has, as RFC 8360 reconsiders them."""
        return Resources(
            _common(self.ipv4, issuer.ipv4), _common(self.ipv6, issuer.ipv6), _common(self.asn, issuer.asn)
        )


def _common(claim: Claim, issuer: Ranges) -> Ranges:
    if claim is None:
        return ()
    return issuer if claim is INHERIT else intersection(claim, issuer)


def first_outside(outer: Ranges, inner: Ranges) -> tuple[int, int] | None:
    """The first range of `inner` that is not wholly in `outer`; `len(inner) * log(len(outer))`."""
    for block in inner:
        # The only candidate is the last range that starts no later: the outer set has no adjacent ranges.
        at = bisect_right(outer, (block[0], _BEYOND)) - 1
        if at < 0 or outer[at][1] < block[1]:
            return block
    return None


def intersection(one: Ranges, other: Ranges) -> Ranges:
    """What is in both; a step for each range of either."""
    common = []
    at_one = at_other = 0
    while at_one < len(one) and at_other < len(other):
        last_of_one, last_of_other = one[at_one][1], other[at_other][1]
        first, last = max(one[at_one][0], other[at_other][0]), min(last_of_one, last_of_other)
        if first <= last:
            common.append((first, last))
        at_one += last_of_one <= last_of_other
        at_other += last_of_other <= last_of_one
    return tuple(common)


def united(blocks: Iterable[tuple[int, int]]) -> Ranges:
    """The set of blocks in any order that may touch and overlap."""
    ranges: list[tuple[int, int]] = []
    for first, last in sorted(blocks):
        if ranges and first <= ranges[-1][1] + 1:
            ranges[-1] = ranges[-1][0], max(last, ranges[-1][1])
        else:
            ranges.append((first, last))
    return tuple(ranges)


def parse_ip_blocks(data: bytes) -> tuple[Claim, Claim]:
    """The claims to IPv4 and to IPv6 of an IPAddrBlocks extension (RFC 3779 section 2). Raises `ObjectError`."""
    section = "RFC 3779 section 2.2.3"
    blocks = decode(ip_resources.IPAddrBlocks, header(0x30, len(data)) + data, section, "IP address delegation")
    return ip_claims(blocks.families)


def ip_claims(families: list[ip_resources.IPAddressFamily]) -> tuple[Claim, Claim]:
    """The claims to IPv4 and to IPv6 of address families that have been decoded. Raises `ObjectError`."""
    claims: dict[bytes, Claim] = {}
    last_family = b""
    for block in families:
        family = block.address_family
        bits = _BITS.get(family)
        if bits is None:
            raise ObjectError(
                "RFC 6487 section 4.8.10", f"The IP address delegation has the family {shown_octets(family)}."
            )
        if family <= last_family:
            raise ObjectError("RFC 3779 section 2.2.3.3", "The address families are not in ascending order.")
        last_family = family
        if (block.inherit is None) == (block.addresses_or_ranges is None):
            raise ObjectError("RFC 3779 section 2.2.3.4", "An address family is neither inherited nor listed.")
        claims[family] = INHERIT if block.addresses_or_ranges is None else _ip_ranges(block.addresses_or_ranges, bits)
    if not claims:
        raise ObjectError("RFC 6487 section 4.8.10", "The IP address delegation is empty.")
    return claims.get(b"\x00\x01"), claims.get(b"\x00\x02")


def parse_as_identifiers(data: bytes) -> Claim:
    """The claim to AS numbers of an ASIdentifiers extension (RFC 3779 section 3). Raises `ObjectError`."""
    if data == ip_resources.AS_INHERIT:
        return INHERIT
    decoded = decode(ip_resources.ASIdentifiers, data, "RFC 3779 section 3.2.3", "AS identifier delegation")
    return as_ranges(decoded)


def as_ranges(identifiers: ip_resources.ASIdentifiers) -> Ranges:
    """The AS numbers of identifiers that have been decoded. Raises `ObjectError`."""
    section = "RFC 3779 section 3.2.3"
    numbers = identifiers.asnum
    _check_count(len(numbers))
    ranges: list[tuple[int, int]] = []
    for number in numbers:
        if isinstance(number, int):
            first = last = number
        else:
            first, last = number.min, number.max
            if first >= last:
                raise ObjectError("RFC 3779 section 3.2.3.8", f"The AS range {shown(first)}-{shown(last)} is not one.")
        if first < 0 or last > MAX_ASN:
            raise ObjectError(
                section, f"AS numbers end at {MAX_ASN}, but the certificate has {shown(first)}-{shown(last)}."
            )
        ranges.append((first, last))
    _check_canonical(ranges, "RFC 3779 section 3.2.3.4", "AS numbers")
    return tuple(ranges)


def address_range(address: BitString, bits: int, section: str) -> tuple[int, int]:
    """First and last address of a prefix, as an IPAddress BIT STRING writes it. Raises `ObjectError`."""
    octets = address.as_bytes()
    host = bits - 8 * len(octets) + address.padding_bits()
    if 8 * len(octets) > bits:
        raise ObjectError(section, f"An address prefix has {bits - host} bits, but the family has only {bits}.")
    # DER has zeros in the padding, so shifting the octets up leaves zeros in all host bits.
    first = int.from_bytes(octets, "big") << (bits - 8 * len(octets))
    return first, first | ((1 << host) - 1)


def format_ranges(ranges: Ranges, family: Literal[0, 4, 6]) -> list[str]:
    """Ranges in words: prefixes where they are prefixes, else `first-last`; family 0 is AS numbers."""
    return [_format_range(block, family) for block in ranges]


def _under(claim: Claim, issuer: Ranges, what: str, family: Literal[0, 4, 6]) -> Ranges:
    if claim is None:
        return ()
    if claim is INHERIT:
        return issuer
    outside = first_outside(issuer, claim)
    if outside is not None:
        raise ObjectError(
            "RFC 6487 section 7.2",
            f"The certificate claims {what} {_format_range(outside, family)}, which its issuer does not have.",
        )
    return claim


def _ip_ranges(blocks: list[BitString | ip_resources.IPAddressRange], bits: int) -> Ranges:
    section = "RFC 3779 section 2.2.3.6"
    _check_count(len(blocks))
    ranges: list[tuple[int, int]] = []
    for block in blocks:
        if isinstance(block, BitString):
            ranges.append(address_range(block, bits, "RFC 3779 section 2.2.3.8"))
            continue
        first = address_range(block.min, bits, "RFC 3779 section 2.2.3.9")[0]
        last = address_range(block.max, bits, "RFC 3779 section 2.2.3.9")[1]
        if first > last:
            raise ObjectError("RFC 3779 section 2.2.3.9", "An address range ends before it starts.")
        if _is_prefix(first, last):
            raise ObjectError("RFC 3779 section 2.2.3.7", "An address range could be written as a prefix, and must be.")
        ranges.append((first, last))
    if not ranges:
        raise ObjectError("RFC 3779 section 2.2.3.6", "An address family is listed without any address.")
    _check_canonical(ranges, section, "IP addresses")
    return tuple(ranges)


def _check_count(count: int) -> None:
    if count > MAX_RESOURCE_BLOCKS:
        raise LimitError(f"The certificate has {count} resource blocks; {MAX_RESOURCE_BLOCKS} are allowed.")


def _check_canonical(ranges: list[tuple[int, int]], section: str, what: str) -> None:
    end = -2
    for first, last in ranges:
        if first <= end + 1:
            raise ObjectError(
                section, f"The {what} are not in canonical form: ascending, neither touching nor overlapping."
            )
        end = last
    if not ranges:
        raise ObjectError(section, f"The list of {what} is empty.")


def _is_prefix(first: int, last: int) -> bool:
    size = last - first + 1
    return size & (size - 1) == 0 and first & (size - 1) == 0


def _format_range(block: tuple[int, int], family: Literal[0, 4, 6]) -> str:
    first, last = block
    if family == 0:
        return f"AS{first}" if first == last else f"AS{first}-AS{last}"
    low, high = _format_address(first, family), _format_address(last, family)
    if _is_prefix(first, last):
        return f"{low}/{(32 if family == 4 else 128) - (last - first + 1).bit_length() + 1}"
    return f"{low}-{high}"


def _format_address(address: int, family: Literal[4, 6]) -> str:
    if family == 4:
        return ".".join(str(octet) for octet in address.to_bytes(4, "big"))
    return str(ipaddress.IPv6Address(address))
