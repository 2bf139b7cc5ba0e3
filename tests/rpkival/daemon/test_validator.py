"""Validation in a worker process: what comes back, and what a worker that dies or hangs costs."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from rpkival.daemon.job import Job, Outcome, run
from rpkival.daemon.validator import Validator, validate_once
from rpkival.errors import StateError, UsageError
from rpkival.lab.topology import LAB
from rpkival.repository.opening import Fetching


async def test_the_worker_brings_what_the_same_process_would(job: Job) -> None:
    """The payload crosses the pipe whole."""
    outcome = await validate_once(job)

    here = run(job)
    assert list(outcome.payload.vrps) == list(here.payload.vrps)
    assert {(vrp.asn, vrp.prefix, vrp.max_length) for vrp in outcome.payload.vrps} == set(LAB.roas)
    assert outcome.report.rejections == ()
    assert outcome.report.repositories == here.report.repositories
    shares = [share for anchor in outcome.report.trust_anchors for share in anchor.shares]
    assert sum(share.unique for share in shares) == len(outcome.payload)


async def test_a_worker_that_takes_too_long_is_ended(job: Job) -> None:
    """Time is bounded, and the sentence says so."""
    with pytest.raises(StateError, match="longer than"):
        await validate_once(job, seconds=0.01)


async def test_a_worker_that_is_killed_is_an_error_of_that_run(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel may kill the worker (out of memory); we go on."""
    start = asyncio.create_subprocess_exec

    async def doomed(*arguments: str, **options: object) -> asyncio.subprocess.Process:
        process = await start(*arguments, **options)  # type: ignore[arg-type]
        os.kill(process.pid, signal.SIGKILL)
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", doomed)

    with pytest.raises(StateError, match="ended unexpectedly"):
        await validate_once(job)


@pytest.mark.usefixtures("needs_rsync")
async def test_an_error_of_the_worker_is_raised_here(job: Job, tmp_path: Path) -> None:
    """What the run cannot do is said with its own class and sentence."""
    blocked = tmp_path / "file"
    blocked.touch()

    with pytest.raises(UsageError, match="cannot be written"):
        await validate_once(replace(job, directory=blocked / "repository", fetching=Fetching()))


async def test_a_failed_run_is_followed_by_the_next(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop outlives its runs."""
    taken: asyncio.Queue[Outcome] = asyncio.Queue()
    attempts = []

    async def once(wanted: Job) -> Outcome:
        attempts.append(wanted)
        if len(attempts) == 1:
            raise StateError("The disk is full.")
        return run(wanted)

    monkeypatch.setattr("rpkival.daemon.validator.validate_once", once)
    troubles: dict[str, str] = {}
    validator = Validator(job, 0.0, taken.put, troubles)
    task = asyncio.create_task(validator.run())

    outcome = await asyncio.wait_for(taken.get(), 30)

    task.cancel()
    assert len(outcome.payload.vrps) == len(LAB.roas)
    assert not troubles
