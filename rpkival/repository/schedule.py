"""Fetches side by side: many hosts at a time, few fetches of one host, so that none waits for another's slowness."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future

from rpkival.limits import FETCH_THREADS, FETCHES_PER_HOST

__all__ = ["Schedule"]

Work = Callable[[], str | None]


class Schedule:
    """Threads that work off what is submitted, the first submitted first unless its host has its share.

    The threads are daemons: a fetch that does not heed its deadline must not keep the process from its end.
    """

    def __init__(self, threads: int = FETCH_THREADS, per_host: int = FETCHES_PER_HOST) -> None:
        self._size = threads
        self._per_host = per_host
        self._changed = threading.Condition()
        self._waiting: deque[tuple[str, Work, Future[str | None]]] = deque()
        self._running: Counter[str] = Counter()
        self._threads: list[threading.Thread] = []
        self._closed = False

    def submit(self, host: str, work: Callable[[], str | None], *, first: bool = False) -> Future[str | None]:
        """Have `work` done, `first` before all that waits; the future has what it returned or raised, and is cancelled
        after `close`."""
        future: Future[str | None] = Future()
        with self._changed:
            if self._closed:
                future.cancel()
                return future
            (self._waiting.appendleft if first else self._waiting.append)((host, work, future))
            if len(self._threads) < self._size:
                self._threads.append(threading.Thread(target=self._work, name="fetch", daemon=True))
                self._threads[-1].start()
            self._changed.notify()
        return future

    def close(self, seconds: float) -> bool:
        """Cancel what waits and give what runs so long to end; whether all did."""
        with self._changed:
            self._closed = True
            waiting = list(self._waiting)
            self._waiting.clear()
            self._changed.notify_all()
        for _, _, future in waiting:
            future.cancel()
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        while (job := self._next()) is not None:
            host, work, future = job
            try:
                if future.set_running_or_notify_cancel():
                    _do(work, future)
            finally:
                with self._changed:
                    self._running[host] -= 1
                    self._changed.notify_all()

    def _next(self) -> tuple[str, Work, Future[str | None]] | None:
        with self._changed:
            while True:
                for index, job in enumerate(self._waiting):
                    if self._running[job[0]] < self._per_host:
                        del self._waiting[index]
                        self._running[job[0]] += 1
                        return job
                if self._closed:
                    return None
                self._changed.wait()


def _do(work: Work, future: Future[str | None]) -> None:
    try:
        done = work()
    except BaseException as error:  # noqa: BLE001 - whoever waits for the future gets it
        future.set_exception(error)
    else:
        future.set_result(done)
