"""Tests for rpkival.repository.acceptance: accepted versions, at once for the walk and later for the store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rpkival.errors import StateError
from rpkival.objects.place import Accepted
from rpkival.repository.collector import Collector
from rpkival.repository.store import Store
from rpkival.repository.stored_source import StoredSource

PATIENCE = 60.0
NOTIFY = "https://rrdp.example.net/notification.xml"
OTHER_NOTIFY = "https://other.example.net/notification.xml"
OFFLINE = -2


def test_the_accepted_version_outlives_what_the_repository_does(world: Any) -> None:
    """It replaces all objects, or has none any more; over runs and sweeps."""
    here = world.place()
    with world.run() as source:
        source.request(here).result(PATIENCE)
        assert source.accepted(here) is None
        version = Accepted(world.digest(b"rrdp"), 2**150, 1_773_648_000)
        source.accept(here, version, world.digest(b"rrdp"))
        assert source.accepted(here) == version

    world.rrdp.repositories = {NOTIFY: {world.repository + "m.mft": b"broken"}}
    with world.run() as source:
        source.request(here).result(PATIENCE)
        assert source.manifest(here) == world.digest(b"broken")
        assert source.accepted(here) == version
        assert source.read(here, "m.mft", world.digest(b"broken")) == b"broken"
        assert source.read(here, "m.mft", world.digest(b"rrdp")) == b"rrdp"
        assert source.read(here, "m.mft", world.digest(b"unknown")) == b"broken"

    world.rrdp.repositories = {NOTIFY: {}}
    with world.run() as source:
        source.request(here).result(PATIENCE)
        assert source.manifest(here) is None
        assert source.accepted(here) == version
        assert source.read(here, "m.mft", world.digest(b"rrdp")) == b"rrdp"
        assert source.accepted(world.place(key=b"other key" * 3)) is None
        assert source.read(world.place(key=b"other key" * 3), "m.mft", world.digest(b"rrdp")) is None
        assert source.accepted(world.place(notify=OTHER_NOTIFY)) == version


def test_many_accepted_versions_are_written_behind(world: Any) -> None:
    """And read as if they were there, all the time and afterwards."""
    places = [world.place(f"{world.repository}{number}/") for number in range(2_500)]
    with world.run() as source:
        for number, each in enumerate(places):
            source.accept(each, Accepted(world.digest(b"%d" % number), number, 0), b"")
        assert all(source.accepted(each) is not None for each in places)
    with world.run(offline=True) as source:
        found = [source.accepted(each) for each in places]
    assert [each.number for each in found if each] == list(range(2_500))


def test_what_another_run_accepts_meanwhile_is_not_counted(world: Any) -> None:
    """This one may have looked at the place before that, so it must not say that it knew."""
    here, there = world.place(), world.place(f"{world.repository}there/")
    version = Accepted(world.digest(b"rrdp"), 1, 1)
    with world.run() as source:
        assert source.acceptances() == 0
        with world.run() as other:
            other.accept(there, version, b"")
        source.accept(here, version, b"")
        assert source.acceptances() == 1
    with world.run() as source:
        assert source.acceptances() == 2
    with world.run(offline=True) as source:
        assert source.acceptances() == OFFLINE - 2


def test_an_acceptance_that_is_not_written_leaves_the_number_unknown(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It will not be there in the next run, so nothing must rest on it."""

    def fail(*_: object) -> None:
        raise StateError("The disk is full.")

    with world.run() as source:
        before = source.acceptances()
        source.accept(world.place(), Accepted(world.digest(b"rrdp"), 1, 1), b"")
        with monkeypatch.context() as patch:
            patch.setattr(Store, "accept", fail)
            assert source.acceptances() < before
        assert source.acceptances() == before + 1


@pytest.fixture
def slow_writer(tmp_path: Path) -> Iterator[Callable[[Store], threading.Thread]]:
    """Starts a thread that holds a store's write lock until the test is over."""
    go_on = threading.Event()
    threads: list[threading.Thread] = []

    def start(store: Store) -> threading.Thread:
        held = threading.Event()

        def hold() -> None:
            with store.update(OTHER_NOTIFY):
                held.set()
                go_on.wait(PATIENCE)

        threads.append(threading.Thread(target=hold))
        threads[-1].start()
        assert held.wait(PATIENCE)
        return threads[-1]

    yield start
    go_on.set()
    for thread in threads:
        thread.join()


def test_the_walk_does_not_wait_for_a_long_transaction(
    world: Any, slow_writer: Callable[[Store], threading.Thread]
) -> None:
    """What it reads and what it accepts is there at once."""
    store = Store(world.directory)
    collector = Collector(store, rrdp=world.rrdp)
    source = StoredSource(store, collector)
    assert source.request(world.place()).result(PATIENCE) is None
    writer = slow_writer(store)
    for number in range(2_500):
        here = world.place(f"{world.repository}{number}/")
        source.accept(here, Accepted(world.digest(b"rrdp"), number, 1), world.digest(b"rrdp"))
        assert source.accepted(here) is not None
    assert source.manifest(world.place()) == world.digest(b"rrdp")
    assert writer.is_alive()
