"""What the page and the API show: one object that the running process fills and that they only read."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from feeds.status import FeedStatus
from rpkival.history.store import History
from rpkival.monitor.store import IncidentStore
from rpkival.origin.index import OriginIndex
from rpkival.payload.changes import Changes
from rpkival.payload.exceptions.exceptions import ExceptionFile, Number
from rpkival.payload.guard import Hold
from rpkival.payload.snapshot import Snapshot
from rpkival.rtr.server import SessionInfo
from rpkival.validation.report import Report
from web.beacons import BeaconSet
from web.news import News

__all__ = ["Fetch", "Isp", "LocalState", "ValidationSummary", "View"]


@dataclass(frozen=True, slots=True)
class Fetch:
    """How one fetch of a repository ended: `error` is a sentence, `received` counts octets where that is known.

    `status` is that of the HTTP answer, or of the rsync program, with which it failed.
    """

    uri: str
    protocol: str
    error: str | None
    seconds: float
    received: int | None = None
    serial: int | None = None
    status: int | None = None


@dataclass(frozen=True, slots=True)
class ValidationSummary:
    """The last complete run of validation. `started` and `finished` are unix seconds."""

    started: float
    finished: float
    report: Report
    fetches: tuple[Fetch, ...] = ()


@dataclass(frozen=True, slots=True)
class LocalState:
    """The SLURM files in force since `loaded` (unix seconds), what they take away by trust anchor and add by file.
    `problem` says why newer ones are not, "" where there are none.
    """

    files: tuple[ExceptionFile, ...]
    loaded: float
    filtered: tuple[Number, ...] = ()
    added: tuple[Number, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Isp:
    """A network of the lab that a visitor can sit behind; its beacons take `name` as `?isp=`."""

    name: str
    title: str


def _no_changes(_since: int, _now: int) -> Changes | None:
    return None


@dataclass(slots=True)
class View:
    """Everything may be missing or empty: the page says so in words. `incidents` is None where no monitor runs.

    `holds` is what the guard keeps from being withdrawn; `history` is None where no database can be used, `exceptions`
    without SLURM files. `troubles` are sentences about what does not work now, by the name of the room.
    `aspas_not_served` has the customers whose ASPA no PDU of RTR can hold. `changes_since` tells what changed from one
    serial to another, None where that is not kept; `news` is announced with each new payload.
    `isps` is what a lab offers; on the Internet one has the ISP that one has, and it is empty.
    """

    snapshot: Snapshot | None = None
    index: OriginIndex | None = None
    validation: ValidationSummary | None = None
    incidents: IncidentStore | None = None
    history: History | None = None
    holds: tuple[Hold, ...] = ()
    exceptions: LocalState | None = None
    feeds: Callable[[], Sequence[FeedStatus]] = tuple
    routers: Callable[[], Sequence[SessionInfo]] = tuple
    aspas_not_served: Callable[[], Sequence[int]] = tuple
    beacons: tuple[BeaconSet, ...] = ()
    lab: bool = False
    isps: tuple[Isp, ...] = ()
    now: Callable[[], float] = time.time
    troubles: dict[str, str] = field(default_factory=dict)
    changes_since: Callable[[int, int], Changes | None] = _no_changes
    news: News = field(default_factory=News)
