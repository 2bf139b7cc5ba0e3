"""The form that nearly all resource certificates have, read at its known places.

DER has one encoding of a value, so certificates that follow RFC 6487 word for word differ from each other only in sizes
and in values. Read so, one is taken apart in a third of the time that decoding its declaration needs. What differs
anywhere, be it right or wrong, is left to the declaration.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from rpkival.errors import ObjectError
from rpkival.limits import MAX_NUMBER_OCTETS
from rpkival.objects.asn1.der import content_at, encode, header
from rpkival.objects.extensions import CRITICAL, SECTIONS, Extensions
from rpkival.objects.times import utc_seconds

__all__ = ["CertificateParts", "usual_certificate"]

_SEQUENCE: Final = 0x30
_OCTET_STRING: Final = 0x04
_EXTENSIONS: Final = 0xA3
_ALGORITHM: Final = bytes.fromhex("300d06092a864886f70d01010b0500")
_VERSION_AND_SERIAL: Final = bytes.fromhex("a00302010202")
_SERIAL_AT: Final = 15
_VALIDITY: Final = bytes.fromhex("301e")
_VALIDITY_SIZE: Final = 32
_UTC_TIME_SIZE: Final = 15
_CRITICAL_TAG: Final = 0x01
_CRITICAL_SIZE: Final = 3
_END: Final = _ALGORITHM + bytes.fromhex("0382010100")
"""What is between the signed part and the bits of the signature."""
_SIGNATURE_SIZE: Final = 256
_END_SIZE: Final = len(_END) + _SIGNATURE_SIZE

_OIDS: Final = {encode(oid) + (b"\x01\x01\xff" if oid in CRITICAL else b""): oid for oid in SECTIONS}
"""The extensions of the profile by their identifier and criticality, as they must be."""


class CertificateParts(NamedTuple):
    """What a certificate of version 3, signed by sha256WithRSAEncryption, consists of.

    Times are unix seconds, names and `key_info` DER; every extension is of the profile and as critical as it must be.
    """

    signed: bytes
    serial: int
    issuer: bytes
    not_before: int
    not_after: int
    subject: bytes
    key_info: bytes
    extensions: Extensions
    signature: bytes


def usual_certificate(data: bytes) -> CertificateParts | None:
    """The parts of a certificate that has the usual form."""
    size = len(data)
    end = size - _END_SIZE
    if not data.startswith(_usual_starts(size)) or not data.startswith(_END, end):
        return None
    try:
        at = _SERIAL_AT + data[_SERIAL_AT - 1]
        serial = data[_SERIAL_AT:at]
        if not _is_usual_serial(serial) or not data.startswith(_ALGORITHM, at):
            return None
        issuer = at + len(_ALGORITHM)
        _, validity = content_at(data, issuer, _SEQUENCE)
        not_after = validity + _VALIDITY_SIZE - _UTC_TIME_SIZE
        if not data.startswith(_VALIDITY, validity):
            return None
        subject = validity + _VALIDITY_SIZE
        _, key_info = content_at(data, subject, _SEQUENCE)
        _, extensions = content_at(data, key_info, _SEQUENCE)
        at, extensions_end = content_at(data, extensions, _EXTENSIONS)
        at, listed_end = content_at(data, at, _SEQUENCE)
        if not extensions_end == listed_end == end:
            return None
        return CertificateParts(
            data[4:end],
            int.from_bytes(serial, "big"),
            data[issuer:validity],
            utc_seconds(data[not_after - _UTC_TIME_SIZE : not_after], "", "notBefore"),
            utc_seconds(data[not_after:subject], "", "notAfter"),
            data[subject:key_info],
            data[key_info:extensions],
            _usual_extensions(data, at, end),
            data[size - _SIGNATURE_SIZE :],
        )
    except (IndexError, KeyError, ObjectError):
        return None


def _is_usual_serial(serial: bytes) -> bool:
    """Whether it is the content of an INTEGER that is positive and of 20 octets at most."""
    if not serial or len(serial) > MAX_NUMBER_OCTETS or serial[0] > 0x7F:
        return False
    return serial[0] > 0 or (len(serial) > 1 and serial[1] > 0x7F)


def _usual_extensions(data: bytes, at: int, end: int) -> Extensions:
    """The extensions that end there. Raises `KeyError`, `IndexError` where one is not usual."""
    found: Extensions = {}
    while at < end:
        size = data[at + 1]
        inner, stop = (at + 2, at + 2 + size) if size < 0x80 else content_at(data, at, _SEQUENCE)
        octets = inner + 2 + data[inner + 1]
        if data[octets] == _CRITICAL_TAG:
            octets += _CRITICAL_SIZE
        oid = _OIDS[data[inner:octets]]
        size = data[octets + 1]
        value, value_end = (octets + 2, octets + 2 + size) if size < 0x80 else content_at(data, octets, _OCTET_STRING)
        if data[at] != _SEQUENCE or data[octets] != _OCTET_STRING or value_end != stop or oid in found:
            raise KeyError(oid)
        found[oid] = data[value:stop]
        at = stop
    if at != end:
        raise KeyError(at)
    return found


@lru_cache(maxsize=1024)
def _usual_starts(size: int) -> tuple[bytes, ...]:
    """How certificates of so many octets start, down to the serial number's length; () where none has this size."""
    if not 0x100 <= size - 8 - _END_SIZE <= size <= 0xFFFF:
        return ()
    return (header(_SEQUENCE, size - 4) + header(_SEQUENCE, size - 8 - _END_SIZE) + _VERSION_AND_SERIAL,)
