"""Covering, against the standard library's networks."""

from __future__ import annotations

import ipaddress

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rpkival.monitor.cover import Cover, covering_pairs, prefix_keys
from rpkival.prefixes import Family, Prefixes

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@st.composite
def networks(draw: st.DrawFn, family: Family) -> Network:
    """Prefixes that nest often: few high bits, few low bits, any length."""
    bits = 32 if family == 4 else 128
    address = draw(st.integers(0, 7)) << (bits - 3) | draw(st.integers(0, 7)) << draw(st.integers(0, bits - 3))
    kind = ipaddress.IPv4Network if family == 4 else ipaddress.IPv6Network
    return kind((address, draw(st.integers(0, bits))), strict=False)


def columns(found: list[Network], family: Family) -> Prefixes:
    """As columns."""
    return Prefixes.of_integers(family, [int(n.network_address) for n in found], [n.prefixlen for n in found])


both = st.sampled_from((4, 6)).flatmap(
    lambda family: st.tuples(st.just(family), st.lists(networks(family)), st.lists(networks(family)))
)


@given(both)
@settings(deadline=None)
def test_inside(case: tuple[Family, list[Network], list[Network]]) -> None:
    """The rows found, and the most specific prefix for each."""
    family, mine, asked = case
    cover = Cover.of(columns(mine, family))
    texts = cover.prefixes.texts()

    rows, own = cover.inside(columns(asked, family))

    expected = {}
    for row, network in enumerate(asked):
        around = [other for other in mine if network.subnet_of(other)]  # type: ignore[arg-type]
        if around:
            expected[row] = str(max(around, key=lambda other: other.prefixlen))
    assert {row: texts[by] for row, by in zip(rows.tolist(), own.tolist(), strict=True)} == expected


@given(both)
@settings(deadline=None)
def test_covering_pairs(case: tuple[Family, list[Network], list[Network]]) -> None:
    """All pairs, each once."""
    family, inner, outer = case

    rows = covering_pairs(columns(inner, family), columns(outer, family))

    found = sorted(zip(*(column.tolist() for column in rows), strict=True))
    assert found == sorted(
        (i, o)
        for i, network in enumerate(inner)
        for o, other in enumerate(outer)
        if network.subnet_of(other)  # type: ignore[arg-type]
    )


@given(both)
@settings(deadline=None)
def test_keys_are_equal_where_prefixes_are(case: tuple[Family, list[Network], list[Network]]) -> None:
    """Exactly there: one key for each prefix."""
    family, some, others = case
    keys = prefix_keys(columns(some + others, family))

    assert len(np.unique(keys)) == len(set(some + others))
