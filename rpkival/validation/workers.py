"""Publication points judged by other processes.

The parent reads the files and sends them along with the issuer: a point is a pure function of these, so a worker needs
no repository, no network and no file, and gets none. Reading costs a tenth of judging.

A worker that dies (memory, time, a fault of a library) takes the others of its pool along, and nobody can say whose
point it was. So those that were under way are judged again, each alone in a new process; the one that kills that too
is lost, and named.
"""

from __future__ import annotations

import multiprocessing
import resource
import signal
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from rpkival.errors import ObjectError
from rpkival.limits import MAX_POINT_BYTES, WORKER_CPU_SECONDS, WORKER_MEMORY_BYTES
from rpkival.objects.manifest import listed_entries
from rpkival.validation.issuer import Issuer
from rpkival.validation.publication_point import PublicationPoint, Read, judge_publication_point, lost_point
from rpkival.validation.report import FAULT_SECTION

__all__ = ["Here", "Task", "Workers"]

_AHEAD: Final = 4
"""Points sent to each worker ahead of time: enough to keep it busy, little enough to hold in memory."""


@dataclass(frozen=True, slots=True)
class Task:
    """One publication point to be judged as of `now` (unix seconds)."""

    issuer: Issuer
    manifest: bytes | None
    files: dict[str, bytes]
    now: int

    def judged(self) -> PublicationPoint:
        """What it comes to."""
        return judge_publication_point(self.issuer, self.manifest, self._file, self.now)

    def _file(self, name: str, _digest: bytes) -> bytes | None:
        return self.files.get(name)


class Here:
    """In place of workers: judges at once, in this process."""

    def __init__(self) -> None:
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
        self._done.append(judge_publication_point(issuer, manifest, read, now))

    def take(self) -> PublicationPoint:
        """The result of the oldest that was submitted."""
        return self._done.popleft()


class Workers:
    """A pool of processes; a context manager that ends them."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._executor = _executor(number)
        self._waiting: deque[tuple[Task, Future[PublicationPoint] | None, int]] = deque()
        self._octets = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._executor.shutdown(cancel_futures=True)

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def full(self) -> bool:
        """Whether a result has to be taken before more is submitted."""
        return len(self._waiting) >= self._number * _AHEAD or self._octets >= MAX_POINT_BYTES

    def submit(self, issuer: Issuer, manifest: bytes | None, read: Read, now: int) -> None:
        """Have a point judged."""
        files = _files(manifest, read)
        size = sum(map(len, files.values()))
        task = Task(issuer, manifest, files, now)
        self._octets += size
        try:
            self._waiting.append((task, self._executor.submit(Task.judged, task), size))
        except BrokenProcessPool:
            self._waiting.append((task, None, size))

    def take(self) -> PublicationPoint:
        """The result of the oldest that was submitted."""
        task, future, size = self._waiting.popleft()
        self._octets -= size
        try:
            if future is not None:
                return future.result()
        except BrokenProcessPool:
            pass
        return self._alone(task)

    def _alone(self, task: Task) -> PublicationPoint:
        """Judge what was under way when a worker died, in a process of its own."""
        with _executor(1) as executor:
            try:
                point = executor.submit(Task.judged, task).result()
            except BrokenProcessPool:
                sentence = "Judging this publication point ended the process that did it; nothing of it is used."
                point = lost_point(task.issuer, ObjectError(FAULT_SECTION, sentence))
        if not any(future is not None and not future.done() for _, future, _ in self._waiting):
            # All that were under way with it have failed too and will come here; what is submitted from now on is new.
            self._executor.shutdown(cancel_futures=True)
            self._executor = _executor(self._number)
        return point


def _executor(number: int) -> ProcessPoolExecutor:
    # A fork would copy whatever threads of ours hold at that moment, locks included.
    return ProcessPoolExecutor(number, mp_context=multiprocessing.get_context("spawn"), initializer=_lock_in)


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
