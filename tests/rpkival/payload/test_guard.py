"""The guard: accidents of size are held, holders' words are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.payload.causes import Inquiry
from rpkival.payload.guard import Thresholds, Verdict, weigh
from rpkival.payload.payload import Payload
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.validation.report import Rejection, Report

LOW = Thresholds(of_anchor=0.05, of_all=0.02, least=3)


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


def test_a_collapse_is_held_and_told() -> None:
    """A publication point that failed and took all along: routers keep everything, and learn what is new."""
    served, new = payload("ripe", range(100)), payload("ripe", [500])
    verdict = weigh(served, new, inquiry(failed="ripe"), LOW)

    (hold,) = verdict.holds
    assert (hold.trust_anchor, hold.vrps, hold.total, hold.causes) == ("ripe", 100, 100, {"point-failed": 100})
    assert hold.example == "It is missing."
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
    assert (len(verdict.payload), verdict.holds, verdict.let_go) == (198, (), {"ripe": 2})


def test_many_small_steps_are_one_large_one() -> None:
    """What was let go within the day counts."""
    served, new = payload("ripe", range(90)), payload("ripe", range(2, 90))
    assert not weigh(served, new, inquiry(failed="ripe"), LOW).holds
    assert names(weigh(served, new, inquiry(failed="ripe"), LOW, lost_lately={"ripe": 10})) == ["ripe"]


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
    held = frozenset({"ripe"})
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


@given(st.sets(st.integers(0, 60)), st.sets(st.integers(0, 60)), st.booleans())
def test_nothing_is_served_that_nobody_said(old: set[int], new: set[int], failed: bool) -> None:
    """Between what is new and what was served; all that is new is there."""
    served, fresh = payload("ripe", sorted(old)), payload("ripe", sorted(new))
    verdict = weigh(served, fresh, inquiry(failed="ripe" if failed else ""), LOW)
    prefixes = {vrp.prefix for vrp in verdict.payload.vrps}
    said = {vrp.prefix for vrp in fresh.vrps}
    assert said <= prefixes <= said | {vrp.prefix for vrp in served.vrps}
    assert (prefixes == said) == (not verdict.holds)
