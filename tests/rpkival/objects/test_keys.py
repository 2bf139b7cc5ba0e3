"""Tests for rpkival.objects.keys: the one kind of key there is."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from rpkival.errors import ObjectError
from rpkival.lab.keys import KeyRing
from rpkival.objects.keys import key_identifier, load_key, verifies


def key_info(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> bytes:
    """DER SubjectPublicKeyInfo."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_signatures_verify(lab_keys: KeyRing) -> None:
    """With the right key, octets and signature, and not otherwise."""
    key = lab_keys.key("anchor")
    loaded = load_key(key.public_key_info)
    signature = key.sign(b"octets")
    assert verifies(loaded, signature, b"octets")
    assert not verifies(loaded, signature, b"others")
    assert not verifies(loaded, signature[:-1] + bytes([signature[-1] ^ 1]), b"octets")
    assert not verifies(load_key(lab_keys.key("alpha").public_key_info), signature, b"octets")


@pytest.mark.parametrize("size", [0, 1, 255, 257, 5000])
def test_signatures_of_another_size_do_not_verify(lab_keys: KeyRing, size: int) -> None:
    """And raise nothing."""
    assert not verifies(load_key(lab_keys.key("anchor").public_key_info), bytes(size), b"octets")


def test_the_identifier_is_the_sha1_of_the_key(lab_keys: KeyRing) -> None:
    """RFC 6487 section 4.8.2: of the bits, without tag, length and unused bits."""
    key = lab_keys.key("anchor")
    assert key_identifier(key.public_key_info) == key.identifier
    public = key.private.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
    assert key_identifier(key.public_key_info) == hashlib.sha1(public, usedforsecurity=False).digest()


def test_other_keys_are_refused() -> None:
    """Another size, exponent, algorithm, and none at all (RFC 7935 section 3)."""
    numbers = rsa.RSAPublicNumbers(65537, (1 << 2048) - 1)
    good = key_info(numbers.public_key())
    load_key(good)
    others = [
        key_info(rsa.RSAPublicNumbers(65537, (1 << 2047) - 1).public_key()),
        key_info(rsa.RSAPublicNumbers(65537, (1 << 4096) - 1).public_key()),
        key_info(rsa.RSAPublicNumbers(3, (1 << 2048) - 1).public_key()),
        key_info(ec.derive_private_key(1, ec.SECP256R1()).public_key()),
        good[:-1],
        good + b"\x00",
        b"",
    ]
    for other in others:
        with pytest.raises(ObjectError, match="not RSA with 2048 bits and exponent 65537"):
            load_key(other)


def test_absurd_moduli_verify_nothing() -> None:
    """Even ones, and powers of two: what a hostile CA can certify."""
    template = key_info(rsa.RSAPublicNumbers(65537, (1 << 2048) - 1).public_key())
    start, end = template[:33], template[-5:]
    for modulus in (1 << 2047, (1 << 2047) + 2, (1 << 2048) - 2):
        try:
            key = load_key(start + modulus.to_bytes(256, "big") + end)
        except ObjectError:
            continue
        for signature in (bytes(256), bytes(255) + b"\x01", b"\xff" * 256):
            assert not verifies(key, signature, b"octets")
