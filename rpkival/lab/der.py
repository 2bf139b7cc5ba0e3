"""DER written by hand (X.690): each function returns the whole encoding of one value.

The validator reads with declarations; the lab writes with these, so that neither can hide the other's mistakes, and so
that a test can write what no declaration would.
"""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = [
    "NULL",
    "bit_string",
    "boolean",
    "explicit",
    "generalized_time",
    "ia5_string",
    "implicit",
    "integer",
    "named_bits",
    "object_identifier",
    "octet_string",
    "printable_string",
    "sequence",
    "set_of",
    "time",
    "utf8_string",
]

_CONSTRUCTED = 0x20
_CONTEXT = 0x80


def _encoded(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


NULL = _encoded(0x05, b"")


def boolean(value: bool) -> bytes:
    """BOOLEAN."""
    return _encoded(0x01, b"\xff" if value else b"\x00")


def integer(value: int) -> bytes:
    """INTEGER, in the fewest octets of two's complement."""
    return _encoded(0x02, value.to_bytes((value + (value < 0)).bit_length() // 8 + 1, "big", signed=True))


def bit_string(octets: bytes, unused_bits: int = 0) -> bytes:
    """BIT STRING; the last `unused_bits` of `octets` do not belong to it and must be zero."""
    return _encoded(0x03, bytes((unused_bits,)) + octets)


def named_bits(*positions: int) -> bytes:
    """BIT STRING of named bits, bit 0 first, trailing zeros left out (X.690 section 11.2.2)."""
    size = max(positions) + 1
    unused = -size % 8
    value = sum(1 << (size - 1 - position) for position in positions) << unused
    return bit_string(value.to_bytes((size + unused) // 8, "big"), unused)


def octet_string(octets: bytes) -> bytes:
    """OCTET STRING."""
    return _encoded(0x04, octets)


def object_identifier(dotted: str) -> bytes:
    """OBJECT IDENTIFIER, from its arcs as `1.2.840.113549`."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    return _encoded(0x06, b"".join(_base128(arc) for arc in (40 * first + second, *rest)))


def _base128(number: int) -> bytes:
    octets = [number & 0x7F]
    while number := number >> 7:
        octets.append(0x80 | (number & 0x7F))
    return bytes(reversed(octets))


def printable_string(text: str) -> bytes:
    """PrintableString."""
    return _encoded(0x13, text.encode("ascii"))


def utf8_string(text: str) -> bytes:
    """UTF8String."""
    return _encoded(0x0C, text.encode())


def ia5_string(text: str) -> bytes:
    """IA5String."""
    return _encoded(0x16, text.encode("ascii"))


def time(moment: int) -> bytes:
    """Time of X.509 from unix seconds: UTCTime through 2049, GeneralizedTime after (RFC 5280 section 4.1.2.5)."""
    when = datetime.fromtimestamp(moment, UTC)
    return _encoded(0x17, when.strftime("%y%m%d%H%M%SZ").encode()) if when.year < 2050 else generalized_time(moment)


def generalized_time(moment: int) -> bytes:
    """GeneralizedTime from unix seconds."""
    return _encoded(0x18, datetime.fromtimestamp(moment, UTC).strftime("%Y%m%d%H%M%SZ").encode())


def sequence(*parts: bytes) -> bytes:
    """SEQUENCE of encoded values."""
    return _encoded(0x30, b"".join(parts))


def set_of(*parts: bytes) -> bytes:
    """SET OF encoded values, in DER's order (X.690 section 11.6)."""
    return _encoded(0x31, b"".join(sorted(parts)))


def explicit(number: int, value: bytes) -> bytes:
    """`[number] EXPLICIT` around an encoded value."""
    return _encoded(_CONTEXT | _CONSTRUCTED | number, value)


def implicit(number: int, value: bytes) -> bytes:
    """`[number] IMPLICIT`: an encoded value under another tag."""
    return bytes((_CONTEXT | (value[0] & _CONSTRUCTED) | number,)) + value[1:]
