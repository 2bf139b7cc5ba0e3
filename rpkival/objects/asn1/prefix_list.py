"""draft-ietf-sidrops-rpki-prefixlist section 3."""

from __future__ import annotations

from typing import Annotated

from cryptography.hazmat.asn1 import BitString, Default, Explicit, sequence

__all__ = ["AddressFamilyPrefixes", "RpkiSignedPrefixList"]


@sequence
class AddressFamilyPrefixes:
    address_family: bytes
    address_prefixes: list[BitString]


@sequence
class RpkiSignedPrefixList:
    version: Annotated[int, Default(value=0), Explicit(0)]
    as_id: int
    prefix_blocks: list[AddressFamilyPrefixes]
