"""Tests for rpkival.repository.stored_source, its collector and its attempts; RRDP is a stand-in, rsync is real."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import pytest

from rpkival.errors import FetchError, StateError
from rpkival.lab.rsync_daemon import RsyncDaemon
from rpkival.objects.place import Accepted, Place
from rpkival.repository import attempts
from rpkival.repository.attempts import FetchOutcome, FetchResult
from rpkival.repository.collector import Collector, Fallback
from rpkival.repository.mirror import RsyncMirror
from rpkival.repository.rsync import Rsync
from rpkival.repository.store import Store
from rpkival.repository.stored_source import StoredSource

PATIENCE = 60.0
NOTIFY = "https://rrdp.example.net/notification.xml"
OTHER_NOTIFY = "https://other.example.net/notification.xml"
HOUR = 3600.0
OFFLINE = -2


def digest(content: bytes) -> bytes:
    """Its SHA-256."""
    return sha256(content).digest()


def place(repository: str, notify: str = NOTIFY, key: bytes = b"k" * 32) -> Place:
    """A place with a manifest of the usual name."""
    return Place(repository, repository + "m.mft", notify, key)


@dataclass
class Rrdp:
    """An RRDP client whose repositories are dictionaries; one that is missing has failed."""

    repositories: dict[str, dict[str, bytes]]
    seconds: float = 0.0
    asked: list[str] = field(default_factory=list)

    def update(self, notify_uri: str, store: Store) -> FetchResult:
        """Publish all of it."""
        self.asked.append(notify_uri)
        if notify_uri not in self.repositories:
            return FetchOutcome(notify_uri, "rrdp", f"{notify_uri} is down.", self.seconds, None)
        with store.update(notify_uri) as update:
            update.replace_all()
            for uri, content in self.repositories[notify_uri].items():
                update.publish(uri, content)
            update.commit(b"state")
        return FetchOutcome(notify_uri, "rrdp", None, self.seconds, 0)


class Https:
    """Files by URI."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def get(self, uri: str) -> bytes:
        """One of them."""
        if uri not in self.files:
            raise FetchError(f"{uri} is not there.")
        return self.files[uri]


@dataclass
class Clock:
    """A clock that is set."""

    now: float = 1_773_648_000.0

    def __call__(self) -> float:
        """The time it shows."""
        return self.now


@dataclass
class World:
    """All that runs share: a directory, a clock, an RRDP client, and an rsync daemon with one module."""

    directory: Path
    module: Path
    repository: str
    rrdp: Rrdp
    https: Https = field(default_factory=lambda: Https({}))
    clock: Clock = field(default_factory=Clock)
    fallback: Fallback = "stale"

    def run(self, *, offline: bool = False, rsync: bool = True) -> StoredSource:
        """A source for one run."""
        store = Store(self.directory, clock=self.clock)
        if offline:
            return StoredSource(store, None, clock=self.clock)
        collector = Collector(
            store,
            rrdp=self.rrdp,
            https=self.https,
            mirror=RsyncMirror(self.directory, Rsync(), store) if rsync else None,
            fallback=self.fallback,
            refresh=600.0,
            allow_dubious_hosts=True,
            clock=self.clock,
            chance=random.Random(0),
        )
        return StoredSource(store, collector, clock=self.clock)

    def fetch(self, notify: str = NOTIFY) -> tuple[str | None, bytes | None, list[str]]:
        """One run with one place: what went wrong, the manifest that is read, and the protocols that were used."""
        with self.run() as source:
            error = source.request(place(self.repository, notify)).result(PATIENCE)
            sha = source.manifest(place(self.repository, notify))
            content = source.read(place(self.repository, notify), "m.mft", sha) if sha else None
            return error, content, [result.protocol for result in source.results]


@pytest.fixture
def world(tmp_path: Path, rsync_daemon: RsyncDaemon) -> World:
    """With "rsync" as the manifest by rsync, and "rrdp" as that by RRDP."""
    module = tmp_path / "module"
    module.mkdir()
    (module / "m.mft").write_bytes(b"rsync")
    repository = rsync_daemon.serve("m", module)
    (tmp_path / "state").mkdir()
    return World(tmp_path / "state", module, repository, Rrdp({NOTIFY: {repository + "m.mft": b"rrdp"}}))


def test_rrdp_comes_first(world: World) -> None:
    """rsync is asked only where there is no notification file."""
    assert world.fetch() == (None, b"rrdp", ["rrdp"])
    assert world.fetch("") == (None, b"rsync", ["rsync"])
    assert world.rrdp.asked == [NOTIFY]


def test_each_repository_is_fetched_once_a_run(world: World) -> None:
    """For all its places, and whoever asks."""
    with world.run() as source:
        futures = [source.request(place(world.repository, key=bytes([n]) * 32)) for n in range(50)]
        futures += [source.request(place(f"{world.repository}{n}/", "")) for n in range(50)]
        assert {future.result(PATIENCE) for future in futures} == {None}
        assert sorted(result.protocol for result in source.results) == ["rrdp", "rsync"]


@pytest.mark.parametrize(
    ("fallback", "first", "later", "much_later"),
    [("never", [], [], []), ("new", ["rsync"], [], []), ("stale", ["rsync"], [], ["rsync"])],
)
def test_rsync_helps_out_as_far_as_it_may(
    world: World, fallback: Fallback, first: list[str], later: list[str], much_later: list[str]
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


def test_the_moment_of_the_fallback_is_drawn(world: World) -> None:
    """Between the refresh and an hour, so that not all the world comes at once."""
    store = Store(world.directory, clock=world.clock)
    drawn = []
    for number in range(20):
        collector = Collector(store, rrdp=world.rrdp, clock=world.clock, chance=random.Random(number))
        assert collector.request(place(world.repository)).result(PATIENCE) is None
        known = store.repository(NOTIFY)
        assert known is not None
        assert known.fallback_at is not None
        drawn.append(known.fallback_at - world.clock.now)
        assert collector.close()
    assert all(600 <= each <= HOUR for each in drawn)
    assert max(drawn) - min(drawn) > 1000
    store.close()


def test_a_success_in_the_future_does_not_forbid_rsync(world: World) -> None:
    """A clock that was a year ahead must not cost a year."""
    world.clock.now += 365 * 24 * HOUR
    assert world.fetch() == (None, b"rrdp", ["rrdp"])
    world.clock.now -= 365 * 24 * HOUR
    world.rrdp.repositories = {}
    assert world.fetch() == (None, b"rsync", ["rrdp", "rsync"])


def test_both_may_fail_and_what_was_there_is_read(world: World) -> None:
    """The sentence tells of both."""
    world.fetch()
    world.clock.now += 2 * HOUR
    world.rrdp.repositories = {}
    world.repository = world.repository.replace("/m/", "/unknown/")
    error, _, protocols = world.fetch()
    assert protocols == ["rrdp", "rsync"]
    assert str(error).startswith(f"{NOTIFY} is down. By rsync: ")
    assert "unknown" in str(error)


def test_a_failing_repository_is_left_alone_longer_and_longer(world: World) -> None:
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


def test_a_fault_of_ours_keeps_nobody_away_from_a_repository(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk has room again, the next run asks at once."""

    def fail(*_: object) -> None:
        raise StateError("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(world.rrdp, "update", fail)
        world.fallback = "never"
        assert world.fetch()[0] == "The disk is full."
    error, _, protocols = world.fetch()
    assert (error, protocols) == (None, ["rrdp"])


def test_a_place_is_never_read_from_anothers_repository(world: World) -> None:
    """Whoever publishes what; not even by digest."""
    world.rrdp.repositories[OTHER_NOTIFY] = {
        world.repository + "m.mft": b"poison",
        world.repository + "x.roa": b"x",
    }
    with world.run() as source:
        good, other = place(world.repository), place("rsync://other.example.net/repo/", OTHER_NOTIFY)
        assert source.request(good).result(PATIENCE) is None
        assert source.request(other).result(PATIENCE) is None
        assert source.manifest(good) == digest(b"rrdp")
        assert source.read(good, "m.mft", digest(b"poison")) == b"rrdp"
        assert source.read(good, "x.roa", digest(b"x")) is None


def test_the_accepted_version_outlives_what_the_repository_does(world: World) -> None:
    """It replaces all objects, or has none any more; over runs and sweeps."""
    here = place(world.repository)
    with world.run() as source:
        source.request(here).result(PATIENCE)
        assert source.accepted(here) is None
        version = Accepted(digest(b"rrdp"), 2**150, 1_773_648_000)
        source.accept(here, version, digest(b"rrdp"))
        assert source.accepted(here) == version

    world.rrdp.repositories = {NOTIFY: {world.repository + "m.mft": b"broken"}}
    with world.run() as source:
        source.request(here).result(PATIENCE)
        assert source.manifest(here) == digest(b"broken")
        assert source.accepted(here) == version
        assert source.read(here, "m.mft", digest(b"broken")) == b"broken"
        assert source.read(here, "m.mft", digest(b"rrdp")) == b"rrdp"
        assert source.read(here, "m.mft", digest(b"unknown")) == b"broken"

    world.rrdp.repositories = {NOTIFY: {}}
    with world.run() as source:
        source.request(here).result(PATIENCE)
        assert source.manifest(here) is None
        assert source.accepted(here) == version
        assert source.read(here, "m.mft", digest(b"rrdp")) == b"rrdp"
        assert source.accepted(place(world.repository, key=b"other key" * 3)) is None
        assert source.read(place(world.repository, key=b"other key" * 3), "m.mft", digest(b"rrdp")) is None
        assert source.accepted(place(world.repository, OTHER_NOTIFY)) == version


def test_many_accepted_versions_are_written_behind(world: World) -> None:
    """And read as if they were there, all the time and afterwards."""
    places = [place(f"{world.repository}{number}/") for number in range(2_500)]
    with world.run() as source:
        for number, each in enumerate(places):
            source.accept(each, Accepted(digest(b"%d" % number), number, 0), b"")
        assert all(source.accepted(each) is not None for each in places)
    with world.run(offline=True) as source:
        found = [source.accepted(each) for each in places]
    assert [each.number for each in found if each] == list(range(2_500))


def test_what_another_run_accepts_meanwhile_is_not_counted(world: World) -> None:
    """This one may have looked at the place before that, so it must not say that it knew."""
    here, there = place(world.repository), place(f"{world.repository}there/")
    version = Accepted(digest(b"rrdp"), 1, 1)
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
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It will not be there in the next run, so nothing must rest on it."""

    def fail(*_: object) -> None:
        raise StateError("The disk is full.")

    with world.run() as source:
        before = source.acceptances()
        source.accept(place(world.repository), Accepted(digest(b"rrdp"), 1, 1), b"")
        with monkeypatch.context() as patch:
            patch.setattr(Store, "accept", fail)
            assert source.acceptances() < before
        assert source.acceptances() == before + 1


def test_manifests_are_no_older_than_the_revision(world: World) -> None:
    """Though one repository serves several modules, and another process fetches it between the looks at two of them."""
    here, there = place(world.repository), place("rsync://other.example.net/repository/")
    world.rrdp.repositories[NOTIFY][there.manifest] = b"old"
    with world.run() as source:
        for each in (here, there):
            assert source.request(each).result(PATIENCE) is None
        assert source.manifest(here) == digest(b"rrdp")
        store = Store(world.directory)
        with store.update(NOTIFY) as update:
            update.publish(there.manifest, b"new")
            update.commit(b"")
        store.close()
        revision = source.revision(there)
        assert source.manifest(there) == digest(b"new")
    with world.run(offline=True) as source:
        assert source.revision(there) == revision


def test_offline_the_store_is_all_there_is(world: World) -> None:
    """Nothing is fetched and nothing is written."""
    here = place(world.repository)
    with world.run() as source:
        source.request(here).result(PATIENCE)
    with world.run(offline=True) as source:
        assert source.request(here).result(0) is None
        assert "has nothing of" in str(source.request(place(world.repository, OTHER_NOTIFY)).result(0))
        assert source.manifest(here) == digest(b"rrdp")
        assert source.acceptances() == OFFLINE
        source.accept(here, Accepted(digest(b"rrdp"), 1, 1), b"")
        assert source.acceptances() == OFFLINE
        assert source.trust_anchor("rsync://rpki.example.net/ta/ta.cer") is None
        assert source.results == []
    with world.run(offline=True) as source:
        assert source.accepted(here) is None


def test_a_trust_anchor_is_fetched_and_the_last_good_one_kept(world: World) -> None:
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


def test_a_host_that_held_one_fetch_up_is_not_asked_again(world: World) -> None:
    """A dozen repositories of one server would else take an hour; another host is asked all the same."""
    world.rrdp.seconds, world.fallback = 60.0, "never"
    with world.run() as source:
        source.request(place(world.repository, "https://slow.example/a")).result(PATIENCE)
        told = [source.request(place(world.repository, f"https://slow.example/{n}")).result(PATIENCE) for n in range(5)]
        assert all("has already held up a fetch" in str(each) for each in told)
        assert source.request(place(world.repository)).result(PATIENCE) is None
    assert world.rrdp.asked == ["https://slow.example/a", NOTIFY]


def test_a_run_has_an_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """In time, and in the number of repositories."""
    with monkeypatch.context() as patch:
        patch.setattr(attempts, "FETCH_RUN_SECONDS", 0.0)
        assert "seconds for all fetches of a run are up" in str(world.fetch()[0])
    monkeypatch.setattr(attempts, "MAX_REPOSITORIES", 2)
    world.fallback = "never"
    with world.run() as source:
        told = [source.request(place(world.repository, f"https://{n}.example/")).result(PATIENCE) for n in range(4)]
    assert ["already fetched 2 repositories" in str(each) for each in told] == [False, False, True, True]


def test_strangers_do_not_keep_us_from_who_was_there_before(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many repositories a CA invents."""
    world.fallback = "never"
    assert world.fetch()[0] is None
    monkeypatch.setattr(attempts, "MAX_REPOSITORIES", 2)
    with world.run() as source:
        for n in range(3):
            source.request(place(world.repository, f"https://{n}.example/")).result(PATIENCE)
        assert source.request(place(world.repository)).result(PATIENCE) is None


def test_without_rsync_the_rest_goes_on(world: World) -> None:
    """With a sentence where it would have been needed."""
    with world.run(rsync=False) as source:
        assert source.request(place(world.repository)).result(PATIENCE) is None
        assert "rsync is switched off or not installed" in str(
            source.request(place(world.repository, "")).result(PATIENCE)
        )


def test_dubious_hosts_are_not_talked_to(world: World) -> None:
    """Unless allowed, no certificate makes us connect to our own machine."""
    store = Store(world.directory)
    with StoredSource(store, Collector(store, mirror=RsyncMirror(world.directory, Rsync(), store))) as source:
        assert "refused outside a lab" in str(source.request(place(world.repository, "")).result(PATIENCE))
        assert source.trust_anchor(world.repository + "m.mft") is None
        assert source.results == []


def test_what_nobody_thought_of_costs_one_repository(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is called ours, and the run goes on."""
    monkeypatch.setattr(world.rrdp, "update", lambda *_: 1 // 0)
    world.fallback = "never"
    error, _, _ = world.fetch()
    assert "for a fault of rpkival: ZeroDivisionError" in str(error)
    assert world.fetch("") == (None, b"rsync", ["rsync"])


def test_a_store_that_cannot_be_written_is_read_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a full disk: fetches fail, nothing is remembered, and the run ends as it would."""
    here = place(world.repository)
    with world.run() as source:
        source.request(here).result(PATIENCE)

    def full(*_: object, **__: object) -> object:
        raise StateError("The store is full.")

    with world.run() as source:
        monkeypatch.setattr("rpkival.repository.store_file.StoreFile.writer", full)
        assert "The store is full" in str(source.request(here).result(PATIENCE))
        source.accept(here, Accepted(digest(b"rrdp"), 1, 1), digest(b"rrdp"))
        source.accept_trust_anchor("rsync://rpki.example.net/ta/ta.cer", b"ta")
        assert source.read(here, "m.mft", digest(b"rrdp")) == b"rrdp"
    assert source.trouble == "The store is full."


def test_an_interrupted_run_ends_its_rsync_at_once(world: World, tmp_path: Path) -> None:
    """Nothing is left running, and nobody waits for its deadline."""
    program, begun = tmp_path / "waiting-rsync", tmp_path / "begun"
    program.write_text(f"#!/bin/sh\ntouch {begun}\nexec sleep 600\n")
    program.chmod(0o755)
    store = Store(world.directory)
    mirror = RsyncMirror(world.directory, Rsync(str(program)), store)
    source = StoredSource(store, Collector(store, mirror=mirror, allow_dubious_hosts=True))
    with source:
        future = source.request(place(world.repository, ""))
        while not begun.exists():
            assert not future.done()
            threading.Event().wait(0.01)
    assert "failed" in str(future.result(PATIENCE))
    assert "not begun" in str(mirror._rsync.fetch("rsync://rpki.example.net/m/", tmp_path).error)


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
    world: World, slow_writer: Callable[[Store], threading.Thread]
) -> None:
    """What it reads and what it accepts is there at once."""
    store = Store(world.directory)
    collector = Collector(store, rrdp=world.rrdp)
    source = StoredSource(store, collector)
    assert source.request(place(world.repository)).result(PATIENCE) is None
    writer = slow_writer(store)
    for number in range(2_500):
        here = place(f"{world.repository}{number}/")
        source.accept(here, Accepted(digest(b"rrdp"), number, 1), digest(b"rrdp"))
        assert source.accepted(here) is not None
    assert source.manifest(place(world.repository)) == digest(b"rrdp")
    assert writer.is_alive()
