"""Tests for rpkival.lab.number_resources."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.lab.number_resources import INHERIT, Resources, address_bits
from rpkival.objects import resources as objects


def near_networks() -> st.SearchStrategy[ipaddress.IPv4Network]:
    """Prefixes of 10.0.0.0/24, which often overlap and touch."""
    return st.builds(
        lambda last, length: ipaddress.IPv4Network((10 << 24 | last, length), strict=False),
        st.integers(0, 255),
        st.integers(24, 32),
    )


@pytest.mark.parametrize(
    ("prefix", "encoded"),
    [
        # RFC 3779 section 2.1.1 and appendix B
        ("10.0.0.4/32", "0305000a000004"),
        ("10.5.0.4/30", "0305020a050004"),
        ("10.5.0.0/23", "0304010a0500"),
        ("0.0.0.0/0", "030100"),
        ("2001:0:200:3::/64", "0309002001000002000003"),
        ("2001:0:200::/39", "0306012001000002"),
    ],
)
def test_prefixes_are_bit_strings(prefix: str, encoded: str) -> None:
    """The examples of RFC 3779."""
    network = ipaddress.ip_network(prefix)

    bits = address_bits(int(network.network_address), network.prefixlen, network.max_prefixlen)

    assert bits == bytes.fromhex(encoded)


@given(st.lists(near_networks(), min_size=1, max_size=12))
def test_blocks_are_canonical_and_lose_nothing(networks: list[ipaddress.IPv4Network]) -> None:
    """Whatever prefixes go in, the strict reader takes what comes out, and finds the same addresses in it."""
    blocks = Resources([str(network) for network in networks]).address_blocks()
    assert blocks is not None

    ipv4, ipv6 = objects.parse_ip_blocks(blocks)

    assert ipv6 is None
    assert isinstance(ipv4, tuple)
    found = (ipaddress.summarize_address_range(*map(ipaddress.IPv4Address, block)) for block in ipv4)
    assert {network for part in found for network in part} == set(ipaddress.collapse_addresses(networks))


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 5)), min_size=1, max_size=12))
def test_as_numbers_are_canonical_and_lose_nothing(parts: list[tuple[int, int]]) -> None:
    """As the addresses."""
    encoded = Resources(asns=[first if not more else (first, first + more) for first, more in parts]).as_identifiers()
    assert encoded is not None

    ranges = objects.parse_as_identifiers(encoded)

    assert isinstance(ranges, tuple)
    assert {asn for first, last in ranges for asn in range(first, last + 1)} == {
        asn for first, more in parts for asn in range(first, first + more + 1)
    }


def test_nothing_and_everything() -> None:
    """No resources make no extension; to inherit is said for all kinds."""
    assert Resources().address_blocks() is None
    assert Resources().as_identifiers() is None
    assert objects.parse_ip_blocks(INHERIT.address_blocks()) == (objects.INHERIT, objects.INHERIT)
    assert objects.parse_as_identifiers(INHERIT.as_identifiers()) is objects.INHERIT
