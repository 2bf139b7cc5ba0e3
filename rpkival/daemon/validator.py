"""Validation again and again, each run in a worker process."""

from __future__ import annotations

import asyncio
import pickle
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

from rpkival.daemon.job import Job, Outcome
from rpkival.errors import RpkivalError, StateError
from rpkival.limits import VALIDATION_SECONDS, WORKER_EXIT_SECONDS
from rpkival.log import Log

__all__ = ["Validator", "validate_once"]

_RETRY_SECONDS = 60.0
"""After a run that failed or did not reach all trust anchors; a network that was not up at the start soon is."""

log = Log("rpkival.validation")


class Validator:
    """Runs `job`, hands the outcome to `take`, waits `refresh` seconds, and again.

    A run that fails costs that run: what is in force stays in force, and `troubles["validation"]` says why.
    """

    def __init__(
        self, job: Job, refresh: float, take: Callable[[Outcome], Awaitable[None]], troubles: dict[str, str]
    ) -> None:
        self._job = job
        self._refresh = refresh
        self._take = take
        self._troubles = troubles

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            wait = min(self._refresh, _RETRY_SECONDS)
            try:
                outcome = await validate_once(self._job)
            except RpkivalError as error:
                self._troubles["validation"] = f"The last validation failed: {error}"
                log.error("validation_failed", error=str(error))
            else:
                self._troubles.pop("validation", None)
                await self._take(outcome)
                if all(anchor.uri for anchor in outcome.report.trust_anchors):
                    wait = self._refresh
            await asyncio.sleep(wait)


async def validate_once(job: Job, seconds: float = VALIDATION_SECONDS) -> Outcome:
    """One run in a worker process that is ended after `seconds`. Raises `RpkivalError`."""
    worker = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "rpkival.daemon.worker",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        # A Ctrl-C on the terminal is for us; we end the worker ourselves.
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(seconds):
            said, _ = await worker.communicate(pickle.dumps(job))
    except TimeoutError:
        raise StateError(f"Validation took longer than {seconds:g} seconds and was ended.") from None
    finally:
        await _end(worker)
    if worker.returncode or not said:
        raise StateError(f"The validation worker ended unexpectedly (exit code {worker.returncode}).")
    # In a thread: the world's payload takes a moment, in which routers want answers.
    answer = await asyncio.to_thread(pickle.loads, said)
    if isinstance(answer, RpkivalError):
        raise answer
    assert isinstance(answer, Outcome)
    return answer


async def _end(worker: asyncio.subprocess.Process) -> None:
    if worker.returncode is not None:
        return
    with suppress(ProcessLookupError):
        worker.terminate()
    try:
        async with asyncio.timeout(WORKER_EXIT_SECONDS):
            await worker.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            worker.kill()
        await worker.wait()
