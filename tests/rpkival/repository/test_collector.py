"""Tests for rpkival.repository.collector: which protocol a place is fetched by. RRDP is a stand-in, rsync is real."""

from __future__ import annotations

import random
import threading
from pathlib import Path
from typing import Any

import pytest

from rpkival.repository.collector import Collector, Fallback
from rpkival.repository.mirror import RsyncMirror
from rpkival.repository.rsync import Rsync
from rpkival.repository.store import Store
from rpkival.repository.stored_source import StoredSource

PATIENCE = 60.0
NOTIFY = "https://rrdp.example.net/notification.xml"
HOUR = 3600.0


def test_rrdp_comes_first(world: Any) -> None:
    """rsync is asked only where there is no notification file."""
    assert world.fetch() == (None, b"rrdp", ["rrdp"])
    assert world.fetch("") == (None, b"rsync", ["rsync"])
    assert world.rrdp.asked == [NOTIFY]


@pytest.mark.parametrize(
    ("fallback", "first", "later", "much_later"),
    [("never", [], [], []), ("new", ["rsync"], [], []), ("stale", ["rsync"], [], ["rsync"])],
)
def test_rsync_helps_out_as_far_as_it_may(
    world: Any, fallback: Fallback, first: list[str], later: list[str], much_later: list[str]
) -> None:
    """Before any success of RRDP, within the hour after one, and beyond it."""
    world.fallback = fallback
    repositories, world.rrdp.repositories = world.rrdp.repositories, {}
    error, content, protocols = world.fetch()
    assert protocols == ["rrdp", *first]
    assert (error, content) == ((None, b"rsync") if first else (f"{NOTIFY} is down.", None))

    world.rrdp.repositories = repositories
    world.clock.now += HOUR
    assert world.fetch() == (None, b"rrdp", ["rrdp"])

    world.rrdp.repositories = {}
    world.clock.now += 300
    error, content, protocols = world.fetch()
    assert protocols == ["rrdp", *later]
    assert (error, content) == (f"{NOTIFY} is down.", b"rrdp")

    world.clock.now += 2 * HOUR
    error, content, protocols = world.fetch()
    assert protocols == ["rrdp", *much_later]
    assert content == (b"rsync" if much_later else b"rrdp")


def test_the_moment_of_the_fallback_is_drawn(world: Any) -> None:
    """Between the refresh and an hour, so that not all the world comes at once."""
    store = Store(world.directory, clock=world.clock)
    drawn = []
    for number in range(20):
        collector = Collector(store, rrdp=world.rrdp, clock=world.clock, chance=random.Random(number))
        assert collector.request(world.place()).result(PATIENCE) is None
        known = store.repository(NOTIFY)
        assert known is not None
        assert known.fallback_at is not None
        drawn.append(known.fallback_at - world.clock.now)
        assert collector.close()
    assert all(600 <= each <= HOUR for each in drawn)
    assert max(drawn) - min(drawn) > 1000
    store.close()


def test_a_success_in_the_future_does_not_forbid_rsync(world: Any) -> None:
    """A clock that was a year ahead must not cost a year."""
    world.clock.now += 365 * 24 * HOUR
    assert world.fetch() == (None, b"rrdp", ["rrdp"])
    world.clock.now -= 365 * 24 * HOUR
    world.rrdp.repositories = {}
    assert world.fetch() == (None, b"rsync", ["rrdp", "rsync"])


def test_both_may_fail_and_what_was_there_is_read(world: Any) -> None:
    """The sentence tells of both."""
    world.fetch()
    world.clock.now += 2 * HOUR
    world.rrdp.repositories = {}
    world.repository = world.repository.replace("/m/", "/unknown/")
    error, _, protocols = world.fetch()
    assert protocols == ["rrdp", "rsync"]
    assert str(error).startswith(f"{NOTIFY} is down. By rsync: ")
    assert "unknown" in str(error)


def test_without_rsync_the_rest_goes_on(world: Any) -> None:
    """With a sentence where it would have been needed."""
    with world.run(rsync=False) as source:
        assert source.request(world.place()).result(PATIENCE) is None
        assert "rsync is switched off or not installed" in str(source.request(world.place(notify="")).result(PATIENCE))


def test_dubious_hosts_are_not_talked_to(world: Any) -> None:
    """Unless allowed, no certificate makes us connect to our own machine."""
    store = Store(world.directory)
    with StoredSource(store, Collector(store, mirror=RsyncMirror(world.directory, Rsync(), store))) as source:
        assert "refused outside a lab" in str(source.request(world.place(notify="")).result(PATIENCE))
        assert source.trust_anchor(world.repository + "m.mft") is None
        assert source.results == []


def test_an_interrupted_run_ends_its_rsync_at_once(world: Any, tmp_path: Path) -> None:
    """Nothing is left running, and nobody waits for its deadline."""
    program, begun = tmp_path / "waiting-rsync", tmp_path / "begun"
    program.write_text(f"#!/bin/sh\ntouch {begun}\nexec sleep 600\n")
    program.chmod(0o755)
    store = Store(world.directory)
    mirror = RsyncMirror(world.directory, Rsync(str(program)), store)
    source = StoredSource(store, Collector(store, mirror=mirror, allow_dubious_hosts=True))
    with source:
        future = source.request(world.place(notify=""))
        while not begun.exists():
            assert not future.done()
            threading.Event().wait(0.01)
    assert "failed" in str(future.result(PATIENCE))
    assert "not begun" in str(mirror._rsync.fetch("rsync://rpki.example.net/m/", tmp_path).error)
