"""Tests for rpkival.payload.collect."""

from __future__ import annotations

from dataclasses import replace

from rpkival.payload.collect import collect
from rpkival.payload.payload import Aspa, RouterKey
from rpkival.payload.vrps import Vrp
from rpkival.validation.lifetime import Lifetime
from rpkival.validation.report import Counts, TrustAnchorReport, ValidatedAspa, ValidatedRouterKey, ValidationRun
from rpkival.validation.roas import ValidatedRoa, ValidatedRoas

ANCHORS = (
    TrustAnchorReport("a", "rsync://a/m/ta.cer", Counts()),
    TrustAnchorReport("b", "rsync://b/m/ta.cer", Counts()),
)
FIRST = ValidatedRoa(
    "rsync://a/m/1.roa",
    "00",
    "a",
    64500,
    ((0x0A000000, 8, 24), (0xC0000200, 24, 24)),
    ((0x20010DB8 << 96, 32, 48),),
    Lifetime(10, 900, 50, 220, 200),
)
SECOND = ValidatedRoa(
    "rsync://b/m/2.roa", "01", "b", 64500, ((0xC0000200, 24, 24),), (), Lifetime(20, 800, 60, 300, 310)
)
RUN = ValidationRun(100, ANCHORS, ValidatedRoas.of((FIRST, SECOND)), (), ())


def test_roas_become_sorted_vrps() -> None:
    """With trust anchor, expiry and source; of two equal VRPs the one that lasts longer stays."""
    assert list(collect(RUN).vrps) == [
        Vrp("10.0.0.0/8", 24, 64500, "a", 200, "rsync://a/m/1.roa"),
        Vrp("192.0.2.0/24", 24, 64500, "b", 300, "rsync://b/m/2.roa"),
        Vrp("2001:db8::/32", 48, 64500, "a", 200, "rsync://a/m/1.roa"),
    ]


def test_each_object_has_its_lifetime() -> None:
    """A row for each source; 0 for what has none."""
    vrps = collect(RUN).vrps
    assert vrps.sources == (FIRST.uri, SECOND.uri)
    assert [tuple(row) for row in vrps.lifetime_table.tolist()] == [FIRST.lifetime, SECOND.lifetime, (0,) * 5]


def test_aspas_and_router_keys_have_theirs() -> None:
    """A certificate for several ASes gives a key of the same lifetime to each."""
    aspa = ValidatedAspa("rsync://a/m/3.asa", "a", 64500, (64501,), Lifetime(1, 9, 2, 8, 7))
    key = ValidatedRouterKey("rsync://a/m/4.cer", "a", ((64500, 64501),), bytes(20), b"key", Lifetime(1, 8, 2, 5, 6))
    payload = collect(replace(RUN, aspas=(aspa,), router_keys=(key,)))
    assert payload.aspas == (Aspa(64500, (64501,), "a", 7, aspa.uri, aspa.lifetime),)
    assert payload.router_keys == tuple(
        RouterKey(asn, bytes(20), b"key", "a", 5, key.uri, key.lifetime) for asn in (64500, 64501)
    )


def test_a_run_without_roas_gives_none() -> None:
    """Empty columns of the right kinds, also without any trust anchor."""
    assert len(collect(replace(RUN, roas=ValidatedRoas()))) == 0
    assert len(collect(ValidationRun(100, (), ValidatedRoas(), (), ()))) == 0


def test_as_numbers_and_addresses_reach_their_ends() -> None:
    """The largest of each."""
    roa = replace(FIRST, asn=2**32 - 1, ipv4=((2**32 - 1, 32, 32),), ipv6=((2**128 - 1, 128, 128),))
    rows = list(collect(replace(RUN, roas=ValidatedRoas.of((roa,)))).vrps)
    assert [(row.prefix, row.asn) for row in rows] == [
        ("255.255.255.255/32", 2**32 - 1),
        ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", 2**32 - 1),
    ]
