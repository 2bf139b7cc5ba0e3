"""Tests for rpkival.repository.attempts: one fetch of each repository in a run, and what speaks against it."""

from __future__ import annotations

from typing import Any

import pytest

from rpkival.errors import StateError
from rpkival.repository import attempts
from rpkival.repository.store import Store

PATIENCE = 60.0
NOTIFY = "https://rrdp.example.net/notification.xml"
HOUR = 3600.0


def test_each_repository_is_fetched_once_a_run(world: Any) -> None:
    """For all its places, and whoever asks."""
    with world.run() as source:
        futures = [source.request(world.place(key=bytes([n]) * 32)) for n in range(50)]
        futures += [source.request(world.place(f"{world.repository}{n}/", "")) for n in range(50)]
        assert {future.result(PATIENCE) for future in futures} == {None}
        assert sorted(result.protocol for result in source.results) == ["rrdp", "rsync"]


def test_a_failing_repository_is_left_alone_longer_and_longer(world: Any) -> None:
    """Over runs; a success, or a clock that was wrong, ends it."""
    world.rrdp.repositories = {}
    world.fallback = "never"
    pauses = []
    for _ in range(9):
        assert world.fetch()[2] == ["rrdp"]
        store = Store(world.directory)
        known = store.repository(NOTIFY)
        store.close()
        assert known is not None
        assert known.retry_at is not None
        pauses.append(known.retry_at - world.clock.now)
        error, _, protocols = world.fetch()
        assert protocols == []
        assert f"{NOTIFY} is not asked again for" in str(error)
        world.clock.now = known.retry_at
    assert 30 <= pauses[0] <= 60
    assert all(1800 <= pause <= 3600 for pause in pauses[6:])

    world.fetch()
    world.clock.now -= 30 * 24 * HOUR
    assert world.fetch()[2] == ["rrdp"]


def test_a_fault_of_ours_keeps_nobody_away_from_a_repository(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk has room again, the next run asks at once."""

    def fail(*_: object) -> None:
        raise StateError("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(world.rrdp, "update", fail)
        world.fallback = "never"
        assert world.fetch()[0] == "The disk is full."
    error, _, protocols = world.fetch()
    assert (error, protocols) == (None, ["rrdp"])


def test_a_host_that_held_one_fetch_up_is_not_asked_again(world: Any) -> None:
    """A dozen repositories of one server would else take an hour; another host is asked all the same."""
    world.rrdp.seconds, world.fallback = 60.0, "never"
    with world.run() as source:
        source.request(world.place(notify="https://slow.example/a")).result(PATIENCE)
        told = [source.request(world.place(notify=f"https://slow.example/{n}")).result(PATIENCE) for n in range(5)]
        assert all("has already held up a fetch" in str(each) for each in told)
        assert source.request(world.place()).result(PATIENCE) is None
    assert world.rrdp.asked == ["https://slow.example/a", NOTIFY]


def test_rsync_stands_in_on_the_host_whose_rrdp_held_us_up(world: Any) -> None:
    """As where a firewall swallows what goes to port 443: one name, two servers."""
    world.rrdp.seconds, world.rrdp.repositories = 60.0, {}
    notify = world.repository.replace("rsync://", "https://") + "notification.xml"
    error, content, protocols = world.fetch(notify)
    assert (error, content, protocols) == (None, b"rsync", ["rrdp", "rsync"])


def test_a_run_has_an_end(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """In time, and in the number of repositories."""
    with monkeypatch.context() as patch:
        patch.setattr(attempts, "FETCH_RUN_SECONDS", 0.0)
        assert "seconds for all fetches of a run are up" in str(world.fetch()[0])
    monkeypatch.setattr(attempts, "MAX_REPOSITORIES", 2)
    world.fallback = "never"
    with world.run() as source:
        told = [source.request(world.place(notify=f"https://{n}.example/")).result(PATIENCE) for n in range(4)]
    assert ["already fetched 2 repositories" in str(each) for each in told] == [False, False, True, True]


def test_strangers_do_not_keep_us_from_who_was_there_before(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many repositories a CA invents."""
    world.fallback = "never"
    assert world.fetch()[0] is None
    monkeypatch.setattr(attempts, "MAX_REPOSITORIES", 2)
    with world.run() as source:
        for n in range(3):
            source.request(world.place(notify=f"https://{n}.example/")).result(PATIENCE)
        assert source.request(world.place()).result(PATIENCE) is None


def test_what_nobody_thought_of_costs_one_repository(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is called ours, and the run goes on."""
    monkeypatch.setattr(world.rrdp, "update", lambda *_: 1 // 0)
    world.fallback = "never"
    error, _, _ = world.fetch()
    assert "for a fault of rpkival: ZeroDivisionError" in str(error)
    assert world.fetch("") == (None, b"rsync", ["rsync"])
