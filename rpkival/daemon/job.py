"""One run of validation as a value in and a value out, so that it can happen in a process of its own."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from rpkival.objects.tal import Tal
from rpkival.payload.collect import collect
from rpkival.payload.vrps import Vrps
from rpkival.repository.fetch import FetchedDirectory
from rpkival.repository.local import LocalDirectory
from rpkival.repository.rsync import Rsync
from rpkival.validation.report import Report
from rpkival.validation.walk import validate

__all__ = ["Job", "Outcome", "run"]


@dataclass(frozen=True, slots=True)
class Job:
    """What to validate. `directory` holds the repositories; fetched into with rsync unless `offline`."""

    tals: tuple[Tal, ...]
    directory: Path
    offline: bool = False
    allow_dubious_hosts: bool = False
    workers: int = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out. Times are unix seconds; `fetch_errors` are sentences."""

    vrps: Vrps
    report: Report
    started: float
    finished: float
    fetch_errors: tuple[str, ...] = ()


def run(job: Job) -> Outcome:
    """Fetch and validate once. Raises `RpkivalError` where the directory or the rsync program cannot be used."""
    started = time.time()
    if job.offline:
        source: LocalDirectory | FetchedDirectory = LocalDirectory(job.directory)
    else:
        source = FetchedDirectory(job.directory, Rsync(), allow_dubious_hosts=job.allow_dubious_hosts)
    judged = validate(job.tals, source, clock=lambda: int(time.time()), workers=job.workers)
    errors = tuple(result.error for result in source.results if result.error)
    return Outcome(collect(judged), judged.report, started, time.time(), errors)
