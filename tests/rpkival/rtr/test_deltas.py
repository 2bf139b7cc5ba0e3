"""Deltas in a row, against the difference of the ends, and what a router refuses to apply."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.payload.changes import Changes, diff
from rpkival.payload.payload import Aspa, Payload, RouterKey
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.rtr.deltas import apply_strictly, merge
from rpkival.rtr.errors import DuplicateAnnouncementError, PduError, UnknownWithdrawalError

NOTHING = Payload.empty()
HERE = Payload(
    Vrps.of([Vrp("192.0.2.0/24", 24, 64496)]), (Aspa(64496, (64497,)),), (RouterKey(64496, b"a" * 20, b"key"),)
)


@given(st.data())
def test_merged_deltas_are_the_difference_of_the_ends(
    few_payloads: st.SearchStrategy[Payload], told: Callable[[Payload], object], data: st.DataObject
) -> None:
    """Whatever lies between, only the net change is told, each thing at most once."""
    history = data.draw(st.lists(few_payloads, min_size=2, max_size=6))

    merged = merge([diff(old, new) for old, new in pairwise(history)])

    net = diff(history[0], history[-1])
    assert told(merged.announced) == told(net.announced)
    assert told(merged.withdrawn) == told(net.withdrawn)


@given(st.data())
def test_a_delta_applied_gives_the_new_payload(
    few_payloads: st.SearchStrategy[Payload], told: Callable[[Payload], object], data: st.DataObject
) -> None:
    """What the cache subtracts, the client adds."""
    old, new = data.draw(few_payloads).unique_sorted(), data.draw(few_payloads).unique_sorted()

    assert told(apply_strictly(old, diff(old, new))) == told(new)


@pytest.mark.parametrize(
    ("changes", "error", "about"),
    [
        (
            Changes(NOTHING, Payload(Vrps.of([Vrp("192.0.2.0/24", 25, 64496)]))),
            UnknownWithdrawalError,
            "/24-25 AS64496",
        ),
        (Changes(Payload(HERE.vrps), NOTHING), DuplicateAnnouncementError, "192.0.2.0/24-24 AS64496"),
        (Changes(NOTHING, Payload(Vrps.empty(), (Aspa(1, ()),))), UnknownWithdrawalError, "ASPA of AS1 "),
        (
            Changes(NOTHING, Payload(Vrps.empty(), (), (RouterKey(64496, b"a" * 20, b"other"),))),
            UnknownWithdrawalError,
            "router key of AS64496",
        ),
        (Changes(Payload(Vrps.empty(), (), HERE.router_keys), NOTHING), DuplicateAnnouncementError, "key of AS64496"),
    ],
)
def test_a_client_refuses_what_cannot_be(changes: Changes, error: type[PduError], about: str) -> None:
    """RFC 8210 section 12: codes 6 and 7, with what it is about in words."""
    with pytest.raises(error, match=about):
        apply_strictly(HERE, changes)


def test_an_aspa_announced_again_replaces(told: Callable[[Payload], object]) -> None:
    """draft-ietf-sidrops-8210bis-26 section 5.12: whatever providers it had, and also where it is the same."""
    for providers in ((64497,), (1, 2)):
        new = apply_strictly(HERE, Changes(Payload(Vrps.empty(), (Aspa(64496, providers),)), NOTHING))
        assert [(aspa.customer, aspa.providers) for aspa in new.aspas] == [(64496, providers)]
