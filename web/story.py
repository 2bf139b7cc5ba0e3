"""The story of the moment: what the process has, how old it is, and what is wrong with it, in numbers and words."""

from __future__ import annotations

from dataclasses import dataclass

from rpkival.errors import StateError
from web.view import View
from web.words import span

__all__ = ["STALE_AFTER", "Story", "tell"]

STALE_AFTER = 2 * 3600.0
"""Age in seconds from which the page warns. Validation runs every ten minutes and a slow one takes half an hour, so
this is several failures in a row; objects are reissued long before they expire, hours late is still mostly right."""


@dataclass(frozen=True, slots=True)
class Story:
    """`age`: seconds. `ready`: there is data. `watches`: a monitor runs. `problem`: a sentence, or empty."""

    ready: bool
    vrps: int
    serial: int
    generated: float
    age: float
    watches: bool
    open_incidents: int
    routers: int
    problem: str
    sentence: str


def tell(view: View) -> Story:
    """Read `view` as it is now."""
    snapshot = view.snapshot
    open_incidents, trouble = _open_incidents(view)
    generated = snapshot.generated if snapshot else 0.0
    age = max(0.0, view.now() - generated) if snapshot else 0.0
    return Story(
        ready=snapshot is not None,
        vrps=len(snapshot.vrps) if snapshot else 0,
        serial=snapshot.serial if snapshot else 0,
        generated=generated,
        age=age,
        watches=view.incidents is not None,
        open_incidents=open_incidents,
        routers=len(view.routers()),
        problem=trouble or _problem(view, age),
        sentence=f"Data of serial {snapshot.serial}, {span(age)} old." if snapshot else "No data yet.",
    )


def _open_incidents(view: View) -> tuple[int, str]:
    """How many there are, and the trouble with the database; the payload is told of all the same."""
    try:
        return (view.incidents.counts().get("open", 0) if view.incidents else 0), ""
    except StateError as error:
        return 0, str(error)


def _problem(view: View, age: float) -> str:
    if view.troubles:
        return " ".join(view.troubles.values())
    if view.snapshot is None:
        return "There is no data yet: the first validation has not finished. This page fills itself when it has."
    if age > STALE_AFTER:
        return f"The data is {span(age)} old, so answers may be wrong. See what the last validation ran into."
    for feed in view.feeds():
        if feed.state == "stale":
            return f"The feed {feed.name} has gone silent, so a hijack may go unseen."
        if feed.state == "down":
            return f"The feed {feed.name} is down, so a hijack may go unseen. {feed.error or ''}".strip()
    return ""
