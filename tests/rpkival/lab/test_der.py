"""Tests for rpkival.lab.der: what it writes, asn1crypto reads."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from asn1crypto import core
from hypothesis import given
from hypothesis import strategies as st

from rpkival.lab import der


@given(st.integers(-(2**200), 2**200))
def test_integers(value: int) -> None:
    """In two's complement and no longer than needed."""
    assert core.Integer.load(der.integer(value), strict=True).native == value
    assert der.integer(value) == core.Integer(value).dump()


@given(st.tuples(st.integers(0, 2), st.integers(0, 39)), st.lists(st.integers(0, 2**40), max_size=8))
def test_object_identifiers(start: tuple[int, int], rest: list[int]) -> None:
    """Arcs of any size come back."""
    dotted = ".".join(map(str, (*start, *rest)))

    assert core.ObjectIdentifier.load(der.object_identifier(dotted), strict=True).dotted == dotted


@given(st.binary(max_size=70_000))
def test_lengths(octets: bytes) -> None:
    """Short and long forms, always the shortest (X.690 section 10.1)."""
    assert der.octet_string(octets) == core.OctetString(octets).dump()


@given(st.sets(st.integers(0, 30), min_size=1))
def test_named_bits(positions: set[int]) -> None:
    """Exactly the bits named are set, and no zero trails."""
    value = core.BitString.load(der.named_bits(*positions), strict=True).native

    assert {position for position, bit in enumerate(value) if bit} == positions
    assert value[-1] == 1


@given(st.lists(st.integers(0, 2**40), max_size=6))
def test_sets_are_in_order(numbers: list[int]) -> None:
    """Whatever the order of the parts (X.690 section 11.6)."""
    parts = [der.integer(number) for number in numbers]

    assert der.set_of(*parts) == der.set_of(*reversed(parts))
    assert [core.Integer.load(part).native for part in parts] == numbers


@pytest.mark.parametrize(
    ("moment", "kind"),
    [
        (datetime(2026, 3, 16, 8, tzinfo=UTC), core.UTCTime),
        (datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), core.UTCTime),
        (datetime(2050, 1, 1, tzinfo=UTC), core.GeneralizedTime),
    ],
)
def test_times_change_their_type_in_2050(moment: datetime, kind: type[core.UTCTime]) -> None:
    """RFC 5280 section 4.1.2.5."""
    assert kind.load(der.time(int(moment.timestamp())), strict=True).native == moment


def test_tags() -> None:
    """Explicit wraps, implicit replaces and keeps whether there are parts inside; booleans and null are DER's."""
    assert der.explicit(3, der.integer(2)).hex() == "a303020102"
    assert der.implicit(0, der.octet_string(b"\1")).hex() == "800101"
    assert der.implicit(0, der.sequence(der.NULL)).hex() == "a0020500"
    assert (der.boolean(True) + der.boolean(False)).hex() == "0101ff010100"
    assert der.printable_string("a") + der.ia5_string("a") == bytes.fromhex("130161 160161")
