"""AS numbers as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.asn import format_asn, parse_asn
from rpkival.errors import AsnError


@given(st.integers(0, 2**32 - 1))
def test_every_way_to_write_a_number_is_read(asn: int) -> None:
    """asplain with and without AS, in either case, and the number itself."""
    assert {parse_asn(way) for way in (asn, str(asn), format_asn(asn), f" as{asn} ")} == {asn}


@pytest.mark.parametrize(
    "text", ["", "AS", "AS-1", "+1", "1_0", "1.10", "0x10", "٣", "AS 1", "ASAS1", "9" * 11, "9" * 5000, True, "None"]
)
def test_what_is_no_as_number_is_refused(text: str | bool) -> None:
    """One short sentence, however long the text."""
    with pytest.raises(AsnError, match="is not an AS number; write it as AS64496") as raised:
        parse_asn(text)
    assert len(str(raised.value)) < 120


@pytest.mark.parametrize("number", [-1, 2**32, "AS4294967296", "AS9999999999", pytest.param(10**5000, id="huge")])
def test_numbers_beyond_32_bits_do_not_exist(number: int | str) -> None:
    """RFC 6793 gives AS numbers 32 bits."""
    with pytest.raises(AsnError, match="does not exist; AS numbers go from 0 to 4294967295"):
        parse_asn(number)
