"""One run of validation as a value in and a value out, so that it can happen in a process of its own."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from rpkival.daemon.succession import keep_timers
from rpkival.objects.tal import Tal
from rpkival.payload.collect import collect
from rpkival.payload.payload import Payload
from rpkival.payload.shares import with_shares
from rpkival.repository.attempts import FetchResult
from rpkival.repository.opening import Fetching, open_source
from rpkival.repository.stored_source import StoredSource
from rpkival.validation.report import Report
from rpkival.validation.walk import validate

__all__ = ["Job", "Outcome", "run"]


@dataclass(frozen=True, slots=True)
class Job:
    """What to validate. `directory` holds the repositories."""

    tals: tuple[Tal, ...]
    directory: Path
    fetching: Fetching = field(default_factory=Fetching)
    workers: int | None = None
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out. Times are unix seconds; `fetch_errors` are sentences, about the store too."""

    payload: Payload
    report: Report
    started: float
    finished: float
    fetch_errors: tuple[str, ...] = ()
    fetches: tuple[FetchResult, ...] = ()


def run(job: Job) -> Outcome:
    """Fetch and validate once. Raises `RpkivalError` where the directory or the rsync program cannot be used."""
    started = time.time()
    with open_source(job.directory, job.fetching) as source:
        memo = source if isinstance(source, StoredSource) else None
        judged = validate(
            job.tals, source, clock=lambda: int(time.time()), workers=job.workers, memo=memo, strict=job.strict
        )
        if job.fetching.fetches:
            keep_timers(job.directory, job.tals, judged.trust_anchors, source, judged.now)
        # Meanwhile the source writes what the next run will remember.
        payload = collect(judged)
        judged = with_shares(judged, payload)
    errors = [result.error for result in source.results if result.error]
    if memo is not None and memo.trouble:
        errors.append(memo.trouble)
    return Outcome(payload, judged.report, started, time.time(), tuple(errors), tuple(source.results))
