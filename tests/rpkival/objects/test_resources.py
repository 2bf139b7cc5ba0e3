"""Tests for rpkival.objects.resources: set arithmetic against Python's own sets, and the RFC's canonical form."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

import pytest
from cryptography.hazmat.asn1 import BitString
from hypothesis import given
from hypothesis import strategies as st

from rpkival.errors import ObjectError
from rpkival.objects.asn1 import ip_resources
from rpkival.objects.asn1.der import contents_of, encode
from rpkival.objects.resources import (
    INHERIT,
    Ranges,
    ResourceClaims,
    Resources,
    first_outside,
    format_ranges,
    parse_as_identifiers,
    parse_ip_blocks,
)

SMALL = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)).map(sorted).map(tuple), max_size=12)
ADDRESSES_4 = st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**20)), min_size=1, max_size=8)


def normalised(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Any ranges (`first <= last`) as a set: sorted, with what overlaps or touches joined."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return tuple(joined)


def members(ranges: Ranges) -> set[int]:
    """Every number of small ranges."""
    return {number for first, last in ranges for number in range(first, last + 1)}


def encode_blocks(family: bytes, ranges: list[tuple[int, int]], bits: int, *, as_ranges: bool = False) -> bytes:
    """IPAddrBlocks of one family, encoded without any care for canonical form."""
    blocks: list[BitString | ip_resources.IPAddressRange] = []
    for first, last in ranges:
        size = last - first + 1
        if not as_ranges and size & (size - 1) == 0 and first % size == 0:
            blocks.append(bit_string(first, bits - size.bit_length() + 1, bits))
        else:
            blocks.append(
                ip_resources.IPAddressRange(min=bit_string(first, bits, bits), max=bit_string(last, bits, bits))
            )
    families = [ip_resources.IPAddressFamily(address_family=family, addresses_or_ranges=blocks)]
    data = encode(ip_resources.IPAddrBlocks(families=families))
    return data[contents_of(data) :]


def bit_string(address: int, length: int, bits: int) -> BitString:
    """The first `length` bits of an address."""
    size = (length + 7) // 8
    return BitString((address >> (bits - 8 * size)).to_bytes(size, "big"), 8 * size - length)


@given(SMALL, SMALL)
def test_nothing_is_outside_of_a_superset(outer: list[tuple[int, int]], inner: list[tuple[int, int]]) -> None:
    """As Python's sets say."""
    big, small = normalised(outer), normalised(inner)
    assert (first_outside(big, small) is None) == (members(small) <= members(big))


@given(SMALL, SMALL)
def test_first_outside_is_really_outside(outer: list[tuple[int, int]], inner: list[tuple[int, int]]) -> None:
    """The range that is named has a member that the outer set lacks."""
    outside = first_outside(normalised(outer), normalised(inner))
    if outside is not None:
        assert outside in normalised(inner)
        assert members((outside,)) - members(normalised(outer))


@given(ADDRESSES_4)
def test_canonical_blocks_are_read_back(starts: list[tuple[int, int]]) -> None:
    """Any set in canonical form comes through encoding and parsing unchanged."""
    ranges = normalised((first, min(first + size, 2**32 - 1)) for first, size in starts)
    assert parse_ip_blocks(encode_blocks(b"\x00\x01", list(ranges), 32)) == (ranges, None)


@given(st.lists(st.tuples(st.integers(0, 2**128 - 1), st.integers(0, 127)), min_size=1, max_size=6))
def test_ipv6_prefixes_are_read_back(prefixes: list[tuple[int, int]]) -> None:
    """IPv6 as IPv4."""
    ranges = normalised((first >> host << host, (first >> host << host) + (1 << host) - 1) for first, host in prefixes)
    assert parse_ip_blocks(encode_blocks(b"\x00\x02", list(ranges), 128)) == (None, ranges)


@pytest.mark.parametrize(
    ("ranges", "why"),
    [
        ([(8, 15), (0, 7)], "descending"),
        ([(0, 7), (8, 15)], "adjacent"),
        ([(0, 15), (8, 15)], "overlapping"),
        ([(0, 7), (0, 7)], "twice"),
    ],
)
def test_other_forms_are_refused(ranges: list[tuple[int, int]], why: str) -> None:
    """A set has one form only."""
    with pytest.raises(ObjectError, match=r"canonical form.*\(RFC 3779 section 2\.2\.3\.6\)"):
        parse_ip_blocks(encode_blocks(b"\x00\x01", ranges, 32))


def test_a_range_that_is_a_prefix_is_refused() -> None:
    """RFC 3779 section 2.2.3.7."""
    with pytest.raises(ObjectError, match="could be written as a prefix"):
        parse_ip_blocks(encode_blocks(b"\x00\x01", [(0, 255)], 32, as_ranges=True))


def test_a_range_that_ends_before_it_starts_is_refused() -> None:
    """First beyond last."""
    with pytest.raises(ObjectError, match="ends before it starts"):
        parse_ip_blocks(encode_blocks(b"\x00\x01", [(9, 5)], 32, as_ranges=True))


def test_an_ipv6_address_in_the_ipv4_family_is_refused() -> None:
    """The number of bits is the family's."""
    with pytest.raises(ObjectError, match="has 48 bits, but the family has only 32"):
        parse_ip_blocks(encode_blocks(b"\x00\x01", [(1 << 80, (1 << 81) - 1)], 128))


@pytest.mark.parametrize("family", [b"\x00\x03", b"\x00\x01\x01", b"", b"\x00"])
def test_other_families_are_refused(family: bytes) -> None:
    """AFI 1 and 2, and no SAFI (RFC 6487 section 4.8.10)."""
    with pytest.raises(ObjectError, match=r"RFC 6487 section 4\.8\.10"):
        parse_ip_blocks(encode_blocks(family, [(0, 255)], 32))


def test_as_numbers_are_read() -> None:
    """Single numbers and ranges."""
    data = encode(ip_resources.ASIdentifiers(asnum=[5, ip_resources.ASRange(min=7, max=9), 4294967295]))
    assert parse_as_identifiers(data) == ((5, 5), (7, 9), (4294967295, 4294967295))


def test_as_inherit_is_read() -> None:
    """The NULL of inherit."""
    assert parse_as_identifiers(ip_resources.AS_INHERIT) is INHERIT


@pytest.mark.parametrize("numbers", [[5, 6], [6, 5], [5, 5], [-1], [2**32], []])
def test_as_numbers_in_another_form_are_refused(numbers: list[int | ip_resources.ASRange]) -> None:
    """Adjacent, descending, repeated, out of range, none."""
    with pytest.raises(ObjectError, match=r"RFC 3779 section 3\.2\.3"):
        parse_as_identifiers(encode(ip_resources.ASIdentifiers(asnum=numbers)))


def test_claims_inherit_from_the_issuer() -> None:
    """What is inherited is the issuer's, what is not claimed is nothing."""
    issuer = Resources(((0, 99),), ((0, 9),), ((1, 5),))
    assert ResourceClaims(INHERIT, None, ((2, 3),)).under(issuer) == Resources(((0, 99),), (), ((2, 3),))


def test_claims_beyond_the_issuer_are_refused() -> None:
    """The sentence names the first block too many."""
    issuer = Resources(((0x0A000000, 0x0AFFFFFF),), (), ())
    with pytest.raises(ObjectError, match=r"IPv4 addresses 11\.0\.0\.0/16, which its issuer does not have"):
        ResourceClaims(((0x0A000000, 0x0A0000FF), (0x0B000000, 0x0B00FFFF)), None, None).under(issuer)


@given(st.integers(0, 2**32 - 1), st.integers(0, 32))
def test_prefixes_are_written_as_prefixes(address: int, host: int) -> None:
    """As the standard library writes them."""
    first = address >> host << host
    assert format_ranges(((first, first + (1 << host) - 1),), 4) == [str(ipaddress.ip_network((first, 32 - host)))]


def test_ranges_and_numbers_are_written() -> None:
    """What is no prefix is a range."""
    assert format_ranges(((1, 2),), 4) == ["0.0.0.1-0.0.0.2"]
    assert format_ranges(((0, (1 << 96) - 1),), 6) == ["::/32"]
    assert format_ranges(((5, 5), (7, 9)), 0) == ["AS5", "AS7-AS9"]


@given(st.binary(max_size=80))
def test_noise_is_refused_politely(data: bytes) -> None:
    """Nothing but `ObjectError` comes out of octets that mean nothing."""
    for parse in (parse_ip_blocks, parse_as_identifiers):
        try:
            parse(data)
        except ObjectError:
            continue
