"""Signed prefix lists (draft-ietf-sidrops-rpki-prefixlist): all prefixes that an AS may originate, by its own word."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from rpkival.errors import LimitError, ObjectError
from rpkival.limits import MAX_ASN, MAX_PREFIX_LIST_BYTES, MAX_PREFIX_LIST_PREFIXES
from rpkival.objects import oids
from rpkival.objects.asn1 import prefix_list as asn1
from rpkival.objects.asn1.der import decode
from rpkival.objects.bounds import check_size, shown, shown_octets
from rpkival.objects.certificate import Certificate
from rpkival.objects.cms import parse_signed_object
from rpkival.objects.resources import address_range, first_outside
from rpkival.objects.signatures import CheckSignature, check_signature

__all__ = ["PrefixList", "PrefixListContent", "parse_prefix_list", "parse_prefix_list_content"]

_DRAFT: Final = "draft-ietf-sidrops-rpki-prefixlist section"
_BITS: Final = {b"\x00\x01": 32, b"\x00\x02": 128}

Prefix = tuple[int, int]
"""Address as an integer, and length in bits."""


@dataclass(frozen=True, slots=True)
class PrefixListContent:
    """The eContent; prefixes ascending and unique."""

    asn: int
    ipv4: tuple[Prefix, ...]
    ipv6: tuple[Prefix, ...]


@dataclass(frozen=True, slots=True)
class PrefixList:
    """One signed prefix list with the certificate that signed it."""

    certificate: Certificate
    signing_time: int | None
    content: PrefixListContent


def parse_prefix_list(
    data: bytes,
    *,
    require_signing_time: bool = True,
    check: CheckSignature = check_signature,
    strict: bool = False,
) -> PrefixList:
    """A signed prefix list, judged as far as it can be alone. Raises `ObjectError`, `LimitError`."""
    check_size(data, MAX_PREFIX_LIST_BYTES, "signed prefix list")
    signed = parse_signed_object(
        data, oids.PREFIX_LIST, require_signing_time=require_signing_time, check=check, strict=strict
    )
    content = parse_prefix_list_content(signed.content)
    resources = signed.certificate.resources
    section = f"{_DRAFT} 5"
    if resources.ipv4 is not None or resources.ipv6 is not None:
        raise ObjectError(section, "The prefix list's certificate has IP addresses.")
    if not isinstance(resources.asn, tuple):
        raise ObjectError(section, "The prefix list's certificate inherits its AS numbers.")
    if first_outside(resources.asn, ((content.asn, content.asn),)) is not None:
        raise ObjectError(section, f"The prefix list's AS{content.asn} is not in its certificate.")
    return PrefixList(signed.certificate, signed.signing_time, content)


def parse_prefix_list_content(data: bytes) -> PrefixListContent:
    """The eContent of a signed prefix list. Raises `ObjectError`, `LimitError`."""
    decoded = decode(asn1.RpkiSignedPrefixList, data, f"{_DRAFT} 3", "prefix list's content")
    if decoded.version != 0:
        raise ObjectError(f"{_DRAFT} 3.1", f"The prefix list has version {shown(decoded.version)}; only 0 exists.")
    if not 0 <= decoded.as_id <= MAX_ASN:
        raise ObjectError(f"{_DRAFT} 3.2", f"{shown(decoded.as_id)} is not an AS number.")
    section = f"{_DRAFT} 3.3"
    blocks: dict[bytes, tuple[Prefix, ...]] = {}
    for block in decoded.prefix_blocks:
        family = block.address_family
        if family not in _BITS:
            raise ObjectError(section, f"The prefix list has the address family {shown_octets(family)}.")
        if blocks and family <= max(blocks):
            raise ObjectError(section, "The prefix list's address families are not in ascending order, each once.")
        blocks[family] = _prefixes(block, _BITS[family], section)
    return PrefixListContent(decoded.as_id, *(blocks.get(family, ()) for family in _BITS))


def _prefixes(block: asn1.AddressFamilyPrefixes, bits: int, section: str) -> tuple[Prefix, ...]:
    if not block.address_prefixes:
        raise ObjectError(section, "The prefix list has an address family without any prefix.")
    if len(block.address_prefixes) > MAX_PREFIX_LIST_PREFIXES:
        raise LimitError(
            f"The prefix list has {len(block.address_prefixes)} prefixes; {MAX_PREFIX_LIST_PREFIXES} are allowed."
        )
    prefixes = []
    for address in block.address_prefixes:
        first, last = address_range(address, bits, section)
        prefixes.append((first, bits - (last - first).bit_length()))
    if any(one >= following for one, following in pairwise(prefixes)):
        raise ObjectError(section, "The prefix list's prefixes are not in ascending order, each once.")
    return tuple(prefixes)
