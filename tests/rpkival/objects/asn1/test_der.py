"""Tests for rpkival.objects.asn1.der: elements taken apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.errors import ObjectError
from rpkival.objects.asn1.der import content_at, header, parts_of


@given(st.lists(st.tuples(st.integers(0, 255).filter(lambda tag: tag & 31 != 31), st.binary(max_size=300)), max_size=6))
def test_the_parts_of_an_element_are_its_elements(parts: list[tuple[int, bytes]]) -> None:
    """Each as it is, of whatever size."""
    elements = [header(tag, len(content)) + content for tag, content in parts]
    octets = b"".join(elements)
    assert parts_of(header(0x30, len(octets)) + octets, "RFC 0", "value") == elements


def test_an_identifier_of_several_octets_is_refused() -> None:
    """It would be cut where the decoder does not cut it."""
    with pytest.raises(ObjectError, match="type that is not known"):
        parts_of(bytes.fromhex("3005 3f81010100"), "RFC 0", "value")


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65535])
def test_where_content_is(size: int) -> None:
    """Wherever the element starts."""
    start = b"\xff" + header(0x30, size)
    assert content_at(start, 1, 0x30) == (len(start), len(start) + size)


@pytest.mark.parametrize("octets", ["30800101", "31017f", "30817f", "308200ff", "3083010000", "30ff"])
def test_no_content_is_where_the_header_is_not_der(octets: str) -> None:
    """Nor where it is that of another type, or of more than is read so."""
    with pytest.raises(KeyError):
        content_at(bytes.fromhex(octets) + bytes(300), 0, 0x30)


@pytest.mark.parametrize("octets", ["", "30", "3081", "308201"])
def test_no_content_is_behind_the_end(octets: str) -> None:
    """Where the header itself is cut."""
    with pytest.raises(IndexError):
        content_at(bytes.fromhex(octets), 0, 0x30)
