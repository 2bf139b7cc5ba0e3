"""RFC 9691 section 2.2."""

from __future__ import annotations

from typing import Annotated

from cryptography.hazmat.asn1 import TLV, Default, Explicit, IA5String, sequence

__all__ = ["TAK", "TAKey"]


@sequence
class TAKey:
    comments: list[str]
    certificate_uris: list[IA5String]
    subject_public_key_info: TLV


@sequence
class TAK:
    version: Annotated[int, Default(value=0), Explicit(0)]
    current: TAKey
    predecessor: Annotated[TAKey | None, Explicit(0)] = None
    successor: Annotated[TAKey | None, Explicit(1)] = None
