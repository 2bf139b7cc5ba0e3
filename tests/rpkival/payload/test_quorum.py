"""Tests for rpkival.payload.quorum: the same as counting by hand."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.payload.payload import Aspa, Payload, RouterKey
from rpkival.payload.quorum import agree
from rpkival.payload.vrps import Vrp, Vrps

VRPS = [
    Vrp(prefix, max_length, asn)
    for prefix, max_length in (("10.0.0.0/8", 8), ("10.0.0.0/8", 24), ("10.1.0.0/16", 16), ("2001:db8::/32", 48))
    for asn in (0, 64496, 2**32 - 1)
]
ASPAS = [Aspa(customer, providers) for customer in (1, 2) for providers in ((0,), (3,), (3, 4))]
KEYS = [RouterKey(asn, bytes([number]) * 20, b"key") for asn in (1, 2) for number in (1, 2)]

PAYLOADS = st.builds(
    lambda vrps, aspas, keys: Payload(
        Vrps.of(vrps), tuple({aspa.customer: aspa for aspa in aspas}.values()), tuple(keys)
    ).unique_sorted(),
    st.lists(st.sampled_from(VRPS), unique=True),
    st.lists(st.sampled_from(ASPAS), unique=True),
    st.lists(st.sampled_from(KEYS), unique=True),
)


def said(payload: Payload) -> set[object]:
    """What a payload says, whoever says it and for how long."""
    return {
        *((vrp.prefix, vrp.max_length, vrp.asn) for vrp in payload.vrps),
        *((aspa.customer, aspa.providers) for aspa in payload.aspas),
        *(key.identity for key in payload.router_keys),
    }


@given(st.lists(PAYLOADS, min_size=1, max_size=5), st.data())
def test_what_enough_voters_say_is_agreed(voters: list[Payload], data: st.DataObject) -> None:
    """And each voter's dissent is what it says otherwise."""
    quorum = data.draw(st.integers(len(voters) // 2 + 1, len(voters)))
    votes = Counter(thing for voter in voters for thing in said(voter))
    agreed = {thing for thing, number in votes.items() if number >= quorum}

    found = agree(voters, quorum)

    assert said(found.payload) == agreed
    assert len(found.payload.unique_sorted()) == len(found.payload)
    for voter, dissent in zip(voters, found.dissents, strict=True):
        assert said(dissent.extra) == said(voter) - agreed
        assert said(dissent.missing) == agreed - said(voter)
        assert len(dissent) == len(said(voter) ^ agreed)


@pytest.mark.parametrize(("quorum", "expires"), [(1, 300), (2, 200), (3, 100)])
def test_a_vrp_holds_for_as_long_as_a_quorum_says(quorum: int, expires: int) -> None:
    """The one that says longest is not believed longer than it has company."""
    voters = [Payload(Vrps.of([Vrp("10.0.0.0/8", 8, 1, "a", end)])) for end in (200, 100, 300)]
    (vrp,) = agree(voters, quorum).payload.vrps
    assert vrp.expires == expires


def test_an_unknown_end_is_the_latest() -> None:
    """RTR tells none."""
    voters = [Payload(Vrps.of([Vrp("10.0.0.0/8", 8, 1, "", end)])) for end in (0, 100)]
    assert [vrp.expires for vrp in agree(voters, 1).payload.vrps] == [0]
    assert [vrp.expires for vrp in agree(voters, 2).payload.vrps] == [100]


def test_two_lists_of_providers_with_a_quorum_each_are_united() -> None:
    """As a cache does with two ASPAs of one customer."""
    voters = [Payload(Vrps.empty(), (Aspa(1, (2,)),)), Payload(Vrps.empty(), (Aspa(1, (3,)),))]
    assert agree(voters, 1).payload.aspas == (Aspa(1, (2, 3)),)
    assert agree(voters, 2).payload.aspas == ()


def test_names_come_along() -> None:
    """Trust anchors and sources of different voters under one table."""
    one = Payload(Vrps.of([Vrp("10.0.0.0/8", 8, 1, "a", 0, "rsync://a/1.roa")]))
    two = Payload(Vrps.of([Vrp("10.0.0.0/8", 8, 1, "b"), Vrp("192.0.2.0/24", 24, 2, "b", 0, "rsync://b/2.roa")]))
    found = agree([one, two], 2)
    assert [vrp.prefix for vrp in found.payload.vrps] == ["10.0.0.0/8"]
    assert list(found.dissents[1].extra.vrps) == [Vrp("192.0.2.0/24", 24, 2, "b", 0, "rsync://b/2.roa")]
