"""BER to DER: the same values in the one way that DER writes them (X.690 section 10).

RFC 6488 wants DER, yet signing software has published CMS with indefinite lengths and octet strings in pieces for
years. What is rewritten is decoded as strictly as everything else; nothing here knows what the values mean.
"""

from __future__ import annotations

from typing import Final

from rpkival.errors import LimitError, ObjectError
from rpkival.limits import MAX_BER_DEPTH, MAX_BER_ELEMENTS
from rpkival.objects.asn1.der import header

__all__ = ["ber_to_der"]

_SECTION: Final = "X.690 section 8.1"
_CONSTRUCTED: Final = 0x20
_HIGH_TAG: Final = 0x1F
_INDEFINITE: Final = 0x80
_END_OF_CONTENTS: Final = b"\0\0"
_SET: Final = 0x31
_OCTET_STRING: Final = 0x04
_LONGEST_LENGTH: Final = 4
"""Octets of a length: an object that needs more is larger than any may be."""


def ber_to_der(data: bytes) -> bytes:
    """One BER element as DER. Raises `ObjectError` where it is none, `LimitError` where it nests or counts too much.

    Lengths become definite and shortest, octet strings whole, SETs ascending. Values of primitive elements are left as
    they are, as is an element of the context class: whether that is a SET is not written in it.
    """
    rewriter = _Rewriter(data)
    der, end = rewriter.element(0, len(data), 0)
    if end != len(data):
        raise ObjectError(_SECTION, "Something follows the end of the BER element.")
    return der


class _Rewriter:
    """Reads one string of octets; counts its elements."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._elements = 0

    def element(self, start: int, limit: int, depth: int) -> tuple[bytes, int]:
        """The element that starts here as DER, and where it ends, at most at `limit`."""
        self._elements += 1
        if depth > MAX_BER_DEPTH or self._elements > MAX_BER_ELEMENTS:
            raise LimitError(f"The BER has more than {MAX_BER_ELEMENTS} elements or nests deeper than {MAX_BER_DEPTH}.")
        tag, size, at = self._header(start, limit)
        if not tag & _CONSTRUCTED:
            if size is None:
                raise ObjectError(_SECTION, "A primitive BER element has an indefinite length.")
            return header(tag, size) + self._data[at : at + size], at + size
        parts, end = self._parts(at, limit if size is None else at + size, depth, indefinite=size is None)
        if tag == _OCTET_STRING | _CONSTRUCTED:
            tag, parts = _OCTET_STRING, [_octets(part) for part in parts]
        elif tag == _SET:
            parts.sort()
        content = b"".join(parts)
        return header(tag, len(content)) + content, end

    def _parts(self, at: int, end: int, depth: int, *, indefinite: bool) -> tuple[list[bytes], int]:
        """The elements in a constructed one, and where that ends."""
        parts: list[bytes] = []
        while at < end:
            if indefinite and self._data[at : at + 2] == _END_OF_CONTENTS:
                return parts, at + 2
            part, at = self.element(at, end, depth + 1)
            parts.append(part)
        if indefinite:
            raise ObjectError(_SECTION, "A BER element of indefinite length has no end.")
        return parts, end

    def _header(self, start: int, limit: int) -> tuple[int, int | None, int]:
        """Tag, size of the content (None: indefinite) and where that begins."""
        if start + 2 > limit:
            raise ObjectError(_SECTION, "The BER ends within an element's header.")
        tag, first = self._data[start], self._data[start + 1]
        if tag & _HIGH_TAG == _HIGH_TAG:
            raise ObjectError(_SECTION, "The BER has a tag number above 30, which nothing in the RPKI has.")
        at = start + 2
        if first == _INDEFINITE:
            return tag, None, at
        size = first
        if first > _INDEFINITE:
            octets = first & 0x7F
            if octets > _LONGEST_LENGTH:
                raise ObjectError(_SECTION, f"The BER has a length of {octets} octets.")
            size, at = int.from_bytes(self._data[at : at + octets], "big"), at + octets
        if at + size > limit:
            raise ObjectError(_SECTION, "A BER element is longer than what it is in.")
        return tag, size, at


def _octets(part: bytes) -> bytes:
    """The content of a piece of an octet string, which has been rewritten already."""
    if part[0] != _OCTET_STRING:
        raise ObjectError("X.690 section 8.7", "A piece of an octet string is none.")
    size = part[1]
    return part[2:] if size < _INDEFINITE else part[2 + (size & 0x7F) :]
