"""Tests for rpkival.objects.asn1.der: elements taken apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.errors import ObjectError
from rpkival.objects.asn1.der import header, parts_of


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
