"""`/api/v1/status`, `/api/v1/feeds`, `/api/v1/health/...` and `/version`."""

from __future__ import annotations

import msgspec
from aiohttp import web

from feeds.status import FeedStatus
from rpkival import __version__
from rpkival.limits import MAX_LISTED_REJECTIONS, MAX_LISTED_REPOSITORIES
from rpkival.payload.guard import Hold
from rpkival.rtr.server import SessionInfo
from rpkival.validation.report import Rejection, RenamedManifest, RepositoryReport, TrustAnchorReport
from web.answers import json_answer, loaded
from web.keys import view_of
from web.story import tell
from web.view import Fetch, LocalState
from web.words import iso

__all__ = ["FeedAnswer", "FeedsAnswer", "HealthAnswer", "StatusAnswer", "feeds", "live", "ready", "status", "version"]


class FeedAnswer(msgspec.Struct, frozen=True):
    """Times are unix seconds, null where there was none yet."""

    name: str
    url: str
    state: str
    connected_since: float | None
    last_message: float | None
    messages: int
    routes: int
    malformed: int
    dropped: int
    reconnects: int
    error: str | None


class FeedsAnswer(msgspec.Struct, frozen=True):
    """All feeds that are followed."""

    feeds: list[FeedAnswer]


class StatusAnswer(msgspec.Struct, frozen=True):
    """Names in camel case are Routinator's and mean the same; durations are seconds. `age` is that of the data."""

    version: str
    serial: int | None
    now: str
    last_update_start: str | None = msgspec.field(name="lastUpdateStart")
    last_update_done: str | None = msgspec.field(name="lastUpdateDone")
    last_update_duration: float | None = msgspec.field(name="lastUpdateDuration")
    lab: bool
    generated: str | None
    age: float | None
    vrps: int
    problem: str
    trust_anchors: tuple[TrustAnchorReport, ...]
    repositories: tuple[RepositoryReport, ...]
    fetches: tuple[Fetch, ...]
    held: tuple[Hold, ...]
    exceptions: LocalState | None
    rejected: int
    rejections: tuple[Rejection, ...]
    renamed_manifests: tuple[RenamedManifest, ...]
    feeds: list[FeedAnswer]
    routers: tuple[SessionInfo, ...]
    aspas_not_served: tuple[int, ...]


class HealthAnswer(msgspec.Struct, frozen=True):
    """Of a probe that succeeds."""

    status: str


async def status(request: web.Request) -> web.Response:
    """Everything that `/status` shows."""
    view = view_of(request)
    story, run = tell(view), view.validation
    return json_answer(
        StatusAnswer(
            version=f"rpkival/{__version__}",
            serial=story.serial if story.ready else None,
            now=iso(view.now()),
            last_update_start=iso(run.started) if run else None,
            last_update_done=iso(run.finished) if run else None,
            last_update_duration=run.finished - run.started if run else None,
            lab=view.lab,
            generated=iso(story.generated) if story.ready else None,
            age=round(story.age, 3) if story.ready else None,
            vrps=story.vrps,
            problem=story.problem,
            held=view.holds,
            exceptions=view.exceptions,
            trust_anchors=run.report.trust_anchors if run else (),
            repositories=run.report.repositories[:MAX_LISTED_REPOSITORIES] if run else (),
            fetches=run.fetches[:MAX_LISTED_REPOSITORIES] if run else (),
            rejected=len(run.report.rejections) if run else 0,
            rejections=run.report.rejections[:MAX_LISTED_REJECTIONS] if run else (),
            renamed_manifests=run.report.renamed_manifests if run else (),
            feeds=[_feed(feed) for feed in view.feeds()],
            routers=tuple(view.routers()),
            aspas_not_served=tuple(view.aspas_not_served()),
        )
    )


async def feeds(request: web.Request) -> web.Response:
    """The feeds and how they do."""
    return json_answer(FeedsAnswer([_feed(feed) for feed in view_of(request).feeds()]))


async def live(_: web.Request) -> web.Response:
    """The process answers."""
    return json_answer(HealthAnswer("alive"))


async def ready(request: web.Request) -> web.Response:
    """There is data to answer from; 503 and the reason otherwise."""
    loaded(request)
    return json_answer(HealthAnswer("ready"))


async def version(_: web.Request) -> web.Response:
    """Name and version, as Routinator's `/version`."""
    return web.Response(text=f"rpkival/{__version__}\n")


def _feed(feed: FeedStatus) -> FeedAnswer:
    return FeedAnswer(
        feed.name,
        feed.url,
        feed.state,
        feed.connected_since,
        feed.last_message,
        feed.messages,
        feed.routes,
        feed.malformed,
        feed.dropped,
        feed.reconnects,
        feed.error,
    )
