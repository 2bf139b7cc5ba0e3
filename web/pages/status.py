"""`/status`: as a page for browsers, and as Routinator's text for everybody else."""

from __future__ import annotations

from aiohttp import web

from rpkival import __version__
from rpkival.limits import MAX_LISTED_REJECTIONS, MAX_LISTED_REPOSITORIES, MAX_LISTED_ROUTERS
from web.keys import view_of
from web.render import render
from web.story import tell
from web.view import View
from web.words import iso

__all__ = ["status_page"]


async def status_page(request: web.Request) -> web.Response:
    """What validation, feeds and routers do; HTML if the client asks for it."""
    view = view_of(request)
    if "text/html" not in request.headers.get("Accept", ""):
        return web.Response(text=_as_text(view), content_type="text/plain", headers={"Vary": "Accept"})
    routers = sorted(view.routers(), key=lambda router: router.lag or 0, reverse=True)
    rejections = view.validation.report.rejections[:MAX_LISTED_REJECTIONS] if view.validation else ()
    page = render(
        request,
        "status.html",
        rejections=rejections,
        repositories=view.validation.report.repositories[:MAX_LISTED_REPOSITORIES] if view.validation else (),
        fetches={fetch.uri: fetch for fetch in view.validation.fetches} if view.validation else {},
        feeds=view.feeds(),
        routers=routers[:MAX_LISTED_ROUTERS],
        router_count=len(routers),
        aspas_not_served=view.aspas_not_served(),
    )
    page.headers["Vary"] = "Accept"
    return page


def _as_text(view: View) -> str:
    """The lines of Routinator's `/status` that we have figures for, under its names."""
    story, run = tell(view), view.validation
    lines = [f"version: rpkival/{__version__}", f"serial: {story.serial if story.ready else '-'}"]
    if run:
        anchors = run.report.trust_anchors
        per_anchor = " ".join(f"{anchor.name}={anchor.counts.roas_valid}" for anchor in anchors)
        lines += [
            f"last-update-start-at:  {iso(run.started)}",
            f"last-update-start-ago: {view.now() - run.started:.0f}s",
            f"last-update-done-at:   {iso(run.finished)}",
            f"last-update-done-ago:  {view.now() - run.finished:.0f}s",
            f"last-update-duration:  {run.finished - run.started:.3f}s",
            f"valid-roas: {sum(anchor.counts.roas_valid for anchor in anchors)}",
            f"valid-roas-per-tal: {per_anchor}",
        ]
    lines += [f"vrps: {story.vrps}", f"rtr-connections: {story.routers}"]
    return "\n".join(lines) + "\n"
