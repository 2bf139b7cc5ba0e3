"""Publication points judged by other processes.

The parent reads the files and sends them along with the issuer: a point is a pure function of these, so a worker needs
no repository, no network and no file, and gets none. Reading costs a tenth of judging.

A worker that dies (memory, time, a fault of a library) is followed by another, which is given the same point once more,
for it may have been the system that killed it; a point that ends that one too is lost, and named.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Final, Self

from rpkival.errors import ObjectError, StateError
from rpkival.garbage import collect_rarely
from rpkival.limits import MAX_POINT_BYTES, WORKER_CPU_SECONDS, WORKER_MEMORY_BYTES
from rpkival.objects.manifest import listed_entries
from rpkival.validation.issuer import Issuer
from rpkival.validation.publication_point import PublicationPoint, Read, judge_publication_point, lost_point
from rpkival.validation.report import FAULT_SECTION

__all__ = ["Here", "Task", "Workers", "usual_workers"]

_AHEAD: Final = 64
"""Points read ahead for each worker: enough to keep it busy while the walk settles what is remembered."""

_ENOUGH: Final = 4
"""Points that wait for each worker, from which on another is worth its start."""

_MOST_DEATHS: Final = 2
"""Of workers at one point."""

_MOST_FALSE_STARTS: Final = 3
"""Of one worker, one after the other."""

_MOST_UNASKED: Final = 4
"""Workers that nobody has asked for: each has 60 MB, and from six on they wait for the process that reads."""


def usual_workers() -> int:
    """How many are good where nobody says: one for each processor that this process may use, and not too many."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(allowed, _MOST_UNASKED)


@dataclass(slots=True, eq=False)
class Task:
    """One publication point to be judged as of `now` (unix seconds), strictly or not.

    `deaths` of workers it has outlived.
    """

    issuer: Issuer
    manifest: bytes | None
    files: dict[str, bytes]
    now: int
    strict: bool = False
    deaths: int = 0

    @property
    def octets(self) -> int:
        """Of all its files."""
        return sum(map(len, self.files.values()))

    def judged(self) -> PublicationPoint:
        """What it comes to."""
        return judge_publication_point(self.issuer, self.manifest, self._file, self.now, strict=self.strict)

    def _file(self, name: str, _digest: bytes) -> bytes | None:
        return self.files.get(name)


class Here:
    """In place of workers: judges at once, in this process."""

    def __init__(self, *, strict: bool = False) -> None:
        self._strict = strict
        self._done: deque[PublicationPoint] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to end."""

    def __len__(self) -> int:
        return len(self._done)

    @property
    def full(self) -> bool:
        """Whether a result has to be taken before more is submitted."""
        return bool(self._done)

    def submit(self, issuer: Issuer, manifest: bytes | None, read: Read, now: int) -> None:
        """Judge a point."""
        self._done.append(judge_publication_point(issuer, manifest, read, now, strict=self._strict))

    def take(self) -> PublicationPoint:
        """The result of the oldest that was submitted."""
        return self._done.popleft()


class Workers:
    """So many processes, one started at once and the others when there is work for them; a context manager ends them.

    A process is sent a point only while it waits for one, so nobody ever waits for a process that waits for us.
    """

    def __init__(self, number: int, *, strict: bool = False) -> None:
        self._strict = strict
        self._number = number
        # The first begins while the parent still looks what has changed.
        self._workers = [_Worker()]
        self._order: deque[Task] = deque()
        self._unsent: deque[Task] = deque()
        self._done: dict[int, PublicationPoint] = {}
        self._octets = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.end()

    def __len__(self) -> int:
        return len(self._order)

    @property
    def full(self) -> bool:
        """Whether a result has to be taken before more is submitted."""
        return len(self._order) >= self._number * _AHEAD or self._octets >= MAX_POINT_BYTES

    def submit(self, issuer: Issuer, manifest: bytes | None, read: Read, now: int) -> None:
        """Have a point judged."""
        task = Task(issuer, manifest, _files(manifest, read), now, self._strict)
        self._octets += task.octets
        self._order.append(task)
        self._unsent.append(task)
        self._proceed(0)

    def take(self) -> PublicationPoint:
        """The result of the oldest that was submitted."""
        task = self._order.popleft()
        while id(task) not in self._done:
            self._proceed(None)
        self._octets -= task.octets
        return self._done.pop(id(task))

    def _proceed(self, patience: float | None) -> None:
        """Collect what is done, waiting so many seconds for the first (None: as long as it takes), and send more."""
        busy: dict[object, _Worker] = {worker.connection: worker for worker in self._workers if worker.task is not None}
        connections = [worker.connection for worker in busy.values()]
        for ready in wait(connections, patience) if busy else ():
            task, point = busy[ready].receive()
            task.deaths += point is None and busy[ready].false_starts == 0
            self._settle(task, point)
        if len(self._workers) < self._number and len(self._unsent) >= len(self._workers) * _ENOUGH:
            self._workers.append(_Worker())
        for worker in self._workers:
            while worker.task is None and self._unsent:
                task = self._unsent.popleft()
                if not worker.send(task):
                    self._unsent.appendleft(task)

    def _settle(self, task: Task, point: PublicationPoint | None) -> None:
        """Keep a result; a worker that died without one is given the point once more."""
        if point is None:
            if task.deaths < _MOST_DEATHS:
                self._unsent.appendleft(task)
                return
            sentence = "Judging this publication point ended the process that did it; nothing of it is used."
            point = lost_point(task.issuer, ObjectError(FAULT_SECTION, sentence))
        self._done[id(task)] = point


class _Worker:
    """A process, while it is needed: a dead one is followed by another."""

    def __init__(self) -> None:
        self.task: Task | None = None
        """What it is at."""
        self.false_starts = 0
        """How often in a row it ended before it had begun."""
        self._start()

    def _start(self) -> None:
        # A fork would copy whatever threads of ours hold at that moment, locks included.
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, _lock_in), daemon=True)
        self._process.start()
        theirs.close()
        self._begun = False

    def send(self, task: Task) -> bool:
        """Hand it a task; False where it has died."""
        try:
            self.connection.send(task)
        except OSError:
            self._restart()
            return False
        self.task = task
        return True

    def receive(self) -> tuple[Task, PublicationPoint | None]:
        """Its task and the result, which is there; None where it has died."""
        task, self.task = self.task, None
        assert task is not None
        try:
            if not self._begun:
                self.connection.recv()
                self._begun = True
            point: PublicationPoint = self.connection.recv()
        except (OSError, EOFError):
            self._restart()
            return task, None
        return task, point

    def _has_begun(self) -> bool:
        """Whether it had said that it is there before it died."""
        try:
            return self.connection.poll() and self.connection.recv() is None
        except (OSError, EOFError):
            return False

    def end(self) -> None:
        """End it, whatever it is at."""
        self.connection.close()
        self._process.kill()
        self._process.join()

    def _restart(self) -> None:
        if not self._begun and not self.connection.closed:
            self._begun = self._has_begun()
        self.end()
        self.false_starts = 0 if self._begun else self.false_starts + 1
        if self.false_starts >= _MOST_FALSE_STARTS:
            # No object did that. Were it to cost points, a machine short of memory would take all VRPs from routers.
            raise StateError("Worker processes end as they begin; try again with fewer or no workers.")
        self._start()


def _serve(connection: Connection, lock_in: Callable[[], None]) -> None:
    """A worker's life."""
    lock_in()
    collect_rarely()
    connection.send(None)  # it is there
    while True:
        try:
            task: Task = connection.recv()
        except EOFError:
            return
        connection.send(task.judged())


def _lock_in() -> None:
    """What a worker may do once it has begun: compute, within bounds, and answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # left to the parent
    # What the decoder loads late, it loads now: soon it can open no file any more.
    _listed(b"")
    for limit, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 0),
        (resource.RLIMIT_AS, WORKER_MEMORY_BYTES),
        (resource.RLIMIT_CPU, WORKER_CPU_SECONDS),
    ):
        _, most = resource.getrlimit(limit)
        bounded = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(limit, (bounded, bounded))


def _listed(manifest: bytes) -> dict[str, bytes] | None:
    """Names and digests on a manifest that nobody has judged, None where it cannot be read."""
    try:
        return listed_entries(manifest)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # noqa: BLE001 - panics of the decoder are no Exceptions; the worker meets and records them
        return None


def _files(manifest: bytes | None, read: Read) -> dict[str, bytes]:
    """All that the manifest lists, by name, without judging anything; no more than a point may have."""
    files: dict[str, bytes] = {}
    size = 0
    for name, digest in (_listed(manifest) or {}).items() if manifest is not None else ():
        data = read(name, digest)
        if data is not None:
            files[name] = data
            size += len(data)
            if size > MAX_POINT_BYTES:
                break
    return files
