"""The CMS wrapper of all signed objects (RFC 6488, RFC 9589)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import Final, TypeVar

from cryptography.hazmat.asn1 import TLV, GeneralizedTime, UTCTime
from cryptography.x509 import ObjectIdentifier

from rpkival.errors import ObjectError
from rpkival.limits import MAX_OBJECT_BYTES
from rpkival.objects import oids
from rpkival.objects.asn1 import cms
from rpkival.objects.asn1.ber import ber_to_der
from rpkival.objects.asn1.der import decode, encode, header, tlv_bytes
from rpkival.objects.bounds import check_size, shown
from rpkival.objects.certificate import Certificate, Role, parse_certificate
from rpkival.objects.keys import load_key
from rpkival.objects.signatures import CheckSignature, check_signature
from rpkival.objects.times import seconds

__all__ = ["SignedObject", "check_digest_algorithm", "parse_signed_object", "unwrapped"]

T = TypeVar("T")

_SECTION = "RFC 6488 section 2.1"
_VERSION_3: Final = 3
_SHA256: Final = (bytes.fromhex("0609608648016503040201"), bytes.fromhex("06096086480165030402010500"))
"""Content of an AlgorithmIdentifier of SHA-256, without (RFC 5754 section 2) and with NULL parameters."""
_RSA: Final = (
    bytes.fromhex("06092a864886f70d0101010500"),
    bytes.fromhex("06092a864886f70d01010b0500"),
    bytes.fromhex("06092a864886f70d01010b"),
)
"""Content of the AlgorithmIdentifiers rsaEncryption and sha256WithRSAEncryption (RFC 7935 section 2).

Of the latter, RFC 4055 section 5 wants NULL parameters written and missing ones accepted.
"""
_BAD_SIGNATURE: Final = ("RFC 6488 section 3", "The object's signature does not verify with its certificate's key.")
_SUBJECT_KEY_ID_TAG: Final = b"\x80"
_SIGNED_ATTRS_TAG: Final = b"\xa0"
_SET_TAG: Final = 0x31
_OCTET_STRING_TAG: Final = b"\x04"
_UTC_TIME_TAG: Final = b"\x17"
_ATTRIBUTES: Final = {oids.CONTENT_TYPE, oids.MESSAGE_DIGEST, oids.SIGNING_TIME}

# DER has one encoding of a value: signed attributes that are a content-type, a signing-time in UTCTime and a
# message-digest, in this order, differ from each other only in the three values. Nearly all are so.
_TIME_SECTION: Final = "RFC 6488 section 2.1.6.4.3"
_USUAL_OID_SIZE: Final = 13
_USUAL_SIZE: Final = 109
_USUAL_MIDDLE: Final = bytes.fromhex("302f 06092a864886f70d010904 3122 0420")
_DIGEST_AT: Final = 32 + len(_USUAL_MIDDLE)
_TIME_AT: Final = _DIGEST_AT + 15
"""Offsets from the end of the SET."""


@dataclass(frozen=True, slots=True)
class SignedObject:
    """What the wrapper holds; the CMS signature by `certificate` has been verified.

    `signing_time` is unix seconds, None only where its absence was admitted.
    """

    content: bytes
    certificate: Certificate
    signing_time: int | None


def parse_signed_object(
    data: bytes,
    content_type: ObjectIdentifier,
    *,
    require_signing_time: bool = True,
    check: CheckSignature = check_signature,
    strict: bool = False,
    role: Role = Role.END_ENTITY,
) -> SignedObject:
    """A signed object of this type, judged as far as it can be alone. Raises `ObjectError`, `LimitError`.

    Signing times are mandatory since RFC 9589 of 2024; to judge what was made before, `require_signing_time=False`.
    With another `check` the signature is checked when that says so. Only if not `strict` may the wrapper be BER.
    """
    check_size(data, MAX_OBJECT_BYTES, "object")
    wrapper, is_der = unwrapped(data, strict=strict)
    if wrapper.content_type != oids.SIGNED_DATA:
        raise ObjectError("RFC 6488 section 2", "The CMS content type is not signed data.")
    signed = wrapper.content
    if signed.version != _VERSION_3:
        raise ObjectError(
            "RFC 6488 section 2.1.1", f"The signed data has version {shown(signed.version)} instead of 3."
        )
    check_digest_algorithm(
        _only(signed.digest_algorithms.as_list(), "digest algorithm", "2.1.2"), "RFC 6488 section 2.1.2"
    )
    content = _content(signed.encap_content_info, content_type)
    certificates = signed.certificates.as_list() if signed.certificates is not None else []
    certificate_data = tlv_bytes(_only(certificates, "certificate", "2.1.4"))
    if signed.crls is not None:
        raise ObjectError("RFC 6488 section 2.1.5", "The signed object carries a CRL.")
    certificate = parse_certificate(certificate_data, role)
    signer = _only(signed.signer_infos.as_list(), "signer", "2.1.6")
    _check_signer(signer, certificate)
    signed_attributes = tlv_bytes(signer.signed_attrs, _SET_TAG)
    if not is_der:
        # RFC 5652 section 5.4: the signature is over the DER encoding of the SET, whatever is in the object.
        signed_attributes = ber_to_der(signed_attributes)
    signing_time = _check_attributes(signed_attributes, content_type, content)
    if signing_time is None and require_signing_time:
        raise ObjectError("RFC 9589", "The signed attributes have no signing-time.")
    check(load_key(certificate.key_info), signer.signature, signed_attributes, _BAD_SIGNATURE)
    return SignedObject(content, certificate, signing_time)


def unwrapped(data: bytes, *, strict: bool) -> tuple[cms.ContentInfo, bool]:
    """The wrapper, and whether it was DER. Raises `ObjectError`, also for BER if `strict`, and `LimitError`."""
    try:
        return decode(cms.ContentInfo, data, _SECTION, "signed object"), True
    except ObjectError as error:
        if strict:
            raise
        try:
            der = ber_to_der(data)
        except ObjectError:
            raise error from None
        if der == data:
            raise
        return decode(cms.ContentInfo, der, _SECTION, "signed object"), False


def _content(encapsulated: cms.EncapsulatedContentInfo, content_type: ObjectIdentifier) -> bytes:
    if encapsulated.e_content_type != content_type:
        raise ObjectError(
            "RFC 6488 section 2.1.3.1",
            f"The content is of type {oids.name(encapsulated.e_content_type)}, not {oids.name(content_type)}.",
        )
    if encapsulated.e_content is None:
        raise ObjectError("RFC 6488 section 2.1.3.2", "The signed object has no content.")
    return encapsulated.e_content


def _check_signer(signer: cms.SignerInfo, certificate: Certificate) -> None:
    if signer.version != _VERSION_3:
        raise ObjectError(
            "RFC 6488 section 2.1.6.1", f"The signer info has version {shown(signer.version)} instead of 3."
        )
    if signer.sid.tag_bytes != _SUBJECT_KEY_ID_TAG or signer.sid.data != certificate.subject_key_id:
        raise ObjectError("RFC 6488 section 2.1.6.2", "The signer is not named by its certificate's key identifier.")
    check_digest_algorithm(signer.digest_algorithm, "RFC 6488 section 2.1.6.3")
    if signer.signed_attrs.tag_bytes != _SIGNED_ATTRS_TAG:
        raise ObjectError("RFC 6488 section 2.1.6.4", "The signer info has no signed attributes.")
    if signer.signature_algorithm.tag_bytes != b"0" or signer.signature_algorithm.data not in _RSA:
        raise ObjectError("RFC 6488 section 2.1.6.5", "The signature algorithm is not RSA with SHA-256.")
    if signer.unsigned_attrs is not None:
        raise ObjectError("RFC 6488 section 2.1.6.7", "The signer info has unsigned attributes.")


def _check_attributes(signed_attributes: bytes, content_type: ObjectIdentifier, content: bytes) -> int | None:
    """Judge the signed attributes, given as DER of a SET; returns the signing time where there is one."""
    if (
        len(signed_attributes) == _USUAL_SIZE
        and signed_attributes.startswith(_usual_start(content_type))
        and signed_attributes[-_DIGEST_AT:-32] == _USUAL_MIDDLE
        and signed_attributes[-32:] == hashlib.sha256(content).digest()
    ):
        time = decode(UTCTime, signed_attributes[-_TIME_AT:-_DIGEST_AT], _TIME_SECTION, "signing-time")
        return seconds(time, _TIME_SECTION, "signing-time")
    return _check_other_attributes(signed_attributes, content_type, content)


def _check_other_attributes(signed_attributes: bytes, content_type: ObjectIdentifier, content: bytes) -> int | None:
    """`_check_attributes` for any form that they can have."""
    section = "RFC 6488 section 2.1.6.4"
    decoded = decode(
        cms.SignedAttributes,
        header(0x30, len(signed_attributes)) + signed_attributes,
        section,
        "signed attributes",
    )
    values: dict[ObjectIdentifier, TLV] = {}
    for attribute in decoded.attributes.as_list():
        kind = attribute.attr_type
        if kind in values:
            raise ObjectError(section, f"The signed attribute {oids.name(kind)} appears twice.")
        if kind == oids.BINARY_SIGNING_TIME:
            raise ObjectError("RFC 9589", "The signed attributes have a binary-signing-time.")
        if kind not in _ATTRIBUTES:
            raise ObjectError(section, f"The signed attribute {oids.name(kind)} is not allowed.")
        values[kind] = _only(
            attribute.attr_values.as_list(), f"value of the signed attribute {oids.name(kind)}", "2.1.6.4"
        )
    if oids.CONTENT_TYPE not in values or oids.MESSAGE_DIGEST not in values:
        raise ObjectError(section, "The signed attributes lack content-type or message-digest.")
    if tlv_bytes(values[oids.CONTENT_TYPE]) != _encoded(content_type):
        raise ObjectError(f"{section}.1", "The signed content-type is not the type of the content.")
    digest = values[oids.MESSAGE_DIGEST]
    if digest.tag_bytes != _OCTET_STRING_TAG or digest.data != hashlib.sha256(content).digest():
        raise ObjectError(f"{section}.2", "The message-digest is not the SHA-256 of the content.")
    time = values.get(oids.SIGNING_TIME)
    return None if time is None else _signing_time(time)


def _signing_time(value: TLV) -> int:
    kind: type[UTCTime | GeneralizedTime] = UTCTime if value.tag_bytes == _UTC_TIME_TAG else GeneralizedTime
    return seconds(decode(kind, tlv_bytes(value), _TIME_SECTION, "signing-time"), _TIME_SECTION, "signing-time")


@cache
def _usual_start(content_type: ObjectIdentifier) -> bytes:
    """DER of the usual signed attributes up to the characters of the signing time."""
    value = encode(content_type)
    if len(value) != _USUAL_OID_SIZE:
        return b"another form"
    return (
        bytes.fromhex("316b 301a 06092a864886f70d010903 310d")
        + value
        + bytes.fromhex("301c 06092a864886f70d010905 310f 170d")
    )


@cache
def _encoded(oid: ObjectIdentifier) -> bytes:
    return encode(oid)


def check_digest_algorithm(algorithm: TLV, section: str) -> None:
    """Raise `ObjectError` unless this AlgorithmIdentifier is SHA-256."""
    if algorithm.tag_bytes != b"0" or algorithm.data not in _SHA256:
        raise ObjectError(section, "The digest algorithm is not SHA-256.")


def _only(values: list[T], what: str, subsection: str) -> T:
    if len(values) != 1:
        raise ObjectError(f"RFC 6488 section {subsection}", f"There is not exactly one {what}, but {len(values)}.")
    return values[0]
