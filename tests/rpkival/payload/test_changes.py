"""The difference of two VRP sets, against Python's own sets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rpkival.payload.changes import apply, diff
from rpkival.payload.vrps import Vrp, Vrps

Key = tuple[str, int, int]


def keys(vrps: Vrps) -> list[Key]:
    """What makes each VRP what it is."""
    return [(vrp.prefix, vrp.max_length, vrp.asn) for vrp in vrps]


@given(st.data())
def test_difference_is_that_of_sets(vrp_sets: st.SearchStrategy[Vrps], data: st.DataObject) -> None:
    """Announced is new minus old, withdrawn is old minus new, each once; applying it gives new."""
    old, new = data.draw(vrp_sets), data.draw(vrp_sets)

    changes = diff(old, new)

    assert sorted(keys(changes.announced)) == sorted(set(keys(new)) - set(keys(old)))
    assert sorted(keys(changes.withdrawn)) == sorted(set(keys(old)) - set(keys(new)))
    assert len(changes) == len(set(keys(new)) ^ set(keys(old)))
    assert keys(apply(changes, old)) == keys(new.unique_sorted())


def test_another_expiry_or_trust_anchor_is_no_change() -> None:
    """RTR tells routers prefix, max_length and ASN; the rest must not wake them."""
    old = Vrps.of([Vrp("192.0.2.0/24", 24, 64496, "ripe", 10)])
    new = Vrps.of([Vrp("192.0.2.0/24", 24, 64496, "apnic", 20)])

    assert len(diff(old, new)) == 0


def test_names_follow_their_vrps_through_a_change() -> None:
    """Trust anchor and source of an announced VRP are its own, though the tables of names were others."""
    old = Vrps.of([Vrp("192.0.2.0/24", 24, 64496, "ripe", 10, "rsync://a/a.roa"), Vrp("10.0.0.0/8", 8, 0, "arin")])
    new = Vrps.of([Vrp("2001:db8::/32", 48, 64497, "apnic", 20, "rsync://b/b.roa"), Vrp("10.0.0.0/8", 8, 0, "arin")])

    assert list(apply(diff(old, new), old)) == list(new)


def test_names_are_kept_once_however_often_sets_are_joined() -> None:
    """A cache that applies deltas for years must not grow its table of names."""
    one = Vrps.of([Vrp("192.0.2.0/24", 24, 64496, "ripe", 10, "rsync://a/a.roa")])
    two = Vrps.of([Vrp("192.0.2.0/24", 24, 64497, "ripe", 10, "rsync://a/a.roa")])

    joined = Vrps.concat([one, two, one])

    assert (joined.trust_anchors, joined.sources) == (("ripe",), ("rsync://a/a.roa",))
    assert len(joined.unique_sorted()) == 2
