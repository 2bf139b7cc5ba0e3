"""RSA keys of a lab: made once, found again by name."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

__all__ = ["KeyRing", "Keys", "RouterKey", "SigningKey"]


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key pair with what certificates say of it.

    `public_key_info` is the DER SubjectPublicKeyInfo, `identifier` the SHA-1 of the key in it (RFC 6487 section 4.8.2).
    """

    private: rsa.RSAPrivateKey
    public_key_info: bytes
    identifier: bytes

    @classmethod
    def of(cls, private: rsa.RSAPrivateKey) -> SigningKey:
        """Wrap a private key."""
        public = private.public_key()
        info = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        key = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
        return cls(private, info, hashlib.sha1(key, usedforsecurity=False).digest())

    def sign(self, message: bytes) -> bytes:
        """RSA PKCS #1 v1.5 with SHA-256, the one algorithm there is (RFC 7935 section 2)."""
        return self.private.sign(message, padding.PKCS1v15(), hashes.SHA256())


@dataclass(frozen=True, slots=True)
class RouterKey:
    """The public half of a router's key (RFC 8608); what signs announcements is no business of the lab's."""

    public_key_info: bytes
    identifier: bytes

    @classmethod
    def new(cls) -> RouterKey:
        """A key of its own."""
        return cls._of(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def derived(cls, secret: bytes) -> RouterKey:
        """The same key for the same secret."""
        number = int.from_bytes(hashlib.sha256(secret).digest()) >> 1  # below the order of the curve
        return cls._of(ec.derive_private_key(number, ec.SECP256R1()))

    @classmethod
    def _of(cls, private: ec.EllipticCurvePrivateKey) -> RouterKey:
        public = private.public_key()
        info = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        point = public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        return cls(info, hashlib.sha1(point, usedforsecurity=False).digest())


class Keys(Protocol):
    """Where authorities have their keys from."""

    def key(self, name: str) -> SigningKey:
        """The key of this name, the same at each call."""


class KeyRing:
    """Keys by name, made when first asked for, at about 100 ms each; with a directory they outlive the process.

    These keys certify nothing but loopback: they are stored without a passphrase.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory
        self._keys: dict[str, SigningKey] = {}

    def key(self, name: str) -> SigningKey:
        """The key of this name, the same at each call. Names consist of letters, digits and hyphens."""
        if name not in self._keys:
            self._keys[name] = SigningKey.of(self._load_or_make(name))
        return self._keys[name]

    def _load_or_make(self, name: str) -> rsa.RSAPrivateKey:
        path = self._directory / f"{name}.pem" if self._directory else None
        if path and path.is_file():
            loaded = serialization.load_pem_private_key(path.read_bytes(), None)
            assert isinstance(loaded, rsa.RSAPrivateKey)
            return loaded
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_bytes(
                private.private_bytes(
                    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
                )
            )
        return private
