"""Tests for rpkival.lab.keys."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

from asn1crypto import keys
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from rpkival.lab.keys import KeyRing


def test_a_key_is_the_same_each_time(tmp_path: Path) -> None:
    """In one ring, and in a later one on the same directory, which only we may read."""
    ring = KeyRing(tmp_path / "keys")

    first = ring.key("member")

    assert ring.key("member") is first
    assert KeyRing(tmp_path / "keys").key("member").public_key_info == first.public_key_info
    assert stat.S_IMODE((tmp_path / "keys/member.pem").stat().st_mode) == 0o600


def test_names_have_keys_of_their_own(lab_keys: KeyRing) -> None:
    """Two authorities never share one."""
    assert lab_keys.key("lab").identifier != lab_keys.key("alpha").identifier


def test_the_identifier_is_the_hash_of_the_key(lab_keys: KeyRing) -> None:
    """SHA-1 of the bits in SubjectPublicKeyInfo, as asn1crypto sees them (RFC 6487 section 4.8.2)."""
    key = lab_keys.key("lab")

    info = keys.PublicKeyInfo.load(key.public_key_info, strict=True)

    assert key.identifier == hashlib.sha1(bytes(info["public_key"])).digest()
    assert (info.bit_size, info["public_key"].parsed["public_exponent"].native) == (2048, 65537)


def test_signatures_verify(lab_keys: KeyRing) -> None:
    """With the public key, RSA PKCS #1 v1.5 and SHA-256; verify raises otherwise."""
    key = lab_keys.key("lab")

    key.private.public_key().verify(key.sign(b"message"), b"message", padding.PKCS1v15(), hashes.SHA256())
