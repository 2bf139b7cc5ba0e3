"""RFC 3779 sections 2.2.3 and 3.2.3."""

from __future__ import annotations

from typing import Annotated

from cryptography.hazmat.asn1 import BitString, Explicit, Null, sequence

__all__ = ["AS_INHERIT", "ASIdentifiers", "ASRange", "IPAddrBlocks", "IPAddressFamily", "IPAddressRange"]


@sequence
class IPAddressRange:
    min: BitString
    max: BitString


@sequence
class IPAddressFamily:
    """`IPAddressChoice` is a CHOICE of NULL and SEQUENCE OF: two optional fields here, of which one must be there."""

    address_family: bytes
    inherit: Null | None = None
    addresses_or_ranges: list[BitString | IPAddressRange] | None = None


@sequence
class IPAddrBlocks:
    """A SEQUENCE OF: decode it behind an extra SEQUENCE header."""

    families: list[IPAddressFamily]


@sequence
class ASRange:
    min: int
    max: int


@sequence
class ASIdentifiers:
    """With explicit AS numbers; `rdi` MUST NOT be there (RFC 6487 section 4.8.11) and is not declared."""

    asnum: Annotated[list[int | ASRange], Explicit(0)]


AS_INHERIT = bytes.fromhex("3004a0020500")
"""The whole DER of ASIdentifiers where `asnum` is the NULL of inherit."""
