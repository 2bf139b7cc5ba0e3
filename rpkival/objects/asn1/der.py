"""Bytes to declared values and back: the only door to `cryptography.hazmat.asn1`, which its authors call unstable."""

from __future__ import annotations

import re
from typing import Any, TypeVar

from cryptography.hazmat.asn1 import TLV, decode_der, encode_der

from rpkival.errors import ObjectError

__all__ = ["content_at", "contents_of", "decode", "encode", "header", "parts_of", "tlv_bytes"]

T = TypeVar("T")

_LONG_TAG = 0x1F
_INDEFINITE_LENGTH = b"\x80"
_LONGEST_REASON = 80
_NO_CHOICE = "could not find matching variant"


def decode(declaration: type[T], data: bytes, section: str, what: str) -> T:
    """The value of a declared type. Raises `ObjectError` (of `section`) where `what` is not DER of it."""
    try:
        return decode_der(declaration, data)
    except (ValueError, TypeError, OverflowError) as error:
        if data[1:2] == _INDEFINITE_LENGTH:
            raise ObjectError(
                section, f"The encoding of the {what} is BER with an indefinite length, but must be DER."
            ) from None
        raise ObjectError(section, f"Decoding the {what} as DER of its type failed: {_plain(error)}.") from None


def encode(value: Any) -> bytes:
    """DER of a value of a declared type."""
    return encode_der(value)


def header(tag: int, size: int) -> bytes:
    """Identifier and length octets of an element with `size` octets of content."""
    if size < 0x80:
        return bytes((tag, size))
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets


def tlv_bytes(element: TLV, tag: int | None = None) -> bytes:
    """The element's own DER bytes; with `tag`, under that identifier octet instead of its own."""
    content = element.data
    return header(element.tag_bytes[0] if tag is None else tag, len(content)) + content


def contents_of(data: bytes) -> int:
    """Where the content of the element that starts `data` begins; `data` is known to be DER."""
    return 2 if data[1] < 0x80 else 2 + (data[1] & 0x7F)


def content_at(data: bytes, at: int, tag: int) -> tuple[int, int]:
    """Where the content of the element at `at` begins and ends: perhaps behind the end of `data`, which is any octets.

    Raises `KeyError` for another tag, a length that is no DER, or an element of over 65,535 octets; `IndexError` where
    there is none.
    """
    size = data[at + 1]
    if data[at] != tag or size > 0x82 or size == 0x80:
        raise KeyError(tag)
    if size < 0x80:
        return at + 2, at + 2 + size
    if size == 0x81:
        size, at = data[at + 2], at + 3
        if size < 0x80:
            raise KeyError(tag)
    else:
        size, at = data[at + 2] << 8 | data[at + 3], at + 4
        if size < 0x100:
            raise KeyError(tag)
    return at, at + size


def parts_of(data: bytes, section: str, what: str) -> list[bytes]:
    """The elements inside a constructed one, as they are; for `data` that has been decoded as DER.

    Raises `ObjectError` (of `section`) for an identifier of several octets: no type of the profiles has one.
    """
    found = []
    at, end = contents_of(data), len(data)
    while at < end:
        if data[at] & _LONG_TAG == _LONG_TAG:
            raise ObjectError(section, f"The {what} has an element of a type that is not known here.")
        size = data[at + 1]
        start = at + 2
        if size >= 0x80:
            start += size & 0x7F
            size = int.from_bytes(data[at + 2 : start], "big")
        found.append(data[at : start + size])
        at = start + size
    return found


_KINDS = {
    "ShortData": "it ends too early",
    "ExtraData": "something is left over",
    "UnexpectedTag": "an element has another type",
    "InvalidLength": "a length is wrong",
    "InvalidTag": "a type cannot be read",
    "InvalidValue": "a value cannot be",
    "InvalidSetOrdering": "a SET is not in order",
    "EncodedDefault": "a default value is written out",
    "IntegerOverflow": "a number is too large",
    "OidTooLong": "an object identifier is too long",
}
"""What the decoder's kinds of error mean."""


def _plain(error: Exception) -> str:
    # As in "error parsing asn1 value: ParseError { kind: ExtraData, location: [0] }", which is for programmers.
    match = re.search(r"kind: (\w+)", str(error))
    if _NO_CHOICE in str(error):
        return _KINDS["UnexpectedTag"]
    if match is None:
        return str(error)[:_LONGEST_REASON] or type(error).__name__
    return _KINDS.get(match[1], match[1])
