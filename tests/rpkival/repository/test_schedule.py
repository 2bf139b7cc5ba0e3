"""Tests for rpkival.repository.schedule."""

from __future__ import annotations

import threading
from collections import Counter
from functools import partial

import pytest

from rpkival.repository.schedule import Schedule

PATIENCE = 30.0


def test_a_host_that_is_slow_delays_no_other() -> None:
    """However many fetches it has waiting."""
    schedule, go_on = Schedule(threads=3, per_host=2), threading.Event()
    slow = [schedule.submit("slow", lambda: str(go_on.wait(PATIENCE))) for _ in range(20)]
    quick = [schedule.submit("quick", lambda: "done") for _ in range(20)]

    assert [future.result(PATIENCE) for future in quick] == ["done"] * 20
    assert not any(future.done() for future in slow)
    go_on.set()
    assert {future.result(PATIENCE) for future in slow} == {"True"}
    assert schedule.close(PATIENCE)


def test_a_host_has_no_more_than_its_share() -> None:
    """Whatever is free."""
    schedule, lock = Schedule(threads=8, per_host=2), threading.Lock()
    running: Counter[str] = Counter()
    most: Counter[str] = Counter()
    pause = threading.Event()

    def work(host: str) -> str | None:
        with lock:
            running[host] += 1
            most[host] = max(most[host], running[host])
        pause.wait(0.005)
        with lock:
            running[host] -= 1
        return None

    futures = [schedule.submit(host, partial(work, host)) for _ in range(10) for host in "abc"]
    assert {future.result(PATIENCE) for future in futures} == {None}
    assert max(most.values()) <= 2
    assert schedule.close(PATIENCE)


def test_an_exception_is_the_callers() -> None:
    """The thread goes on."""
    schedule = Schedule(threads=1)
    with pytest.raises(ZeroDivisionError):
        schedule.submit("a", lambda: str(1 // 0)).result(PATIENCE)
    assert schedule.submit("a", lambda: "done").result(PATIENCE) == "done"
    assert schedule.close(PATIENCE)


def test_closing_cancels_what_waits_and_does_not_wait_for_ever() -> None:
    """What runs is told of; what comes later is cancelled too."""
    schedule, go_on, begun = Schedule(threads=1), threading.Event(), threading.Event()

    def wait() -> str:
        begun.set()
        return str(go_on.wait(PATIENCE))

    running = schedule.submit("a", wait)
    waiting = schedule.submit("a", lambda: "done")
    assert begun.wait(PATIENCE)

    assert not schedule.close(0.01)
    assert waiting.cancelled()
    assert schedule.submit("a", lambda: "done").cancelled()
    go_on.set()
    assert running.result(PATIENCE) == "True"
    assert schedule.close(PATIENCE)


def test_what_is_first_waits_for_none_of_the_others() -> None:
    """Only for what is under way."""
    schedule, order = Schedule(threads=1), list[str]()
    begun, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        go_on.wait(PATIENCE)

    futures = [schedule.submit("a.example", hold)]
    assert begun.wait(PATIENCE)
    futures += [schedule.submit(f"{name}.example", partial(order.append, name)) for name in ("b", "c")]
    futures.append(schedule.submit("d.example", partial(order.append, "d"), first=True))
    go_on.set()
    for future in futures:
        future.result(PATIENCE)
    schedule.close(PATIENCE)
    assert order == ["d", "b", "c"]
