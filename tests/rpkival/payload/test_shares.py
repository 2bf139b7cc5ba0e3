"""Which repository has which share of the payload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.objects.resources import Resources, united
from rpkival.payload.collect import collect
from rpkival.payload.shares import KINDS, overlapping, with_shares
from rpkival.prefixes import Family, Prefixes
from rpkival.validation.lifetime import Lifetime
from rpkival.validation.report import (
    Counts,
    RepositoryReport,
    Share,
    TrustAnchorReport,
    ValidatedAspa,
    ValidatedRouterKey,
    ValidationRun,
)
from rpkival.validation.roas import ValidatedRoa, ValidatedRoas

TEN = 10 << 24
SIX = 0x2001_0DB8 << 96


def until(end: int) -> Lifetime:
    """All of it."""
    return Lifetime(1, end, 1, end, end)


def roa(uri: str, anchor: str, expires: int, *ipv4: tuple[int, int, int], six: bool = False) -> ValidatedRoa:
    """One of AS 64500."""
    return ValidatedRoa(uri, "00", anchor, 64500, ipv4, ((SIX, 32, 48),) if six else (), until(expires))


A, B, C = "rsync://a/m/", "rsync://b/m/", "rsync://c/m/"
RUN = ValidationRun(
    100,
    tuple(TrustAnchorReport(name, f"rsync://{name}/m/ta.cer", Counts()) for name in "xyz"),
    ValidatedRoas.of(
        (
            roa(f"{A}one/1.roa", "x", 200, (TEN, 8, 24), (TEN, 16, 16), six=True),
            roa(f"{A}one/2.roa", "x", 200, (TEN, 8, 24)),
            roa(f"{B}two/3.roa", "x", 300, (TEN, 16, 16), (TEN + (1 << 16), 16, 16)),
            roa(f"{B}two/4.roa", "y", 100, (TEN, 8, 24), six=True),
        )
    ),
    (),
    (),
    (
        ValidatedAspa(f"{A}one/1.asa", "x", 64500, (1,), until(200)),
        ValidatedAspa(f"{B}two/2.asa", "x", 64500, (2,), until(200)),
    ),
    (
        ValidatedRouterKey(f"{A}one/1.cer", "x", ((1, 3), (7, 7)), b"k" * 20, b"key", until(200)),
        ValidatedRouterKey(f"{B}two/2.cer", "y", ((3, 3),), b"k" * 20, b"key", until(300)),
    ),
    tuple(RepositoryReport(name, uri, Counts()) for name, uri in (("x", A), ("x", B), ("y", B), ("z", C))),
    (),
    {("x", f"{A}one/"): A, ("x", f"{B}two/"): B, ("y", f"{B}two/"): B},
)


def shares(run: ValidationRun) -> Mapping[tuple[str, str, str], tuple[int, int, int, int]]:
    """The numbers by trust anchor, repository ("" for all of them) and kind."""
    counted = with_shares(run, collect(run))
    parts = [(anchor.name, "", anchor.shares) for anchor in counted.trust_anchors]
    parts += [(each.trust_anchor, each.uri, each.shares) for each in counted.repositories]
    assert all(tuple(share.kind for share in part) == KINDS for _, _, part in parts)
    return {
        (name, uri, share.kind): (share.valid, share.unique, share.duplicates, share.unsafe)
        for name, uri, part in parts
        for share in part
    }


def test_of_equal_ones_the_payload_has_one() -> None:
    """That which lasts longest, and that one's repository has it."""
    found = shares(RUN)
    assert {key: numbers for key, numbers in found.items() if numbers != (0, 0, 0, 0)} == {
        ("x", "", "ipv4"): (5, 3, 2, 0),
        ("x", "", "ipv6"): (1, 1, 0, 0),
        ("x", "", "aspas"): (2, 1, 1, 0),
        ("x", "", "router_keys"): (4, 3, 1, 0),
        ("y", "", "ipv4"): (1, 0, 1, 0),
        ("y", "", "ipv6"): (1, 0, 1, 0),
        ("y", "", "router_keys"): (1, 1, 0, 0),
        ("x", A, "ipv4"): (3, 1, 2, 0),
        ("x", A, "ipv6"): (1, 1, 0, 0),
        ("x", A, "aspas"): (1, 1, 0, 0),
        ("x", A, "router_keys"): (4, 3, 1, 0),
        ("x", B, "ipv4"): (2, 2, 0, 0),
        ("x", B, "aspas"): (1, 0, 1, 0),
        ("y", B, "ipv4"): (1, 0, 1, 0),
        ("y", B, "ipv6"): (1, 0, 1, 0),
        ("y", B, "router_keys"): (1, 1, 0, 0),
    }
    payload = collect(RUN)
    everything = [number for (_, uri, _), number in found.items() if not uri]
    assert sum(unique for _, unique, _, _ in everything) == len(payload)


@pytest.mark.parametrize(
    ("lost", "unsafe"),
    [
        (Resources(), {}),
        (Resources(((TEN + (1 << 16), TEN + (1 << 17) - 1),)), {("x", A): 2, ("x", B): 1, ("y", B): 1}),
        (Resources(((TEN + (1 << 16) - 1, TEN + (1 << 16)),)), {("x", A): 3, ("x", B): 2, ("y", B): 1}),
        (Resources(((TEN - 1, TEN - 1), (TEN + (1 << 24), TEN + (1 << 24)))), {}),
        (Resources((), ((SIX + 5, SIX + 5),)), {("x", A): 1, ("y", B): 1}),
        (Resources((), ((SIX - 1, SIX - 1), (SIX + (1 << 96), SIX + (1 << 96)))), {}),
    ],
)
def test_what_overlaps_with_what_is_lost_is_unsafe(lost: Resources, unsafe: dict[tuple[str, str], int]) -> None:
    """Each time that it is said, whichever repository says it."""
    found = shares(replace(RUN, lost=lost))
    by_place = {
        (name, uri): sum(found[name, uri, kind][3] for kind in KINDS) for name, uri, kind in found if kind == "ipv4"
    }
    assert {key: number for key, number in by_place.items() if number and key[1]} == unsafe
    assert by_place["x", ""] == sum(number for (name, _), number in unsafe.items() if name == "x")


def test_nothing_is_of_nobody() -> None:
    """A run without any object, and one without any trust anchor."""
    empty = ValidationRun(100, RUN.trust_anchors[:1], ValidatedRoas(), (), ())
    assert with_shares(empty, collect(empty)).trust_anchors[0].shares == tuple(Share(kind, 0, 0, 0) for kind in KINDS)
    nobody = ValidationRun(100, (), ValidatedRoas(), (), ())
    assert with_shares(nobody, collect(nobody)) == nobody


def ranges(bits: int) -> st.SearchStrategy[Any]:
    """Some addresses close to each other, and some at the ends of words: what octets may sort wrongly."""
    ends = st.one_of(st.integers(0, 2**bits - 1), st.sampled_from([0, 255, 256, 2**64 - 1, 2**64, 2**bits - 1]))
    pairs = st.tuples(ends, ends).map(lambda pair: (min(pair) % 2**bits, max(pair) % 2**bits))
    return st.lists(pairs.filter(lambda pair: pair[0] <= pair[1]), min_size=1, max_size=6).map(united)


@given(st.data(), st.sampled_from([4, 6]))
def test_overlaps_are_those_of_integers(data: st.DataObject, family: Family) -> None:
    """For any ranges and prefixes."""
    bits = 32 if family == 4 else 128
    lost = data.draw(ranges(bits))
    some = st.tuples(
        st.integers(0, 2**bits - 1) | st.sampled_from([end for pair in lost for end in pair]), st.integers(0, bits)
    )
    chosen = [(address >> (bits - length) << (bits - length), length) for address, length in data.draw(st.lists(some))]
    prefixes = Prefixes.of_integers(family, [address for address, _ in chosen], [length for _, length in chosen])
    assert overlapping(prefixes, lost).tolist() == [
        any(first < address + 2 ** (bits - length) and last >= address for first, last in lost)
        for address, length in chosen
    ]
