"""Tests for rpkival.objects.asn1.outline: whatever the octets are, there is an outline, and it stays small."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.lab import der
from rpkival.limits import MAX_BER_DEPTH
from rpkival.objects.asn1.outline import outline, outline_lines


def test_elements_are_told_by_place_name_and_value() -> None:
    """As they nest."""
    data = der.sequence(der.integer(5), der.explicit(1, der.set_of(der.octet_string(bytes(30)))))
    assert list(outline_lines(data)) == [
        "0: SEQUENCE, 39 octets",
        "  2: INTEGER, 1 octets 05",
        "  5: [1], 34 octets",
        "    7: SET, 32 octets",
        "      9: OCTET STRING, 30 octets",
    ]
    assert outline(data).fault == ""


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "At octet 0 an element should begin, but 0 octets are left."),
        (b"\x30\x03\x02\x05a", "The INTEGER at octet 2 says that it has 5 octets, but 1 are left."),
        (b"\x30\x80\x02\x01a", "The element of indefinite length at octet 0 has no end."),
        (b"\x30\x80\x02\x01a\0\0", ""),
        (b"\x02\x01ab", "1 octets follow the end of the outermost element."),
        (b"\x30\xff" + bytes(200), "The element at octet 0 has a length of 127 octets, which cannot be."),
        (b"\x30\x82\x01", "The element at octet 0 has a length of 2 octets, which cannot be."),
    ],
)
def test_the_first_fault_is_told(data: bytes, fault: str) -> None:
    """With its place."""
    assert outline(data).fault == fault


def test_a_bomb_ends() -> None:
    """Deep or wide."""
    assert "too deep" in outline(b"\x30\x80" * 100_000).fault
    assert len(list(outline_lines(b"\x30\x80" * 100_000))) <= MAX_BER_DEPTH + 1
    assert "too many" in outline(b"\x30\x80" + b"\x05\0" * 100_000 + b"\0\0").fault


@given(st.binary(max_size=300))
def test_any_octets_have_an_outline(data: bytes) -> None:
    """Whose elements lie within them."""
    found = outline(data)
    assert (found.root is None) <= bool(found.fault)
    waiting = [found.root] if found.root else []
    while waiting:
        element = waiting.pop()
        assert 0 <= element.start < element.content <= element.end <= len(data)
        waiting.extend(element.parts)
    assert list(outline_lines(data)) or found.root is None
