"""The timetable of the hijack."""

from __future__ import annotations

from itertools import islice

import pytest

from rpkival.errors import UsageError
from rpkival.lab.scenario import Event, Scenario
from rpkival.lab.topology import LAB

ONE = frozenset({LAB.hijack})


def test_once() -> None:
    """It begins, it ends, and that was all."""
    assert list(Scenario(LAB.hijack, starts=8, lasts=52, repeats=None).events()) == [
        Event(8, announce=ONE),
        Event(60, withdraw=ONE),
    ]


def test_again_and_again() -> None:
    """Every `repeats` seconds, for ever."""
    events = list(islice(Scenario(LAB.hijack, starts=8, lasts=52, repeats=300).events(), 5))

    assert [event.at for event in events] == [8, 60, 308, 360, 608]
    assert [bool(event.announce) for event in events] == [True, False, True, False, True]


def test_default_is_over_within_the_first_minute() -> None:
    """Whoever just started the lab sees the hijack within 20 seconds."""
    first, second, third = islice(Scenario(LAB.hijack).events(), 3)

    assert first.at < 15
    assert second.at <= 60
    assert third.at > second.at


def test_heartbeat_goes_on_between() -> None:
    """Beginning and ending in turn, in order of time with the hijack, and not worth the log."""
    scenario = Scenario(LAB.hijack, starts=8, lasts=52, repeats=None, heartbeat=LAB.heartbeat, beat=20)

    events = list(islice(scenario.events(), 8))

    assert [event.at for event in events] == [8, 20, 40, 60, 60, 80, 100, 120]
    assert [event.routine for event in events] == [False, True, True, False, True, True, True, True]
    beats = [event for event in events if event.routine]
    assert [bool(event.announce) for event in beats] == [True, False] * 3
    assert all(event.announce | event.withdraw == {LAB.heartbeat} for event in beats)


@pytest.mark.parametrize("wrong", [{"beat": 0}, {"starts": -1}, {"lasts": 0}, {"lasts": 60, "repeats": 60}])
def test_impossible_times_are_refused(wrong: dict[str, float]) -> None:
    """With a sentence."""
    with pytest.raises(UsageError, match=r"^The hijack|^A hijack|^The heartbeat"):
        Scenario(LAB.hijack, **wrong)
