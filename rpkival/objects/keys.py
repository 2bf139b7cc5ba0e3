"""Public keys and signatures of the RPKI: RSA of 2048 bits with SHA-256, and nothing else (RFC 7935).

But for the keys of routers, which sign announcements and are only passed on: ECDSA on P-256 (RFC 8608).
"""

from __future__ import annotations

import hashlib

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from rpkival.errors import ObjectError

__all__ = [
    "PublicKey",
    "check_key",
    "check_router_key",
    "key_identifier",
    "load_key",
    "router_key_identifier",
    "verifies",
]

PublicKey = RSAPublicKey

_SECTION = "RFC 7935 section 3"
_SPKI_START = bytes.fromhex("30820122300d06092a864886f70d01010105000382010f003082010a0282010100")
_SPKI_END = bytes.fromhex("0203010001")
_SPKI_SIZE = len(_SPKI_START) + 256 + len(_SPKI_END)
_KEY_BITS_AT = 24
"""Where the content of subjectPublicKey starts in such a SubjectPublicKeyInfo, behind its count of unused bits."""

_ROUTER_SPKI_START = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
_ROUTER_SPKI_SIZE = len(_ROUTER_SPKI_START) + 64

_PADDING = PKCS1v15()
_HASH = SHA256()


def check_key(key_info: bytes) -> None:
    """Raise `ObjectError` unless the DER SubjectPublicKeyInfo is an RSA key of 2048 bits with exponent 65537.

    DER has one encoding of a value, so all such keys share their first and last octets.
    """
    if (
        len(key_info) != _SPKI_SIZE
        or not key_info.startswith(_SPKI_START)
        or not key_info.endswith(_SPKI_END)
        or key_info[len(_SPKI_START)] < 0x80
    ):
        raise ObjectError(_SECTION, "The public key is not RSA with 2048 bits and exponent 65537.")


def check_router_key(key_info: bytes) -> None:
    """Raise `ObjectError` unless the DER SubjectPublicKeyInfo is an uncompressed point on P-256 (RFC 8608)."""
    section = "RFC 8608 section 3"
    if len(key_info) != _ROUTER_SPKI_SIZE or not key_info.startswith(_ROUTER_SPKI_START):
        raise ObjectError(section, "The router's public key is not an uncompressed point on the curve P-256.")
    try:
        load_der_public_key(key_info)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ObjectError(section, "The router's public key is not on its curve.") from None


def router_key_identifier(key_info: bytes) -> bytes:
    """SHA-1 of the subjectPublicKey bits of a key that `check_router_key` accepts."""
    return hashlib.sha1(key_info[len(_ROUTER_SPKI_START) - 1 :], usedforsecurity=False).digest()


def load_key(key_info: bytes) -> PublicKey:
    """The key of a DER SubjectPublicKeyInfo. Raises `ObjectError` where the profile does not allow it."""
    check_key(key_info)
    try:
        key = load_der_public_key(key_info)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ObjectError(_SECTION, "The public key is not a possible RSA key.") from None
    assert isinstance(key, RSAPublicKey)
    return key


def key_identifier(key_info: bytes) -> bytes:
    """SHA-1 of the subjectPublicKey bits (RFC 6487 section 4.8.2) of a key that `check_key` accepts."""
    return hashlib.sha1(key_info[_KEY_BITS_AT:], usedforsecurity=False).digest()


def verifies(key: PublicKey, signature: bytes, signed: bytes) -> bool:
    """Whether `signature` over `signed` was made with this key."""
    try:
        key.verify(signature, signed, _PADDING, _HASH)
    except (InvalidSignature, ValueError):
        return False
    return True
