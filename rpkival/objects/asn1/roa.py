"""RFC 9582 section 4."""

from __future__ import annotations

from typing import Annotated

from cryptography.hazmat.asn1 import BitString, Default, Explicit, sequence

__all__ = ["ROAIPAddress", "ROAIPAddressFamily", "RouteOriginAttestation"]


@sequence
class ROAIPAddress:
    address: BitString
    max_length: int | None = None


@sequence
class ROAIPAddressFamily:
    address_family: bytes
    addresses: list[ROAIPAddress]


@sequence
class RouteOriginAttestation:
    version: Annotated[int, Default(value=0), Explicit(0)]
    as_id: int
    ip_addr_blocks: list[ROAIPAddressFamily]
