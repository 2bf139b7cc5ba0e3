"""RFC 5280 appendix A, as far as the RPKI's certificate and CRL profile (RFC 6487) uses it."""

from __future__ import annotations

from typing import Annotated

from cryptography.hazmat.asn1 import (
    TLV,
    BitString,
    Default,
    Explicit,
    GeneralizedTime,
    Implicit,
    SetOf,
    UTCTime,
    sequence,
)
from cryptography.x509 import ObjectIdentifier

__all__ = [
    "AccessDescription",
    "AccessDescriptions",
    "AttributeTypeAndValue",
    "AuthorityKeyIdentifier",
    "BasicConstraints",
    "Certificate",
    "CertificateList",
    "DistributionPoint",
    "DistributionPointName",
    "DistributionPoints",
    "Extension",
    "KeyPurposes",
    "Name",
    "PolicyInformation",
    "PolicyInformations",
    "PolicyQualifierInfo",
    "RevokedCertificate",
    "TBSCertList",
    "TBSCertificate",
    "Time",
    "Validity",
]

Time = UTCTime | GeneralizedTime


@sequence
class AttributeTypeAndValue:
    type: ObjectIdentifier
    value: TLV


@sequence
class Name:
    """`RDNSequence`, a SEQUENCE OF: decode it behind an extra SEQUENCE header."""

    rdns: list[SetOf[AttributeTypeAndValue]]


@sequence
class Validity:
    not_before: Time
    not_after: Time


@sequence
class Extension:
    extn_id: ObjectIdentifier
    critical: Annotated[bool, Default(value=False)]
    extn_value: bytes


@sequence
class TBSCertificate:
    version: Annotated[int, Default(value=0), Explicit(0)]
    serial_number: int
    signature: TLV
    issuer: TLV
    validity: Validity
    subject: TLV
    subject_public_key_info: TLV
    issuer_unique_id: Annotated[BitString | None, Implicit(1)] = None
    subject_unique_id: Annotated[BitString | None, Implicit(2)] = None
    extensions: Annotated[list[Extension] | None, Explicit(3)] = None


@sequence
class Certificate:
    tbs_certificate: TBSCertificate
    signature_algorithm: TLV
    signature: BitString


@sequence
class RevokedCertificate:
    user_certificate: int
    revocation_date: Time
    crl_entry_extensions: list[Extension] | None = None


@sequence
class TBSCertList:
    version: int | None = None
    signature: TLV
    issuer: TLV
    this_update: Time
    next_update: UTCTime | GeneralizedTime | None = None
    revoked_certificates: list[RevokedCertificate] | None = None
    crl_extensions: Annotated[list[Extension] | None, Explicit(0)] = None


@sequence
class CertificateList:
    tbs_cert_list: TBSCertList
    signature_algorithm: TLV
    signature: BitString


@sequence
class AuthorityKeyIdentifier:
    key_identifier: Annotated[bytes | None, Implicit(0)] = None
    authority_cert_issuer: Annotated[list[TLV] | None, Implicit(1)] = None
    authority_cert_serial_number: Annotated[int | None, Implicit(2)] = None


@sequence
class BasicConstraints:
    ca: Annotated[bool, Default(value=False)]
    path_len_constraint: int | None = None


@sequence
class AccessDescription:
    access_method: ObjectIdentifier
    access_location: TLV
    """GeneralName; a URI has tag [6]."""


@sequence
class AccessDescriptions:
    """`AuthorityInfoAccessSyntax` and `SubjectInfoAccessSyntax`: decode behind an extra SEQUENCE header."""

    descriptions: list[AccessDescription]


@sequence
class DistributionPointName:
    """The fullName alternative of the CHOICE, the only one that RFC 6487 section 4.8.6 admits."""

    full_name: Annotated[list[TLV], Implicit(0)]


@sequence
class DistributionPoint:
    distribution_point: Annotated[DistributionPointName | None, Implicit(0)] = None
    reasons: Annotated[BitString | None, Implicit(1)] = None
    crl_issuer: Annotated[list[TLV] | None, Implicit(2)] = None


@sequence
class DistributionPoints:
    """`CRLDistributionPoints`: decode behind an extra SEQUENCE header."""

    points: list[DistributionPoint]


@sequence
class PolicyQualifierInfo:
    policy_qualifier_id: ObjectIdentifier
    qualifier: TLV


@sequence
class PolicyInformation:
    policy_identifier: ObjectIdentifier
    policy_qualifiers: list[PolicyQualifierInfo] | None = None


@sequence
class PolicyInformations:
    """`certificatePolicies`: decode behind an extra SEQUENCE header."""

    policies: list[PolicyInformation]


@sequence
class KeyPurposes:
    """`ExtKeyUsageSyntax`: decode behind an extra SEQUENCE header."""

    purposes: list[ObjectIdentifier]
