"""Tests for rpkival.objects.names: the usual form and all others."""

from __future__ import annotations

import pytest
from cryptography.hazmat.asn1 import TLV, PrintableString, SetOf
from cryptography.x509 import ObjectIdentifier
from hypothesis import given
from hypothesis import strategies as st

from rpkival.errors import LimitError, ObjectError
from rpkival.limits import MAX_NAME_BYTES
from rpkival.objects import oids
from rpkival.objects.asn1 import pkix
from rpkival.objects.asn1.der import contents_of, decode, encode, header
from rpkival.objects.names import check_name, format_name

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?"


def attribute(kind: ObjectIdentifier, value: bytes) -> pkix.AttributeTypeAndValue:
    """One attribute; `value` is DER."""
    return pkix.AttributeTypeAndValue(type=kind, value=decode(TLV, value, "", "value"))


def name(*sets: list[tuple[ObjectIdentifier, bytes]]) -> bytes:
    """DER of a Name of sets of attributes."""
    rdns = [SetOf([attribute(kind, value) for kind, value in each]) for each in sets]
    data = encode(pkix.Name(rdns=rdns))
    return data[contents_of(data) :]


def printable(text: str) -> bytes:
    """DER of a PrintableString."""
    return encode(PrintableString(text))


def utf8(text: str) -> bytes:
    """DER of a UTF8String."""
    octets = text.encode()
    return header(0x0C, len(octets)) + octets


@given(st.text(ALPHABET, min_size=1, max_size=100))
def test_one_common_name_is_allowed(text: str) -> None:
    """Of any length and in either string type, and it is told as it is."""
    for value in (printable(text), utf8(text)):
        data = name([(oids.COMMON_NAME, value)])
        check_name(data, "RFC 6487 section 4.4", "issuer")
        assert format_name(data) == f"CN={text}"


def test_a_serial_number_may_stand_beside_it() -> None:
    """In the same set or in one of its own, before or after."""
    common, serial = (oids.COMMON_NAME, printable("a")), (oids.SERIAL_NUMBER, printable("1"))
    for data in (name([common], [serial]), name([serial], [common]), name([common, serial])):
        check_name(data, "RFC 6487 section 4.5", "subject")
    assert format_name(name([common], [serial])) == "CN=a,serialNumber=1"


@pytest.mark.parametrize(
    "sets",
    [
        [],
        [[(oids.SERIAL_NUMBER, printable("1"))]],
        [[(oids.COMMON_NAME, printable("a"))], [(oids.COMMON_NAME, printable("b"))]],
        [[(ObjectIdentifier("2.5.4.6"), printable("NL"))]],
        [[(oids.COMMON_NAME, b"\x16\x01a")]],
        [[(oids.COMMON_NAME, b"\x05\x00")]],
    ],
    ids=["nothing", "only a serial number", "two", "a country", "IA5String", "NULL"],
)
def test_other_names_are_refused(sets: list[list[tuple[ObjectIdentifier, bytes]]]) -> None:
    """RFC 6487 sections 4.4 and 4.5."""
    with pytest.raises(ObjectError, match=r"The subject .*\(RFC 6487 section 4\.5\)"):
        check_name(name(*sets), "RFC 6487 section 4.5", "subject")


def test_names_are_bounded() -> None:
    """Those of issuers are kept."""
    longest = name([(oids.COMMON_NAME, utf8("x" * (MAX_NAME_BYTES - 21)))])
    assert len(longest) == MAX_NAME_BYTES
    check_name(longest, "RFC 6487 section 4.4", "issuer")
    with pytest.raises(LimitError, match=r"The name of the issuer has 1025 octets; 1024 are allowed\."):
        check_name(longest + b"x", "RFC 6487 section 4.4", "issuer")


@given(st.integers(0, 60), st.integers(1, 255))
def test_a_changed_octet_is_noticed_or_harmless(place: int, flip: int) -> None:
    """What the quick look accepts, a DER decoder accepts."""
    data = bytearray(name([(oids.COMMON_NAME, printable("0123456789ABCDEF"))]))
    data[place % len(data)] ^= flip
    try:
        check_name(bytes(data), "RFC 6487 section 4.4", "issuer")
    except ObjectError:
        return
    assert format_name(bytes(data)).startswith("CN=")


def test_what_is_no_name_is_told_as_hex() -> None:
    """Never an exception."""
    assert format_name(b"\x31\x00\xff") == "3100ff"
