"""Constraints on trust anchors, in rpki-client's format."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.errors import FormatError, LimitError
from rpkival.limits import MAX_CONSTRAINTS, MAX_CONSTRAINTS_BYTES
from rpkival.objects.constraints import Constraints, parse_constraints
from rpkival.objects.resources import INHERIT, ResourceClaims, Resources, intersection, united

TEXT = b"""
# a registry's
allow 41.0.0.0/8
allow 42.0.0.0 - 42.0.255.255   # a range
  allow 2001:4200::/23
allow 2c00::-2c00:ffff:ffff:ffff:ffff:ffff:ffff:ffff
allow 36864 - 36870
allow 36871
deny 41.5.0.0/16
deny 36865
"""


def net(first: int, second: int, bits: int = 16) -> tuple[int, int]:
    """The IPv4 range of first.second.0.0/bits."""
    start = (first << 24) + (second << 16)
    return start, start + (1 << (32 - bits)) - 1


def test_all_forms_are_read() -> None:
    """Prefixes, ranges with and without blanks, AS numbers; touching ones become one."""
    found = parse_constraints(TEXT, "it")
    assert found.allow.ipv4 == ((net(41, 0)[0], net(42, 0)[1]),)
    assert found.allow.ipv6 == ((0x20014200 << 96, (0x20014400 << 96) - 1), (0x2C00 << 112, (0x2C01 << 112) - 1))
    assert found.allow.asn == ((36864, 36871),)
    assert found.deny == Resources((net(41, 5),), (), ((36865, 36865),))


@pytest.mark.parametrize(
    ("claims", "violation"),
    [
        (ResourceClaims(ipv4=(net(41, 1),)), None),
        (ResourceClaims(ipv4=(net(41, 1), net(43, 0))), "43.0.0.0/16"),
        (ResourceClaims(ipv4=(net(41, 4, 15),)), "41.5.0.0/16"),
        (ResourceClaims(ipv6=((0x20010DB8 << 96, (0x20010DB9 << 96) - 1),)), "2001:db8::/32"),
        (ResourceClaims(asn=((36864, 36864),)), None),
        (ResourceClaims(asn=((36864, 36866),)), "AS36865"),
        (ResourceClaims(asn=((1, 2),)), "AS1-AS2"),
        (ResourceClaims(ipv4=INHERIT, ipv6=INHERIT, asn=INHERIT), None),
        (ResourceClaims(), None),
    ],
)
def test_what_is_not_allowed_or_denied_is_named(claims: ResourceClaims, violation: str | None) -> None:
    """What an end entity has must be wholly allowed and must not meet what is denied; what it inherits may."""
    assert parse_constraints(TEXT, "it").violation(claims) == violation


def test_addresses_of_one_family_bind_both() -> None:
    """As in rpki-client: whoever allows only IPv4 addresses allows no IPv6 ones, and all AS numbers."""
    found = parse_constraints(b"allow 10.0.0.0/8\n", "it")
    assert found.violation(ResourceClaims(ipv6=((0, 1),))) == "::/127"
    assert found.violation(ResourceClaims(asn=((1, 1),))) is None


def test_denials_alone_leave_the_rest() -> None:
    """And an empty file leaves everything."""
    assert parse_constraints(b"deny 10.0.0.0/8\n", "it").violation(ResourceClaims(ipv4=(net(11, 0),))) is None
    assert parse_constraints(b"# nothing\n\n", "it") == Constraints()


@pytest.mark.parametrize(
    "line",
    [
        "permit 10.0.0.0/8",
        "allow",
        "allow 10.0.0.1/8",
        "allow 10.0.0.0/33",
        "allow 10.0.0.9 - 10.0.0.1",
        "allow 10.0.0.1 - ::1",
        "allow 1 - 2 - 3",
        "allow 5-4",
        "deny AS5",
        "deny 4294967296",
        "deny -1",
        "allow10.0.0.0/8",
    ],
)
def test_a_wrong_line_is_named(line: str) -> None:
    """A typo must not quietly allow or deny something else."""
    with pytest.raises(FormatError, match="it, line 2: "):
        parse_constraints(f"# first\n{line}\n".encode(), "it")


@pytest.mark.parametrize("data", [b"#" * (MAX_CONSTRAINTS_BYTES + 1), b"\n" * (MAX_CONSTRAINTS + 1)])
def test_files_have_bounds(data: bytes) -> None:
    """In octets and in lines."""
    with pytest.raises(LimitError):
        parse_constraints(data, "it")


def test_octets_that_are_no_text_are_refused() -> None:
    """As of a file given by mistake."""
    with pytest.raises(FormatError, match="not text"):
        parse_constraints(b"\xff\xfe", "it")


BLOCKS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9)).map(lambda block: (block[0], block[0] + block[1])))


def members(blocks: object) -> set[int]:
    """All numbers in blocks."""
    assert isinstance(blocks, list | tuple)
    return {number for first, last in blocks for number in range(first, last + 1)}


@given(BLOCKS, BLOCKS)
def test_ranges_are_sets(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    """Union and intersection, held against sets of numbers; both are canonical."""
    left, right = united(one), united(other)
    assert members(left) == members(one)
    both = intersection(left, right)
    assert members(both) == members(one) & members(other)
    for ranges in (left, right, both):
        assert ranges == united(ranges)
