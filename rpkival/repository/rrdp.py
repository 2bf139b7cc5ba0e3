"""RRDP (RFC 8182): a repository brought up to date by deltas where they are beyond doubt, else by its snapshot.

All files are downloaded and held against the hashes of the notification first; only then is the store's transaction
begun, so nobody waits in it for the network, and a file that is wrong at its end leaves nothing of itself.
"""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

from rpkival.errors import FetchError, FormatError, LimitError, RpkivalError, StateError, UriError
from rpkival.limits import (
    MAX_RRDP_DELTAS,
    MAX_RRDP_DELTAS_BYTES,
    MAX_RRDP_NOTIFICATION_BYTES,
    MAX_RRDP_SNAPSHOT_BYTES,
    RRDP_SECONDS,
)
from rpkival.repository.http import Downloaded, Http, HttpSession, Validators
from rpkival.repository.https_uri import HttpsUri
from rpkival.repository.rrdp_state import RrdpState
from rpkival.repository.rrdp_xml import (
    Link,
    Notification,
    Publish,
    Withdraw,
    read_delta,
    read_notification,
    read_snapshot,
)
from rpkival.repository.uri import RsyncUri

__all__ = ["Rrdp", "RrdpResult", "RrdpStore", "RrdpUpdate"]

_CHUNK_BYTES = 64 * 1024


class RrdpUpdate(Protocol):
    """A transaction on one repository, as `rpkival.repository.store_update.Update` is one."""

    state: bytes | None

    def digest(self, uri: str) -> bytes | None:
        """SHA-256 of what is at `uri`."""

    def publish(self, uri: str, content: bytes) -> None:
        """Put an object there."""

    def withdraw(self, uri: str) -> None:
        """Take it away."""

    def replace_all(self) -> None:
        """Take everything away."""

    def commit(self, state: bytes | None) -> None:
        """Make it so."""


class RrdpStore(Protocol):
    """Where repositories are kept, as `rpkival.repository.store.Store` is one."""

    @property
    def path(self) -> Path:
        """Its file; downloads lie in the same directory while they last, under no name."""

    def state(self, repository_uri: str, /) -> bytes | None:
        """What the last commit was given."""

    def update(self, repository_uri: str, /) -> AbstractContextManager[RrdpUpdate]:
        """A transaction, undone unless it is committed."""


@dataclass(frozen=True, slots=True)
class RrdpResult:
    """How an update ended. `done` tells how the repository came to `serial`; with `error`, nothing was changed.

    `reason` says why it was the snapshot where there was a version before; `ignored` counts objects with URIs that are
    no rsync URIs of files. `status` is that of the HTTP answer that ended it, where one did.
    """

    uri: str
    error: str | None
    seconds: float
    received: int | None
    done: Literal["unchanged", "deltas", "snapshot"] | None = None
    serial: int | None = None
    deltas: int = 0
    reason: str | None = None
    ignored: int = 0
    protocol: str = "rrdp"
    status: int | None = None


class Rrdp:
    """Updates repositories; one object serves many threads."""

    def __init__(self, http: Http, *, allow_dubious_hosts: bool = False) -> None:
        self._http = http
        self._allow_dubious_hosts = allow_dubious_hosts

    def update(self, notify_uri: str, store: RrdpStore) -> RrdpResult:
        """Bring a repository, by its notification file, up to date. Raises `StateError` where the store is at fault."""
        began = time.monotonic()
        run = status = None
        try:
            uri = HttpsUri.parse(notify_uri, allow_dubious_hosts=self._allow_dubious_hosts)
            with self._http.session(RRDP_SECONDS) as session:
                run = _Run(notify_uri, uri, store, session, self._allow_dubious_hosts)
                return run.go(lambda: time.monotonic() - began)
        except StateError:
            raise
        except RpkivalError as error:
            told = str(error)
            status = error.status if isinstance(error, FetchError) else None
        except OSError as error:
            told = f"{notify_uri} could not be fetched: {error.strerror or error}."
        return RrdpResult(
            notify_uri,
            told,
            time.monotonic() - began,
            run.session.received if run else 0,
            reason=run.reason if run else None,
            status=status,
        )


@dataclass(slots=True)
class _Run:
    """One update of one repository."""

    name: str
    uri: HttpsUri
    store: RrdpStore
    session: HttpSession
    allow_dubious_hosts: bool
    reason: str | None = None
    ignored: int = 0

    def go(self, seconds: Callable[[], float]) -> RrdpResult:
        """Do it."""
        held = RrdpState.decode(self.store.state(self.name))
        found = self._notification(held)
        if found is None:
            assert held is not None
            return self._result("unchanged", held.serial, seconds())
        notification, state = found
        if held is not None and (held.session, held.serial) == (state.session, state.serial):
            if (mutated := held.mutated(notification)) is None:
                if held != state:
                    with self.store.update(self.name) as update:
                        update.commit(state.encode())
                return self._result("unchanged", state.serial, seconds())
            self.reason = f"Delta {mutated} is not what it was (RFC 9697)."
        elif held is not None:
            deltas = self._deltas(held, notification)
            if deltas and self._follow(held, deltas, state):
                return self._result("deltas", state.serial, seconds(), len(deltas))
        self.ignored = 0
        self._replace(notification, state)
        return self._result("snapshot", state.serial, seconds())

    def _result(
        self, done: Literal["unchanged", "deltas", "snapshot"], serial: int, seconds: float, deltas: int = 0
    ) -> RrdpResult:
        return RrdpResult(
            self.name, None, seconds, self.session.received, done, serial, deltas, self.reason, self.ignored
        )

    def _notification(self, held: RrdpState | None) -> tuple[Notification, RrdpState] | None:
        """The notification as it is now; None where it is the one that was followed last."""
        with io.BytesIO() as file:
            known = held.validators if held else Validators()
            got = self.session.download(self.uri, file, MAX_RRDP_NOTIFICATION_BYTES, known=known)
            if got is None:
                return None
            content = file.getvalue()
        notification = read_notification(self.name, content, allow_dubious_hosts=self.allow_dubious_hosts)
        for link in (notification.snapshot, *notification.deltas.values()):
            if not link.uri.same_origin(self.uri):
                raise FetchError(f"{self.name} sends us to {link.uri}, another origin (RFC 9674).")
        return notification, RrdpState.of(notification, got.validators)

    def _deltas(self, held: RrdpState, notification: Notification) -> list[tuple[int, Link]] | None:
        """The deltas to follow, or None and a reason."""
        deltas = None
        if held.session != notification.session:
            self.reason = f"The session is another one, {notification.session}."
        elif held.serial > notification.serial:
            self.reason = f"The serial went back from {held.serial} to {notification.serial}."
        elif (mutated := held.mutated(notification)) is not None:
            self.reason = f"Delta {mutated} is not what it was (RFC 9697)."
        elif notification.serial - held.serial > MAX_RRDP_DELTAS:
            self.reason = f"{notification.serial - held.serial} deltas are more than {MAX_RRDP_DELTAS}."
        elif (deltas := notification.since(held.serial)) is None:
            self.reason = f"The deltas from {held.serial} to {notification.serial} are not all listed."
        return deltas

    def _follow(self, held: RrdpState, deltas: list[tuple[int, Link]], state: RrdpState) -> bool:
        """Apply deltas; False, and a reason, where that cannot be done."""
        try:
            self._apply(held, deltas, state)
        except (FetchError, FormatError, LimitError) as error:
            self.reason = str(error)
            return False
        return True

    def _apply(self, held: RrdpState, deltas: list[tuple[int, Link]], state: RrdpState) -> None:
        with self._file() as file:
            sizes: list[int] = []
            for _, link in deltas:
                sizes.append(self._download(link, file, MAX_RRDP_DELTAS_BYTES - sum(sizes)).size)
            file.seek(0)
            with self.store.update(self.name) as update:
                if update.state is None or RrdpState.decode(update.state) != held:
                    raise FormatError(f"{self.name} was changed by somebody else meanwhile.")
                for (serial, link), size in zip(deltas, sizes, strict=True):
                    for event in read_delta(str(link.uri), _chunks(file, size), state.session, serial):
                        self._change(update, event)
                update.commit(state.encode())

    def _change(self, update: RrdpUpdate, event: Publish | Withdraw) -> None:
        """One change, which must fit what is there (RFC 8182 section 3.4.2). Raises `FormatError`."""
        uri = self._object_uri(event.uri)
        if uri is None:
            return
        expected = event.sha256 if isinstance(event, Withdraw) else event.replaces
        if update.digest(uri) != expected:
            what = "is there already" if expected is None else "is not what the delta says it was"
            raise FormatError(f"{uri} {what} (RFC 8182 section 3.4.2).")
        if isinstance(event, Withdraw):
            update.withdraw(uri)
        else:
            update.publish(uri, event.content)

    def _replace(self, notification: Notification, state: RrdpState) -> None:
        """Take the snapshot in place of everything."""
        link = notification.snapshot
        with self._file() as file:
            size = self._download(link, file, MAX_RRDP_SNAPSHOT_BYTES).size
            file.seek(0)
            with self.store.update(self.name) as update:
                update.replace_all()
                for event in read_snapshot(str(link.uri), _chunks(file, size), state.session, state.serial):
                    self._change(update, event)
                update.commit(state.encode())

    def _download(self, link: Link, file: BinaryIO, limit: int) -> Downloaded:
        got = self.session.download(link.uri, file, limit)
        if got is None or got.sha256 != link.sha256:
            raise FetchError(f"{link.uri} has not the hash that its notification says (RFC 8182 section 3.4.1).")
        return got

    def _file(self) -> BinaryIO:
        try:
            return tempfile.TemporaryFile(dir=self.store.path.parent)
        except OSError as error:
            raise StateError(f"{self.store.path.parent} cannot be written: {error.strerror}.") from error

    def _object_uri(self, text: str) -> str | None:
        """As the store has it; None where it is none. A server's other customers must not pay for one such name."""
        try:
            uri = RsyncUri.parse(text, allow_dubious_hosts=self.allow_dubious_hosts)
        except UriError:
            uri = None
        if uri is None or not uri.file_name:
            self.ignored += 1
            return None
        return str(uri)


def _chunks(file: BinaryIO, size: int) -> Iterator[bytes]:
    while size:
        chunk = file.read(min(size, _CHUNK_BYTES))
        if not chunk:
            raise StateError("What was fetched is not on the disk any more.")
        size -= len(chunk)
        yield chunk
