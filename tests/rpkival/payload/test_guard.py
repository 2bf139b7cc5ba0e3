"""The guard: accidents of size are held, holders' words are not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.payload.causes import Inquiry
from rpkival.payload.guard import Kind, Thresholds, Verdict, weigh
from rpkival.payload.payload import Aspa, Payload, RouterKey
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.validation.report import Rejection, Report

LOW = Thresholds(of_anchor=0.05, of_all=0.02, least=3, least_of_others=3)


def payload(anchor: str, numbers: range | list[int]) -> Payload:
    """One VRP a number, each from a ROA of its own, in one publication point a trust anchor."""
    rows = [
        Vrp(f"10.{n // 256}.{n % 256}.0/24", 24, 64496, anchor, 5000, f"rsync://{anchor}/ca/{n}.roa") for n in numbers
    ]
    return Payload(Vrps.of(rows))


def inquiry(*, failed: str = "", anchor: str = "ripe") -> Inquiry:
    rejections = (Rejection(f"rsync://{failed}/ca/ca.mft", "", "RFC 9286", "It is missing.", anchor),) if failed else ()
    return Inquiry(Report(1000, (), rejections, ()), (), 1000)


def names(verdict: Verdict) -> list[str]:
    return [hold.trust_anchor for hold in verdict.holds]


def others(anchor: str, customers: range | list[int], routers: range | list[int] = range(0)) -> Payload:
    """An ASPA a customer and a router key a router, from an object each."""
    return Payload(
        Vrps.empty(),
        tuple(Aspa(each, (1,), anchor, 5000, f"rsync://{anchor}/ca/{each}.asa") for each in customers),
        tuple(RouterKey(each, bytes(20), b"key", anchor, 5000, f"rsync://{anchor}/ca/{each}.cer") for each in routers),
    )


def test_a_collapse_is_held_and_told() -> None:
    """A publication point that failed and took all along: routers keep everything, and learn what is new."""
    served, new = payload("ripe", range(100)), payload("ripe", [500])
    verdict = weigh(served, new, inquiry(failed="ripe"), LOW)

    (hold,) = verdict.holds
    assert (hold.trust_anchor, hold.kind, hold.number, hold.total) == ("ripe", Kind.VRPS, 100, 100)
    assert hold.causes == {"point-failed": 100}
    assert hold.example == "rsync://ripe/ca/ca.mft: It is missing."
    assert len(verdict.payload) == 101
    assert verdict.let_go == {}


def test_what_holders_withdraw_goes_at_once() -> None:
    """However much it is: the manifest says so."""
    verdict = weigh(payload("ripe", range(100)), Payload.empty(), inquiry(), LOW)
    assert (len(verdict.payload), verdict.holds) == (0, ())


def test_small_accidents_go_through_and_are_counted() -> None:
    """Two of a hundred under one anchor of two: neither share is passed."""
    served = Payload.concat([payload("ripe", range(100)), payload("arin", range(1000, 1100))])
    new = Payload.concat([payload("ripe", range(2, 100)), payload("arin", range(1000, 1100))])
    verdict = weigh(served, new, inquiry(failed="ripe"), LOW)
    assert (len(verdict.payload), verdict.holds, verdict.let_go) == (198, (), {(Kind.VRPS, "ripe"): 2})


def test_many_small_steps_are_one_large_one() -> None:
    """What was let go within the day counts."""
    served, new = payload("ripe", range(90)), payload("ripe", range(2, 90))
    assert not weigh(served, new, inquiry(failed="ripe"), LOW).holds
    assert names(weigh(served, new, inquiry(failed="ripe"), LOW, lost_lately={(Kind.VRPS, "ripe"): 10})) == ["ripe"]
    elsewhere = {(Kind.ASPAS, "ripe"): 10, (Kind.VRPS, "arin"): 1}
    assert not weigh(served, new, inquiry(failed="ripe"), LOW, lost_lately=elsewhere).holds


def test_a_loss_spread_over_anchors_is_weighed_as_a_whole() -> None:
    """Below each anchor's share, above that of all."""
    served = Payload.concat([payload("ripe", range(100)), payload("arin", range(1000, 1100))])
    new = Payload.concat([payload("ripe", range(4, 100)), payload("arin", range(1003, 1100))])
    both = Inquiry(
        Report(
            1000,
            (),
            tuple(Rejection(f"rsync://{name}/ca/ca.mft", "", "", "Gone.", name) for name in ("ripe", "arin")),
            (),
        ),
        (),
        1000,
    )
    assert names(weigh(served, new, both, LOW)) == ["ripe", "arin"]


def test_what_is_held_stays_held_until_all_is_back() -> None:
    """Half that returns must not let the other half go."""
    served = payload("ripe", range(100))
    held = frozenset({(Kind.VRPS, "ripe")})
    half_back = weigh(served, payload("ripe", range(2, 100)), inquiry(failed="ripe"), LOW, held_before=held)
    assert names(half_back) == ["ripe"]
    assert len(half_back.payload) == 100
    all_back = weigh(served, served, inquiry(failed="ripe"), LOW, held_before=held)
    assert all_back.holds == ()


@pytest.mark.parametrize("least", [1, 1000])
def test_a_handful_is_no_collapse(least: int) -> None:
    """A laboratory with two VRPs is not held up by a share of one half."""
    verdict = weigh(payload("lab", range(2)), payload("lab", [1]), inquiry(failed="lab"), Thresholds(least=least))
    assert bool(verdict.holds) == (least == 1)


def test_aspas_and_router_keys_are_weighed_by_themselves() -> None:
    """Some dozen would not be missed among a thousand VRPs; what is new comes in all the same."""
    vrps = payload("ripe", range(1000))
    served = Payload.concat([vrps, others("ripe", range(1, 41), range(1, 21))])
    new = Payload.concat([vrps, others("ripe", [1, 99], [1, 2])])
    verdict = weigh(served, new, inquiry(failed="ripe"), LOW)

    assert [(hold.kind, hold.number, hold.total) for hold in verdict.holds] == [
        (Kind.ASPAS, 39, 40),
        (Kind.ROUTER_KEYS, 18, 20),
    ]
    assert [aspa.customer for aspa in verdict.payload.aspas] == [*range(1, 41), 99]
    assert [key.asn for key in verdict.payload.router_keys] == list(range(1, 21))
    assert verdict.holds[0].example == "rsync://ripe/ca/ca.mft: It is missing."


def test_aspas_that_their_holders_withdraw_go_at_once() -> None:
    """And those that expire."""
    served = others("ripe", range(40), range(20))
    assert len(weigh(served, Payload.empty(), inquiry(), LOW).payload) == 0
    expired = Inquiry(Report(1000, (), (), ()), ("ripe",), 6000)
    assert len(weigh(served, Payload.empty(), expired, LOW).payload) == 0


def test_an_aspa_with_other_providers_is_not_lost() -> None:
    """The holder has said something else; the old word is not brought back beside it."""
    served = others("ripe", range(40))
    changed = Payload(Vrps.empty(), tuple(replace(aspa, providers=(2,)) for aspa in served.aspas))
    verdict = weigh(served, changed, inquiry(failed="ripe"), LOW)
    assert (verdict.payload, verdict.holds, verdict.let_go) == (changed, (), {})


def test_a_few_aspas_go_through_and_are_counted() -> None:
    """Fewer than anybody cares for, until they add up."""
    served, new = others("ripe", range(40)), others("ripe", range(2, 40))
    verdict = weigh(served, new, inquiry(failed="ripe"), LOW)
    assert (len(verdict.payload), verdict.holds, verdict.let_go) == (38, (), {(Kind.ASPAS, "ripe"): 2})
    again = weigh(new, others("ripe", range(4, 40)), inquiry(failed="ripe"), LOW, lost_lately=verdict.let_go)
    assert [hold.kind for hold in again.holds] == [Kind.ASPAS]


def test_a_held_aspa_gives_way_to_a_new_one_of_its_customer() -> None:
    """Of another trust anchor, perhaps: union with what nobody says any more would invent providers."""
    served = others("ripe", range(40))
    new = Payload(Vrps.empty(), (Aspa(7, (9,), "arin", 5000, "rsync://arin/ca/7.asa"),))
    verdict = weigh(served, new, inquiry(failed="ripe"), LOW)
    assert len(verdict.payload.aspas) == 40
    assert verdict.payload.aspas[7].providers == (9,)


@given(st.sets(st.integers(0, 60)), st.sets(st.integers(0, 60)), st.booleans())
def test_nothing_is_served_that_nobody_said(old: set[int], new: set[int], failed: bool) -> None:
    """Between what is new and what was served; all that is new is there."""
    served, fresh = payload("ripe", sorted(old)), payload("ripe", sorted(new))
    verdict = weigh(served, fresh, inquiry(failed="ripe" if failed else ""), LOW)
    prefixes = {vrp.prefix for vrp in verdict.payload.vrps}
    said = {vrp.prefix for vrp in fresh.vrps}
    assert said <= prefixes <= said | {vrp.prefix for vrp in served.vrps}
    assert (prefixes == said) == (not verdict.holds)
