"""The CMS wrapper of a signed object: what is in it, judged but for digest and signature (RFC 6488 section 2.1).

DER has one encoding of a value, so wrappers that follow the profile word for word differ from each other only in sizes
and in the five things they hold. Nearly all do, and are read where these things must be; one that differs anywhere, be
it right or wrong, is decoded by its declaration.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Final, NamedTuple, TypeVar

from cryptography.hazmat.asn1 import TLV
from cryptography.x509 import ObjectIdentifier

from rpkival.errors import ObjectError
from rpkival.objects import oids
from rpkival.objects.asn1 import cms
from rpkival.objects.asn1.ber import ber_to_der
from rpkival.objects.asn1.der import content_at, decode, encode, header, tlv_bytes
from rpkival.objects.bounds import shown

__all__ = ["Wrapper", "check_digest_algorithm", "declared_wrapper", "unwrapped", "usual_wrapper", "wrapper_of"]

T = TypeVar("T")

_SECTION: Final = "RFC 6488 section 2.1"
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
_SEQUENCE: Final = 0x30
_SET: Final = 0x31
_OCTET_STRING: Final = 0x04
_CONTEXT_0: Final = 0xA0
_SUBJECT_KEY_ID_TAG: Final = b"\x80"
_SIGNED_ATTRS_TAG: Final = b"\xa0"

_ALGORITHM_AT: Final = 26
"""Where the usual wrapper has its digest algorithms."""
_SIGNER_ID_AT: Final = 13
_DIGEST_ALGORITHM_AT: Final = _SIGNER_ID_AT + 20
"""Where the usual signer infos have these."""
_ATTRIBUTES_START: Final = bytes.fromhex("a06b")
_ATTRIBUTES_SIZE: Final = 109
_SIGNATURE_START: Final = bytes.fromhex("04820100")
_SIGNATURE_SIZE: Final = 256


class Wrapper(NamedTuple):
    """What a wrapper holds."""

    content: bytes
    certificate: bytes
    """Its DER."""
    signer: bytes
    """The subject key identifier that names the certificate."""
    signed_attributes: bytes
    """DER of the SET, which the signature is over."""
    signature: bytes


def wrapper_of(data: bytes, content_type: ObjectIdentifier, *, strict: bool) -> Wrapper:
    """The wrapper of a signed object of this type. Raises `ObjectError`, also for BER if `strict`, and `LimitError`."""
    return usual_wrapper(data, content_type) or declared_wrapper(data, content_type, strict=strict)


def usual_wrapper(data: bytes, content_type: ObjectIdentifier) -> Wrapper | None:
    """The same if it has the usual form."""
    if not data.startswith(_usual_starts(len(data))):
        return None
    kind = _encoded(content_type)
    try:
        kind_at, encapsulated_end = content_at(data, _end_at(data, _ALGORITHM_AT), _SEQUENCE)
        octets_at, explicit_end = content_at(data, kind_at + len(kind), _CONTEXT_0)
        content, content_end = content_at(data, octets_at, _OCTET_STRING)
        certificate, certificates_end = content_at(data, encapsulated_end, _CONTEXT_0)
        _, certificate_end = content_at(data, certificate, _SEQUENCE)
        signer = _usual_signer(data[certificates_end:])
    except (IndexError, KeyError):
        return None
    if (
        signer is None
        or not data.startswith(kind, kind_at)
        or not content_end == explicit_end == encapsulated_end
        or certificate_end != certificates_end
    ):
        return None
    return Wrapper(data[content:content_end], data[certificate:certificate_end], *signer)


def _usual_signer(data: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Signer, signed attributes and signature of the only SignerInfo, which is the end of the wrapper."""
    if not data.startswith(_usual_signer_starts(len(data))):
        return None
    attributes = _end_at(data, _DIGEST_ALGORITHM_AT)
    signature_algorithm = attributes + _ATTRIBUTES_SIZE
    signature = _end_at(data, signature_algorithm)
    start_of_bits = signature + len(_SIGNATURE_START)
    if (
        data[_DIGEST_ALGORITHM_AT:attributes] not in _SHA256_ALGORITHMS
        or not data.startswith(_ATTRIBUTES_START, attributes)
        or data[signature_algorithm:signature] not in _RSA_ALGORITHMS
        or not data.startswith(_SIGNATURE_START, signature)
        or len(data) != start_of_bits + _SIGNATURE_SIZE
    ):
        return None
    # RFC 5652 section 5.4: the signature is over the attributes under the tag of a SET.
    signed = b"\x31" + data[attributes + 1 : signature_algorithm]
    return data[_SIGNER_ID_AT:_DIGEST_ALGORITHM_AT], signed, data[start_of_bits:]


def _end_at(data: bytes, at: int) -> int:
    """Where a short element ends."""
    return at + 2 + data[at + 1]


@lru_cache(maxsize=1024)
def _usual_starts(size: int) -> tuple[bytes, ...]:
    """How wrappers of so many octets start, down to the digest algorithms; () where none has this size."""
    signed_data = encode(oids.SIGNED_DATA)
    inside = size - 4 - len(signed_data) - 8
    if not 0x100 <= inside <= size <= 0xFFFF:
        return ()
    start = header(_SEQUENCE, size - 4) + signed_data + header(_CONTEXT_0, inside + 4) + header(_SEQUENCE, inside)
    return tuple(start + b"\x02\x01\x03" + _element(_SET, each) for each in _SHA256_ALGORITHMS)


@lru_cache(maxsize=64)
def _usual_signer_starts(size: int) -> tuple[bytes, ...]:
    """The same of signer infos, down to the key identifier; there are few sizes that they can have."""
    if not 0x108 <= size <= 0x200:
        return ()
    return (header(_SET, size - 4) + header(_SEQUENCE, size - 8) + b"\x02\x01\x03\x80\x14",)


def _element(tag: int, content: bytes) -> bytes:
    return header(tag, len(content)) + content


_SHA256_ALGORITHMS: Final = tuple(_element(_SEQUENCE, each) for each in _SHA256)
_RSA_ALGORITHMS: Final = tuple(_element(_SEQUENCE, each) for each in _RSA)


@cache
def _encoded(oid: ObjectIdentifier) -> bytes:
    return encode(oid)


def declared_wrapper(data: bytes, content_type: ObjectIdentifier, *, strict: bool) -> Wrapper:
    """`wrapper_of` for any form that it can have."""
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
    certificate = tlv_bytes(_only(certificates, "certificate", "2.1.4"))
    if signed.crls is not None:
        raise ObjectError("RFC 6488 section 2.1.5", "The signed object carries a CRL.")
    signer = _only(signed.signer_infos.as_list(), "signer", "2.1.6")
    _check_signer(signer)
    # RFC 5652 section 5.4: the signature is over the DER encoding of the SET, whatever is in the object.
    attributes = tlv_bytes(signer.signed_attrs, _SET)
    return Wrapper(
        content,
        certificate,
        bytes(signer.sid.data),
        attributes if is_der else ber_to_der(attributes),
        signer.signature,
    )


def unwrapped(data: bytes, *, strict: bool) -> tuple[cms.ContentInfo, bool]:
    """The wrapper as declared, and whether it was DER.

    Raises `ObjectError`, also for BER if `strict`, and `LimitError`.
    """
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


def _check_signer(signer: cms.SignerInfo) -> None:
    if signer.version != _VERSION_3:
        raise ObjectError(
            "RFC 6488 section 2.1.6.1", f"The signer info has version {shown(signer.version)} instead of 3."
        )
    if signer.sid.tag_bytes != _SUBJECT_KEY_ID_TAG:
        raise ObjectError("RFC 6488 section 2.1.6.2", "The signer is not named by a key identifier.")
    check_digest_algorithm(signer.digest_algorithm, "RFC 6488 section 2.1.6.3")
    if signer.signed_attrs.tag_bytes != _SIGNED_ATTRS_TAG:
        raise ObjectError("RFC 6488 section 2.1.6.4", "The signer info has no signed attributes.")
    if signer.signature_algorithm.tag_bytes != b"0" or signer.signature_algorithm.data not in _RSA:
        raise ObjectError("RFC 6488 section 2.1.6.5", "The signature algorithm is not RSA with SHA-256.")
    if signer.unsigned_attrs is not None:
        raise ObjectError("RFC 6488 section 2.1.6.7", "The signer info has unsigned attributes.")


def check_digest_algorithm(algorithm: TLV, section: str) -> None:
    """Raise `ObjectError` unless this AlgorithmIdentifier is SHA-256."""
    if algorithm.tag_bytes != b"0" or algorithm.data not in _SHA256:
        raise ObjectError(section, "The digest algorithm is not SHA-256.")


def _only(values: list[T], what: str, subsection: str) -> T:
    if len(values) != 1:
        raise ObjectError(f"RFC 6488 section {subsection}", f"There is not exactly one {what}, but {len(values)}.")
    return values[0]
