"""The difference of two payloads, against Python's own sets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rpkival.payload.changes import apply, diff, diff_vrps
from rpkival.payload.payload import Aspa, Payload, RouterKey
from rpkival.payload.vrps import Vrp, Vrps

Key = tuple[str, int, int]
ASPAS = st.dictionaries(
    st.integers(1, 4), st.frozensets(st.integers(0, 3), min_size=1).map(sorted).map(tuple), max_size=4
).map(lambda told: tuple(Aspa(customer, providers) for customer, providers in sorted(told.items())))
ROUTER_KEYS = st.frozensets(
    st.builds(RouterKey, st.integers(1, 2), st.sampled_from([b"a" * 20, b"b" * 20]), st.sampled_from([b"k", b"l"]))
).map(tuple)


def keys(vrps: Vrps) -> list[Key]:
    """What makes each VRP what it is."""
    return [(vrp.prefix, vrp.max_length, vrp.asn) for vrp in vrps]


def told(payload: Payload) -> set[object]:
    """All that a payload says, as one set."""
    aspas = {(aspa.customer, aspa.providers) for aspa in payload.aspas}
    return {*keys(payload.vrps), *aspas, *(key.identity for key in payload.router_keys)}


@given(st.data())
def test_difference_is_that_of_sets(vrp_sets: st.SearchStrategy[Vrps], data: st.DataObject) -> None:
    """Announced is new minus old, withdrawn is old minus new, each once; applying it gives new."""
    payloads = st.builds(Payload, vrp_sets, ASPAS, ROUTER_KEYS)
    old, new = data.draw(payloads), data.draw(payloads)

    changes = diff(old, new)

    assert told(changes.announced) == told(new) - told(old)
    assert told(changes.withdrawn) == told(old) - told(new)
    assert len(changes) == len(told(new) ^ told(old))
    again = apply(changes, old)
    assert keys(again.vrps) == keys(new.vrps.unique_sorted())
    assert (again.aspas, again.router_keys) == (new.unique_sorted().aspas, new.unique_sorted().router_keys)


def test_another_expiry_or_trust_anchor_is_no_change() -> None:
    """RTR tells routers prefix, max_length and ASN; the rest must not wake them."""
    old = Payload(
        Vrps.of([Vrp("192.0.2.0/24", 24, 64496, "ripe", 10)]),
        (Aspa(1, (2,), "ripe", 10),),
        (RouterKey(1, bytes(20), b"k", "ripe", 10),),
    )
    new = Payload(
        Vrps.of([Vrp("192.0.2.0/24", 24, 64496, "apnic", 20)]),
        (Aspa(1, (2,), "apnic", 20),),
        (RouterKey(1, bytes(20), b"k", "apnic", 20),),
    )

    assert len(diff(old, new)) == 0


def test_names_follow_their_vrps_through_a_change() -> None:
    """Trust anchor and source of an announced VRP are its own, though the tables of names were others."""
    old = Vrps.of([Vrp("192.0.2.0/24", 24, 64496, "ripe", 10, "rsync://a/a.roa"), Vrp("10.0.0.0/8", 8, 0, "arin")])
    new = Vrps.of([Vrp("2001:db8::/32", 48, 64497, "apnic", 20, "rsync://b/b.roa"), Vrp("10.0.0.0/8", 8, 0, "arin")])

    changes = diff(Payload(old), Payload(new))

    assert list(apply(changes, Payload(old)).vrps) == list(new)
    assert list(diff_vrps(old, new).announced) == list(changes.announced.vrps)


def test_names_are_kept_once_however_often_sets_are_joined() -> None:
    """A cache that applies deltas for years must not grow its table of names."""
    one = Vrps.of([Vrp("192.0.2.0/24", 24, 64496, "ripe", 10, "rsync://a/a.roa")])
    two = Vrps.of([Vrp("192.0.2.0/24", 24, 64497, "ripe", 10, "rsync://a/a.roa")])

    joined = Vrps.concat([one, two, one])

    assert (joined.trust_anchors, joined.sources) == (("ripe",), ("rsync://a/a.roa",))
    assert len(joined.unique_sorted()) == 2
