"""What the tests of repositories share: a clock that is set, what lies in a store, and whom a run fetches from."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import pytest

from rpkival.errors import FetchError
from rpkival.lab.rsync_daemon import RsyncDaemon
from rpkival.objects.place import Place
from rpkival.repository.attempts import FetchOutcome, FetchResult
from rpkival.repository.collector import Collector, Fallback
from rpkival.repository.mirror import RsyncMirror
from rpkival.repository.rsync import Rsync
from rpkival.repository.store import STORE_NAME, Store
from rpkival.repository.stored_source import StoredSource

PATIENCE = 60.0
NOTIFY = "https://rrdp.example.net/notification.xml"


@dataclass
class Clock:
    """A clock that is set."""

    now: float = 1_773_648_000.0

    def __call__(self) -> float:
        """The time it shows."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """At 2026-03-16 08:00 UTC."""
    return Clock()


class Contents:
    """What repositories publish in a store, and what is there then."""

    @staticmethod
    def publish(store: Store, repository: str, objects: Mapping[str, bytes]) -> None:
        """Let a repository publish objects, beside what it has."""
        with store.update(repository) as update:
            for uri, content in objects.items():
                update.publish(uri, content)
            update.commit(b"state")

    @staticmethod
    def listed(store: Store, repository: str, uri: str) -> bytes | None:
        """What a repository publishes at a URI, after a look at its digest."""
        known = store.repository(repository)
        if known is None:
            return None
        found = store.published(known.id, uri)
        assert store.digest(known.id, uri) == (found[0] if found else None)
        assert found is None or found[0] == sha256(found[1]).digest()
        return found[1] if found else None

    @staticmethod
    def count(directory: Path) -> int:
        """How many contents the store has."""
        with sqlite3.connect(directory / STORE_NAME) as connection:
            found: int = connection.execute("SELECT count(*) FROM blob").fetchone()[0]
        connection.close()
        return found


@pytest.fixture(scope="session")
def contents() -> type[Contents]:
    """`contents.publish(store, repository, objects)` and so on."""
    return Contents


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
class World:
    """All that runs share: a directory, a clock, an RRDP client, and an rsync daemon with one module."""

    directory: Path
    module: Path
    repository: str
    rrdp: Rrdp
    clock: Clock
    https: Https = field(default_factory=lambda: Https({}))
    fallback: Fallback = "stale"

    def place(self, repository: str = "", notify: str = NOTIFY, key: bytes = b"k" * 32) -> Place:
        """Where the module has it, unless told otherwise, with a manifest of the usual name."""
        repository = repository or self.repository
        return Place(repository, repository + "m.mft", notify, key)

    @staticmethod
    def digest(content: bytes) -> bytes:
        """Its SHA-256."""
        return sha256(content).digest()

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
            error = source.request(self.place(notify=notify)).result(PATIENCE)
            sha = source.manifest(self.place(notify=notify))
            content = source.read(self.place(notify=notify), "m.mft", sha) if sha else None
            return error, content, [result.protocol for result in source.results]


@pytest.fixture
def world(tmp_path: Path, rsync_daemon: RsyncDaemon, clock: Clock) -> World:
    """With "rsync" as the manifest by rsync, and "rrdp" as that by RRDP."""
    module = tmp_path / "module"
    module.mkdir()
    (module / "m.mft").write_bytes(b"rsync")
    repository = rsync_daemon.serve("m", module)
    (tmp_path / "state").mkdir()
    return World(tmp_path / "state", module, repository, Rrdp({NOTIFY: {repository + "m.mft": b"rrdp"}}), clock)
