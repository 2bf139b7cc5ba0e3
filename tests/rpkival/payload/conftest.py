"""VRPs for the tests of the payload."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from rpkival.payload.vrps import Vrp, Vrps


def _vrp(family: int, address: int, length: int, extra: int, asn: int, anchor: str, expires: int) -> Vrp:
    """Crowd the VRPs into one octet of addresses, so that they cover and equal each other often."""
    if family == 4:
        length = 24 + length % 9
        prefix = f"192.0.2.{address & ~(2 ** (32 - length) - 1)}/{length}"
        return Vrp(prefix, min(length + extra, 32), asn, anchor, expires)
    length = 120 + length % 9
    low = address & ~(2 ** (128 - length) - 1)
    return Vrp(f"2001:db8::{low:x}/{length}" if low else f"2001:db8::/{length}", length, asn, anchor, expires)


VRP = st.builds(
    _vrp,
    st.sampled_from([4, 6]),
    st.integers(0, 255),
    st.integers(0, 8),
    st.integers(0, 8),
    st.integers(0, 3),
    st.sampled_from(["ripe", "apnic", ""]),
    st.integers(0, 2),
)
SETS = st.lists(VRP, max_size=25).map(Vrps.of)


@pytest.fixture(scope="session")
def vrp_sets() -> st.SearchStrategy[Vrps]:
    """Sets with duplicates, in any order, of both families."""
    return SETS
