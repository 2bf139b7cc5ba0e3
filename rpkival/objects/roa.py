"""Route origin authorizations (RFC 9582): which AS may originate which prefixes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rpkival.errors import LimitError, ObjectError
from rpkival.limits import MAX_ASN, MAX_ROA_BYTES, MAX_ROA_PREFIXES
from rpkival.objects import oids
from rpkival.objects.asn1 import roa as asn1
from rpkival.objects.asn1.der import decode
from rpkival.objects.bounds import check_size, shown, shown_octets
from rpkival.objects.certificate import Certificate
from rpkival.objects.cms import parse_signed_object
from rpkival.objects.resources import Claim, ResourceClaims, Resources, address_range, first_outside, format_ranges
from rpkival.objects.signatures import CheckSignature, check_signature

__all__ = ["Roa", "RoaContent", "RoaPrefix", "check_roa_within", "parse_roa", "parse_roa_content"]

RoaPrefix = tuple[int, int, int]
"""Address as an integer, prefix length and maxLength in bits."""

_IPV4: Final = b"\x00\x01"
_IPV6: Final = b"\x00\x02"
_BITS: Final = {_IPV4: 32, _IPV6: 128}
_MAPPED: Final = 0xFFFF
"""The first 96 bits of the IPv6 addresses that stand for IPv4 addresses (RFC 4291 section 2.5.5.2)."""


@dataclass(frozen=True, slots=True)
class RoaContent:
    """The eContent. Each prefix is there once, in the ROA's order."""

    asn: int
    ipv4: tuple[RoaPrefix, ...]
    ipv6: tuple[RoaPrefix, ...]


@dataclass(frozen=True, slots=True)
class Roa:
    """One ROA with the certificate that signed it."""

    certificate: Certificate
    signing_time: int | None
    content: RoaContent


def parse_roa(
    data: bytes,
    *,
    require_signing_time: bool = True,
    check: CheckSignature = check_signature,
    strict: bool = False,
) -> Roa:
    """A ROA, judged as far as it can be alone. Raises `ObjectError`, `LimitError`."""
    check_size(data, MAX_ROA_BYTES, "ROA")
    signed = parse_signed_object(
        data, oids.ROUTE_ORIGIN_AUTHZ, require_signing_time=require_signing_time, check=check, strict=strict
    )
    content = parse_roa_content(signed.content)
    resources = signed.certificate.resources
    section = "RFC 9582 section 5"
    if resources.inherits:
        raise ObjectError(section, "The ROA's certificate inherits resources.")
    check_roa_within(content, resources)
    if resources.asn is not None:
        raise ObjectError(section, "The ROA's certificate has AS numbers.")
    return Roa(signed.certificate, signed.signing_time, content)


def check_roa_within(content: RoaContent, resources: ResourceClaims | Resources) -> None:
    """Raise `ObjectError` unless all prefixes are in the resources."""
    _check_within(content.ipv4, resources.ipv4, 32)
    _check_within(content.ipv6, resources.ipv6, 128)


def parse_roa_content(data: bytes) -> RoaContent:
    """The eContent of a ROA. Raises `ObjectError`, `LimitError`."""
    decoded = decode(asn1.RouteOriginAttestation, data, "RFC 9582 section 4", "ROA's content")
    if decoded.version != 0:
        raise ObjectError("RFC 9582 section 4.1", f"The ROA has version {shown(decoded.version)}; only 0 exists.")
    if not 0 <= decoded.as_id <= MAX_ASN:
        raise ObjectError(
            "RFC 9582 section 4.2", f"AS numbers end at {MAX_ASN}, but the ROA has {shown(decoded.as_id)}."
        )
    blocks: dict[bytes, tuple[RoaPrefix, ...]] = {}
    for block in decoded.ip_addr_blocks:
        family = block.address_family
        bits = _BITS.get(family)
        if bits is None:
            raise ObjectError("RFC 9582 section 4.3.1", f"The ROA has the address family {shown_octets(family)}.")
        if family in blocks:
            raise ObjectError("RFC 9582 section 4.3.1", "The ROA has an address family twice.")
        blocks[family] = _prefixes(block.addresses, bits)
    if not blocks:
        raise ObjectError("RFC 9582 section 4.3", "The ROA has no address family.")
    return RoaContent(decoded.as_id, blocks.get(_IPV4, ()), blocks.get(_IPV6, ()))


def _prefixes(addresses: list[asn1.ROAIPAddress], bits: int) -> tuple[RoaPrefix, ...]:
    if not addresses:
        raise ObjectError("RFC 9582 section 4.3.1", "The ROA has an address family without any prefix.")
    if len(addresses) > MAX_ROA_PREFIXES:
        raise LimitError(f"The ROA has {len(addresses)} prefixes; {MAX_ROA_PREFIXES} are allowed.")
    prefixes = []
    for entry in addresses:
        first, last = address_range(entry.address, bits, "RFC 9582 section 4.3.2.1")
        length = bits - (last - first).bit_length()
        max_length = length if entry.max_length is None else entry.max_length
        if not length <= max_length <= bits:
            raise ObjectError(
                "RFC 9582 section 4.3.2.2", f"The ROA has maxLength {shown(max_length)} for a prefix of {length} bits."
            )
        if bits == 128 and first >> 32 == _MAPPED and length >= 96:
            raise ObjectError("RFC 9582 section 4.3.1", "The ROA has an IPv4 prefix in the form of an IPv6 one.")
        prefixes.append((first, length, max_length))
    # What a ROA says a hundred thousand times over is said once, and must not fill what others have to share.
    return tuple(dict.fromkeys(prefixes))


def _check_within(prefixes: tuple[RoaPrefix, ...], claim: Claim, bits: int) -> None:
    if not prefixes:
        return
    ranges = [(first, first | ((1 << (bits - length)) - 1)) for first, length, _ in prefixes]
    outside = first_outside(claim if isinstance(claim, tuple) else (), tuple(ranges))
    if outside is not None:
        text = format_ranges((outside,), 4 if bits == 32 else 6)[0]
        raise ObjectError("RFC 9582 section 5", f"The ROA has {text}, which its certificate does not have.")
