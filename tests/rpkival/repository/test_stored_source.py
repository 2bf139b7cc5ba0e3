"""Tests for rpkival.repository.stored_source: what validation reads, whatever was fetched."""

from __future__ import annotations

import time
from contextlib import closing
from typing import Any

import pytest

from rpkival.errors import StateError, UsageError
from rpkival.objects.place import Accepted
from rpkival.repository.store import Store

PATIENCE = 60.0
NOTIFY = "https://rrdp.example.net/notification.xml"
OTHER_NOTIFY = "https://other.example.net/notification.xml"
OFFLINE = -2


def test_a_place_is_never_read_from_anothers_repository(world: Any) -> None:
    """Whoever publishes what; not even by digest."""
    world.rrdp.repositories[OTHER_NOTIFY] = {
        world.repository + "m.mft": b"poison",
        world.repository + "x.roa": b"x",
    }
    with world.run() as source:
        good, other = world.place(), world.place("rsync://other.example.net/repo/", OTHER_NOTIFY)
        assert source.request(good).result(PATIENCE) is None
        assert source.request(other).result(PATIENCE) is None
        assert source.manifest(good) == world.digest(b"rrdp")
        assert source.read(good, "m.mft", world.digest(b"poison")) == b"rrdp"
        assert source.read(good, "x.roa", world.digest(b"x")) is None


def test_manifests_are_no_older_than_the_revision(world: Any) -> None:
    """Though one repository serves several modules, and another process fetches it between the looks at two of them."""
    here, there = world.place(), world.place("rsync://other.example.net/repository/")
    world.rrdp.repositories[NOTIFY][there.manifest] = b"old"
    with world.run() as source:
        for each in (here, there):
            assert source.request(each).result(PATIENCE) is None
        assert source.manifest(here) == world.digest(b"rrdp")
        store = Store(world.directory)
        with store.update(NOTIFY) as update:
            update.publish(there.manifest, b"new")
            update.commit(b"")
        store.close()
        revision = source.revision(there)
        assert source.manifest(there) == world.digest(b"new")
    with world.run(offline=True) as source:
        assert source.revision(there) == revision


def test_offline_the_store_is_all_there_is(world: Any) -> None:
    """Nothing is fetched and nothing is written."""
    here = world.place()
    with world.run() as source:
        source.request(here).result(PATIENCE)
    with world.run(offline=True) as source:
        assert source.request(here).result(0) is None
        assert "has nothing of" in str(source.request(world.place(notify=OTHER_NOTIFY)).result(0))
        assert source.manifest(here) == world.digest(b"rrdp")
        assert source.acceptances() == OFFLINE
        source.accept(here, Accepted(world.digest(b"rrdp"), 1, 1), b"")
        assert source.acceptances() == OFFLINE
        assert source.trust_anchor("rsync://rpki.example.net/ta/ta.cer") is None
        assert source.results == []
    with world.run(offline=True) as source:
        assert source.accepted(here) is None


@pytest.mark.parametrize("offline", [True, False])
def test_a_large_record_of_the_memo_is_written_while_the_run_goes_on(world: Any, offline: bool) -> None:
    """A small one waits for others, or for the end."""
    with world.run(offline=offline) as source, closing(Store(world.directory)) as another:
        source.put(b"small", b"record")
        assert another.judgements.get(b"small") is None
        source.put(b"large", bytes(1024**2))
        deadline = time.monotonic() + PATIENCE
        while another.judgements.get(b"large") is None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert another.judgements.get(b"large") == bytes(1024**2)
        source.put(b"last", b"record")
    with world.run(offline=True) as source:
        assert [source.get(key) for key in (b"small", b"last")] == [b"record"] * 2


def test_a_trust_anchor_is_fetched_and_the_last_good_one_kept(world: Any) -> None:
    """By rsync and by https, each fetched once in a run."""
    (world.module / "ta.cer").write_bytes(b"first")
    by_rsync, by_https = world.repository + "ta.cer", "https://rpki.example.net/ta.cer"
    world.https.files[by_https] = b"first"
    for uri in (by_rsync, by_https):
        with world.run() as source:
            assert source.trust_anchor(uri) == b"first"
            assert source.trust_anchor(uri) == b"first"
            assert len(source.results) == 1
            assert source.accepted_trust_anchor(uri) is None
            source.accept_trust_anchor(uri, b"first")
            assert source.accepted_trust_anchor(uri) == b"first"
    world.https.files[by_https] = b"second"
    (world.module / "ta.cer").write_bytes(b"second")
    with world.run() as source:
        assert source.trust_anchor(by_rsync) == source.trust_anchor(by_https) == b"second"
        assert source.accepted_trust_anchor(by_rsync) == source.accepted_trust_anchor(by_https) == b"first"
    world.https.files.clear()
    (world.module / "ta.cer").unlink()
    with world.run() as source:
        assert source.trust_anchor(by_rsync) is source.trust_anchor(by_https) is None
        assert source.accepted_trust_anchor(by_rsync) == source.accepted_trust_anchor(by_https) == b"first"
        assert "is not there" in source.unreadable[by_https]
        assert by_rsync in source.unreadable
    with world.run() as source:
        assert source.trust_anchor("http://rpki.example.net/ta.cer") is None
        assert "is not an rsync:// URI" in source.unreadable["http://rpki.example.net/ta.cer"]


def test_a_store_that_cannot_be_written_is_read_on(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a full disk: fetches fail, nothing is remembered, and the run ends as it would."""
    here = world.place()
    with world.run() as source:
        source.request(here).result(PATIENCE)

    def full(*_: object, **__: object) -> object:
        raise StateError("The store is full.")

    with world.run() as source:
        monkeypatch.setattr("rpkival.repository.store_file.StoreFile.writer", full)
        assert "The store is full" in str(source.request(here).result(PATIENCE))
        source.accept(here, Accepted(world.digest(b"rrdp"), 1, 1), world.digest(b"rrdp"))
        source.accept_trust_anchor("rsync://rpki.example.net/ta/ta.cer", b"ta")
        assert source.read(here, "m.mft", world.digest(b"rrdp")) == b"rrdp"
    assert source.trouble == "The store is full."


@pytest.mark.parametrize(
    ("error", "is_tidied"), [(BrokenPipeError(), True), (UsageError("full"), True), (KeyboardInterrupt(), False)]
)
def test_the_store_is_tidied_whatever_became_of_the_output(
    world: Any, monkeypatch: pytest.MonkeyPatch, error: BaseException, is_tidied: bool
) -> None:
    """But not where somebody wants an end."""
    swept: list[Store] = []
    monkeypatch.setattr(Store, "sweep", lambda store: swept.append(store))
    with pytest.raises(type(error)), world.run():
        raise error
    assert bool(swept) == is_tidied
