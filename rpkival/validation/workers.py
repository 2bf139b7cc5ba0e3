"""Publication points judged by other processes.

The parent reads the files and sends them along with the issuer: a point is a pure function of these, so a worker needs
no repository and the result is the same as without workers. Reading costs a tenth of judging.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Final, Self

from rpkival.errors import StateError
from rpkival.limits import MAX_POINT_BYTES
from rpkival.objects.manifest import listed_names
from rpkival.validation.issuer import Issuer
from rpkival.validation.publication_point import PublicationPoint, Read, judge_publication_point

__all__ = ["Workers"]

_AHEAD: Final = 4
"""Points sent to each worker ahead of time: enough to keep it busy, little enough to hold in memory."""


class Workers:
    """A pool of processes; a context manager that ends them."""

    def __init__(self, number: int) -> None:
        self._most_waiting = number * _AHEAD
        # A fork would copy whatever threads of ours hold at that moment, locks included.
        context = multiprocessing.get_context("spawn")
        self._executor = ProcessPoolExecutor(number, mp_context=context, initializer=_leave_interrupts_to_the_parent)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._executor.shutdown(cancel_futures=True)

    def judge(self, issuers: Iterable[tuple[Issuer, int]], read: Read) -> Iterator[PublicationPoint]:
        """The points of the issuers, each as of its time, in their order. Raises `StateError` where a worker dies."""
        waiting: deque[tuple[Future[PublicationPoint], int]] = deque()
        octets = 0
        try:
            for issuer, now in issuers:
                files = _files(issuer, read)
                size = sum(map(len, files.values()))
                # A point may be as large as all that wait together: such a one waits alone.
                while waiting and (len(waiting) >= self._most_waiting or octets + size > MAX_POINT_BYTES):
                    point, done = waiting.popleft()
                    octets -= done
                    yield point.result()
                waiting.append((self._executor.submit(_judge, issuer, files, now), size))
                octets += size
            for point, _ in waiting:
                yield point.result()
        except BrokenProcessPool as error:
            raise StateError("A worker process ended without a result; try again with fewer or no workers.") from error


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _judge(issuer: Issuer, files: dict[str, bytes], now: int) -> PublicationPoint:
    return judge_publication_point(issuer, files.get, now)


def _files(issuer: Issuer, read: Read) -> dict[str, bytes]:
    """The manifest and all that it lists, by URI, without judging anything; no more than a point may have."""
    manifest = read(issuer.manifest)
    if manifest is None:
        return {}
    files = {issuer.manifest: manifest}
    try:
        names = listed_names(manifest)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # noqa: BLE001 - panics of the decoder are no Exceptions; the worker meets and records them
        return files
    size = 0
    for name in names:
        data = read(issuer.repository + name)
        if data is not None:
            files[issuer.repository + name] = data
            size += len(data)
            if size > MAX_POINT_BYTES:
                break
    return files
