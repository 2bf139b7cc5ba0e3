"""RFC 5652 as RFC 6488 section 2.1 narrows it for signed objects of the RPKI."""

from __future__ import annotations

from typing import Annotated

from cryptography.hazmat.asn1 import TLV, Explicit, Implicit, SetOf, sequence
from cryptography.x509 import ObjectIdentifier

__all__ = ["Attribute", "ContentInfo", "EncapsulatedContentInfo", "SignedAttributes", "SignedData", "SignerInfo"]


@sequence
class EncapsulatedContentInfo:
    e_content_type: ObjectIdentifier
    e_content: Annotated[bytes | None, Explicit(0)] = None


@sequence
class Attribute:
    attr_type: ObjectIdentifier
    attr_values: SetOf[TLV]


@sequence
class SignedAttributes:
    """A SET OF: decode it behind an extra SEQUENCE header."""

    attributes: SetOf[Attribute]


@sequence
class SignerInfo:
    version: int
    sid: TLV
    digest_algorithm: TLV
    signed_attrs: TLV
    """[0] IMPLICIT SET OF Attribute; kept as bytes, because it is signed under the tag of a SET (section 5.4)."""
    signature_algorithm: TLV
    signature: bytes
    unsigned_attrs: Annotated[SetOf[Attribute] | None, Implicit(1)] = None


@sequence
class SignedData:
    version: int
    digest_algorithms: SetOf[TLV]
    encap_content_info: EncapsulatedContentInfo
    certificates: Annotated[SetOf[TLV] | None, Implicit(0)] = None
    crls: Annotated[SetOf[TLV] | None, Implicit(1)] = None
    signer_infos: SetOf[SignerInfo]


@sequence
class ContentInfo:
    content_type: ObjectIdentifier
    content: Annotated[SignedData, Explicit(0)]
