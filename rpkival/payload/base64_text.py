"""Base64 in files: read in either alphabet (RFC 4648 sections 4 and 5), with padding or without; written in one way."""

from __future__ import annotations

import base64
import binascii

__all__ = ["decode_base64", "encode_base64"]

_STANDARD = str.maketrans("-_", "+/")


def decode_base64(text: str) -> bytes:
    """The octets. Raises `ValueError` for what is no Base64."""
    digits = text.removesuffix("=").removesuffix("=").translate(_STANDARD)
    try:
        return base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True)
    except binascii.Error:
        raise ValueError("it is not Base64") from None


def encode_base64(octets: bytes) -> str:
    """In the alphabet for URLs and without padding, as RFC 8416 section 3.3.2 and Routinator have it."""
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")
