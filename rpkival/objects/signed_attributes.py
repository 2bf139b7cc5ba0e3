"""The signed attributes of a signed object (RFC 6488 section 2.1.6.4, RFC 9589)."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Final

from cryptography.hazmat.asn1 import TLV, GeneralizedTime, UTCTime
from cryptography.x509 import ObjectIdentifier

from rpkival.errors import ObjectError
from rpkival.objects import oids
from rpkival.objects.asn1 import cms
from rpkival.objects.asn1.der import decode, encode, header, tlv_bytes
from rpkival.objects.times import seconds, utc_seconds

__all__ = ["check_attributes"]

_SECTION: Final = "RFC 6488 section 2.1.6.4"
_TIME_SECTION: Final = f"{_SECTION}.3"
_OCTET_STRING_TAG: Final = b"\x04"
_UTC_TIME_TAG: Final = b"\x17"
_ATTRIBUTES: Final = {oids.CONTENT_TYPE, oids.MESSAGE_DIGEST, oids.SIGNING_TIME}

# DER has one encoding of a value: signed attributes that are a content-type, a signing-time in UTCTime and a
# message-digest, in this order, differ from each other only in the three values. Nearly all are so.
_USUAL_OID_SIZE: Final = 13
_USUAL_SIZE: Final = 109
_USUAL_MIDDLE: Final = bytes.fromhex("302f 06092a864886f70d010904 3122 0420")
_DIGEST_AT: Final = 32 + len(_USUAL_MIDDLE)
_TIME_AT: Final = _DIGEST_AT + 15
"""Offsets from the end of the SET."""


def check_attributes(signed_attributes: bytes, content_type: ObjectIdentifier, content: bytes) -> int | None:
    """Judge the signed attributes, given as DER of a SET, beside the content.

    Returns the signing time in unix seconds, None where there is none. Raises `ObjectError`.
    """
    if (
        len(signed_attributes) == _USUAL_SIZE
        and signed_attributes.startswith(_usual_start(content_type))
        and signed_attributes[-_DIGEST_AT:-32] == _USUAL_MIDDLE
        and signed_attributes[-32:] == hashlib.sha256(content).digest()
    ):
        return utc_seconds(signed_attributes[-_TIME_AT:-_DIGEST_AT], _TIME_SECTION, "signing-time")
    return _check_other_attributes(signed_attributes, content_type, content)


def _check_other_attributes(signed_attributes: bytes, content_type: ObjectIdentifier, content: bytes) -> int | None:
    """`check_attributes` for any form that they can have."""
    octets = header(0x30, len(signed_attributes)) + signed_attributes
    decoded = decode(cms.SignedAttributes, octets, _SECTION, "signed attributes")
    values: dict[ObjectIdentifier, TLV] = {}
    for attribute in decoded.attributes.as_list():
        kind = attribute.attr_type
        if kind in values:
            raise ObjectError(_SECTION, f"The signed attribute {oids.name(kind)} appears twice.")
        if kind == oids.BINARY_SIGNING_TIME:
            raise ObjectError("RFC 9589 section 4", "The signed attributes have a binary-signing-time.")
        if kind not in _ATTRIBUTES:
            raise ObjectError(_SECTION, f"The signed attribute {oids.name(kind)} is not allowed.")
        found = attribute.attr_values.as_list()
        if len(found) != 1:
            raise ObjectError(_SECTION, f"The signed attribute {oids.name(kind)} has not one value, but {len(found)}.")
        values[kind] = found[0]
    if oids.CONTENT_TYPE not in values or oids.MESSAGE_DIGEST not in values:
        raise ObjectError(_SECTION, "The signed attributes lack content-type or message-digest.")
    if tlv_bytes(values[oids.CONTENT_TYPE]) != encode(content_type):
        raise ObjectError(f"{_SECTION}.1", "The signed content-type is not the type of the content.")
    digest = values[oids.MESSAGE_DIGEST]
    if digest.tag_bytes != _OCTET_STRING_TAG or digest.data != hashlib.sha256(content).digest():
        raise ObjectError(f"{_SECTION}.2", "The message-digest is not the SHA-256 of the content.")
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
