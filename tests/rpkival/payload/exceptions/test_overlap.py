"""RFC 8416 section 4.2: files that speak of the same are not used together."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.errors import FormatError
from rpkival.payload.exceptions.compiling import compile_exceptions

Slurm = Callable[..., bytes]
SKI = "A" * 27


@pytest.mark.parametrize(
    ("one", "other", "what"),
    [
        (
            {"prefixFilters": [{"prefix": "10.0.0.0/8"}]},
            {"prefixAssertions": [{"asn": 1, "prefix": "10.9.0.0/16"}]},
            "10.9.0.0/16",
        ),
        (
            {"prefixAssertions": [{"asn": 1, "prefix": "::/0"}]},
            {"prefixFilters": [{"prefix": "2001:db8::/32"}]},
            "2001:db8::/32",
        ),
        (
            {"prefixFilters": [{"prefix": "10.0.0.0/8"}]},
            {"prefixFilters": [{"prefix": "10.0.0.0/8", "asn": 7}]},
            "10.0.0.0/8",
        ),
        ({"bgpsecFilters": [{"asn": 7}]}, {"bgpsecFilters": [{"asn": 7, "SKI": SKI}]}, "router keys of AS7"),
        (
            {"bgpsecFilters": [{"asn": 7}]},
            {"bgpsecAssertions": [{"asn": 7, "SKI": SKI, "routerPublicKey": "AA"}]},
            "router keys of AS7",
        ),
        (
            {"aspaFilters": [{"customerAsn": 7}]},
            {"aspaAssertions": [{"customerAsn": 7, "providerAsns": [1]}]},
            "the ASPA of AS7",
        ),
    ],
)
def test_two_files_that_overlap(slurm: Slurm, one: dict[str, Any], other: dict[str, Any], what: str) -> None:
    """Both are named, and what they both speak of; in one file the same is fine."""
    with pytest.raises(FormatError, match=f"a.json and b.json both speak of {what}, "):
        compile_exceptions([("a.json", slurm(**one)), ("b.json", slurm(**other))])
    compile_exceptions([("both.json", slurm(**one, **{key: value for key, value in other.items() if key not in one}))])


def test_files_of_distinct_scopes(slurm: Slurm) -> None:
    """What RFC 8416 has several files for. Filters of an origin everywhere name no address."""
    exceptions = compile_exceptions(
        [
            ("a", slurm(prefixFilters=[{"prefix": "10.0.0.0/8"}, {"asn": 7}], aspaFilters=[{"customerAsn": 1}])),
            ("b", slurm(1, prefixAssertions=[{"asn": 7, "prefix": "11.0.0.0/8"}], prefixFilters=[{"asn": 7}])),
            ("c", slurm(prefixFilters=[{"prefix": "::/0"}], bgpsecFilters=[{"asn": 1}])),
        ]
    )

    assert [file.name for file in exceptions.files] == ["a", "b", "c"]
    assert (len(exceptions.ipv4), len(exceptions.ipv6)) == (1, 1)


@st.composite
def prefixes(draw: st.DrawFn) -> str:
    """Crowded into an octet."""
    length = draw(st.integers(24, 32))
    return str(ipaddress.ip_network((0xC0000200 + draw(st.integers(0, 255)), length), strict=False))


@given(st.lists(st.lists(prefixes(), max_size=5), min_size=2, max_size=4))
def test_overlaps_as_python_sees_them(slurm: Slurm, files: list[list[str]]) -> None:
    """Refused exactly where any two prefixes of two files overlap."""
    networks = [[ipaddress.ip_network(prefix) for prefix in each] for each in files]
    overlap = any(
        mine.overlaps(theirs)
        for at, each in enumerate(networks)
        for other in networks[at + 1 :]
        for mine in each
        for theirs in other
    )
    contents = [(str(n), slurm(prefixFilters=[{"prefix": p} for p in each])) for n, each in enumerate(files)]

    if overlap:
        with pytest.raises(FormatError, match="both speak of"):
            compile_exceptions(contents)
    else:
        compile_exceptions(contents)
