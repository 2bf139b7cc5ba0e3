"""All that was fetched and all that was found good, in one file that no crash can tear.

Contents lie there once each, by digest. Repositories list what they publish now; publication points, what they had when
they were last good, which stays whatever the repository does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rpkival.limits import MAX_STORE_BYTES
from rpkival.objects.place import Accepted
from rpkival.repository.store_file import StoreFile
from rpkival.repository.store_judgements import Judgements
from rpkival.repository.store_sweep import sweep
from rpkival.repository.store_update import Update, add_repository

__all__ = ["STORE_NAME", "Kept", "Repository", "Store"]

STORE_NAME = "store.sqlite"
"""The file's name in its directory."""

DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True)
class Repository:
    """What the store knows of one repository. Times are unix seconds, None where it never happened.

    `turn` counts the successes of all repositories: of two, the one that succeeded later has the larger. `version` was
    its turn when anything of what it publishes changed last. `fallback_at`
    is the moment from which a failure by RRDP leads to rsync, `retry_at` that until which a failing one is left alone.
    """

    id: int
    uri: str
    turn: int
    version: int
    objects: int
    bytes: int
    used: float
    succeeded: float | None
    fallback_at: float | None
    attempted: float | None
    retry_at: float | None
    failures: int
    error: str | None


@dataclass(frozen=True, slots=True)
class Kept:
    """An accepted version to be written: `place` is its key of 32 octets, `digests` those of its files, joined."""

    place: bytes
    accepted: Accepted
    digests: bytes


class Store:
    """The store of one directory; for any number of threads and processes.

    `judgements` is the memo of what was judged. `trouble` is a sentence where a damaged file was set aside. What writes
    raises `StateError` where the disk is full or the file unusable; what reads goes on as long as it can be read.
    """

    def __init__(
        self,
        directory: Path,
        *,
        clock: Callable[[], float] = time.time,
        max_bytes: int = MAX_STORE_BYTES,
        another_users: bool = False,
    ) -> None:
        """Raises `StateError`, or `AccessError` where the file belongs to another user and this was not foreseen."""
        self._file = StoreFile(directory / STORE_NAME, max_bytes=max_bytes, another_users=another_users)
        self._clock = clock
        self.judgements = Judgements(self._file)

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self._file.path

    @property
    def another_users(self) -> bool:
        """Whether it is only read, as it belongs to somebody else."""
        return self._file.another_users

    @property
    def trouble(self) -> str | None:
        """Why the store was begun anew, where it was."""
        return self._file.trouble

    @contextmanager
    def update(self, repository_uri: str) -> Iterator[Update]:
        """A transaction on one repository; without `Update.commit`, nothing of it happens. All others wait for it."""
        with self._file.writer() as connection:
            yield Update(connection, repository_uri, self._clock())

    def state(self, repository_uri: str) -> bytes | None:
        """What the last `Update.commit` of this repository was given."""
        row = self._file.row("SELECT state FROM repository WHERE uri=?", (repository_uri,))
        return row[0] if row else None

    def repository(self, uri: str) -> Repository | None:
        """What is known of a repository."""
        row = self._file.row(
            "SELECT id, uri, turn, version, objects, bytes, used, succeeded, fallback_at, attempted, retry_at, "
            "failures, error FROM repository WHERE uri=?",
            (uri,),
        )
        return Repository(*row) if row else None

    def note_success(self, uri: str, fallback_at: float) -> None:
        """The repository was fetched, or found unchanged."""
        now = self._clock()
        self._note(
            "UPDATE repository SET used=?, succeeded=?, attempted=?, fallback_at=?, retry_at=NULL, failures=0, "
            "error=NULL, turn=(SELECT max(turn) + 1 FROM repository) WHERE uri=?",
            (now, now, now, fallback_at, uri),
            uri,
        )

    def note_failure(self, uri: str, error: str, retry_at: float) -> None:
        """The repository could not be fetched."""
        now = self._clock()
        self._note(
            "UPDATE repository SET used=?, attempted=?, retry_at=?, failures=failures+1, error=? WHERE uri=?",
            (now, now, retry_at, error, uri),
            uri,
        )

    def touch(self, uris: Sequence[str]) -> None:
        """Certificates still lead to these repositories."""
        now = self._clock()
        with self._file.writer() as connection:
            connection.executemany("UPDATE repository SET used=? WHERE uri=?", [(now, uri) for uri in uris])
            connection.execute("COMMIT")

    def digest(self, repository: int, uri: str) -> bytes | None:
        """SHA-256 of what a repository (its `id`) publishes at `uri`."""
        row = self._file.row("SELECT sha256 FROM object WHERE repository=? AND uri=?", (repository, uri))
        return row[0] if row else None

    def manifests(self, repository: int) -> dict[str, bytes]:
        """SHA-256 by URI of all manifests that a repository (its `id`) publishes."""
        return dict(
            self._file.rows(
                "SELECT uri, sha256 FROM object WHERE repository=? AND substr(uri, -4)='.mft'", (repository,)
            )
        )

    def published(self, repository: int, uri: str) -> tuple[bytes, bytes] | None:
        """SHA-256 and content of what a repository (its `id`) publishes at `uri`."""
        row = self._file.row(
            "SELECT blob.sha256, content FROM object JOIN blob USING (sha256) WHERE repository=? AND uri=?",
            (repository, uri),
        )
        return (row[0], row[1]) if row else None

    def content(self, sha256: bytes) -> bytes | None:
        """The content of this digest, whoever published it: for callers that know it to be theirs."""
        row = self._file.row("SELECT content FROM blob WHERE sha256=?", (sha256,))
        return row[0] if row else None

    def accepted(self, place: bytes) -> tuple[Accepted, bytes, float] | None:
        """The last good version of a place, the digests of its files (32 octets each), and when it was last used."""
        row = self._file.row("SELECT sha256, number, this_update, digests, used FROM accepted WHERE place=?", (place,))
        return (Accepted(row[0], int.from_bytes(row[1]), row[2]), row[3], row[4]) if row else None

    def all_accepted(self, most: int) -> dict[bytes, tuple[Accepted, float]]:
        """The last good versions of at most so many places, by the place's key, and when each was last used."""
        sql = "SELECT place, sha256, number, this_update, used FROM accepted LIMIT ?"
        return {
            place: (Accepted(sha256, int.from_bytes(number), this_update), used)
            for place, sha256, number, this_update, used in self._file.rows(sql, (most,))
        }

    def accept(self, versions: Sequence[Kept], used: Sequence[bytes] = ()) -> None:
        """Keep these versions in place of the last ones, and note that those of the places in `used` are in use."""
        now = self._clock()
        with self._file.writer() as connection:
            loose = 0
            for version in versions:
                old = connection.execute("SELECT digests FROM accepted WHERE place=?", (version.place,)).fetchone()
                loose += len(old[0]) // DIGEST_BYTES if old else 0
            connection.executemany(
                "INSERT OR REPLACE INTO accepted VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (each.place, each.accepted.sha256, _octets(each.accepted.number), each.accepted.this_update,
                     each.digests, now)
                    for each in versions
                ],
            )  # fmt: skip
            connection.executemany("UPDATE accepted SET used=? WHERE place=?", [(now, place) for place in used])
            connection.execute("UPDATE counter SET loose=loose+?, acceptances=acceptances+?", (loose, len(versions)))
            connection.execute("COMMIT")

    @property
    def acceptances(self) -> int:
        """How many versions have been accepted since ever, with all that a sweep has dropped."""
        ((count,),) = self._file.rows("SELECT acceptances FROM counter")
        return int(count)

    def trust_anchor(self, uri: str) -> bytes | None:
        """The certificate that was last good of this URI."""
        row = self._file.row("SELECT certificate FROM trust_anchor WHERE uri=?", (uri,))
        return row[0] if row else None

    def accept_trust_anchor(self, uri: str, certificate: bytes) -> None:
        """Keep it in place of the last one."""
        if self.trust_anchor(uri) == certificate:
            return
        with self._file.writer() as connection:
            connection.execute("INSERT OR REPLACE INTO trust_anchor VALUES (?, ?)", (uri, certificate))
            connection.execute("COMMIT")

    def sweep(self, *, thoroughly: bool = False) -> None:
        """Drop what has not been used for long, and contents that nothing refers to; without `thoroughly` only where
        that is worth the look. Does nothing while another process has the store open: it may be about to refer to them.
        """
        with self._file.alone() as alone:
            if alone and sweep(self._file, self._clock(), thoroughly=thoroughly):
                self._file.shrink()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _note(self, sql: str, values: Sequence[object], uri: str) -> None:
        with self._file.writer() as connection:
            if not connection.execute(sql, values).rowcount:
                add_repository(connection, uri, self._clock())
                connection.execute(sql, values)
            connection.execute("COMMIT")


def _octets(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8)
