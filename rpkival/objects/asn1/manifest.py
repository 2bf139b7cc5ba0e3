"""RFC 9286 section 4.2."""

from __future__ import annotations

from typing import Annotated

from cryptography.hazmat.asn1 import BitString, Default, Explicit, GeneralizedTime, IA5String, sequence
from cryptography.x509 import ObjectIdentifier

__all__ = ["FileAndHash", "Manifest"]


@sequence
class FileAndHash:
    file: IA5String
    hash: BitString


@sequence
class Manifest:
    version: Annotated[int, Default(value=0), Explicit(0)]
    manifest_number: int
    this_update: GeneralizedTime
    next_update: GeneralizedTime
    file_hash_alg: ObjectIdentifier
    file_list: list[FileAndHash]
