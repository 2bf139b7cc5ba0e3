"""From the trust anchors down, publication point by publication point."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext

from rpkival.errors import LimitError
from rpkival.limits import (
    MAX_FETCH_PROBLEMS,
    MAX_PUBLICATION_POINTS,
    MAX_REJECTIONS,
    MAX_TREE_VRPS,
    MAX_TRUST_ANCHORS,
)
from rpkival.objects.tal import Tal
from rpkival.validation.issuer import Issuer
from rpkival.validation.publication_point import PublicationPoint, judge_publication_point
from rpkival.validation.report import (
    LIMIT_SECTION,
    Counts,
    FetchProblem,
    Rejection,
    Tally,
    TrustAnchorReport,
    ValidatedRoa,
    ValidationRun,
)
from rpkival.validation.source import Source
from rpkival.validation.trust_anchor import open_trust_anchor
from rpkival.validation.workers import Workers

__all__ = ["Progress", "validate"]

Progress = Callable[[str, int, int], None]
"""Told after each publication point: the trust anchor, how many of its points are done, how many are known so far."""


def validate(
    tals: Sequence[Tal],
    source: Source,
    *,
    clock: Callable[[], int],
    on_progress: Progress | None = None,
    workers: int = 1,
) -> ValidationRun:
    """Validate all that the trust anchors lead to.

    `clock` gives the time in unix seconds. It is asked once per publication point, after its files are there: fetching
    takes minutes, and what a CA has signed meanwhile is not yet valid by the time of the start. A constant clock judges
    as of one moment.

    Bad objects end in the run's rejections. With more than one of `workers`, so many other processes judge, and the
    result is the same. Raises `LimitError` only for more locators than `MAX_TRUST_ANCHORS`, and `StateError` where a
    worker dies.
    """
    if len(tals) > MAX_TRUST_ANCHORS:
        raise LimitError(f"There are {len(tals)} trust anchor locators; {MAX_TRUST_ANCHORS} are allowed.")
    started = clock()
    with Workers(workers) if workers > 1 else nullcontext() as pool:
        walk = _Walk(source, clock, on_progress, pool)
        anchors = tuple(walk.tree(tal) for tal in tals)
    problems = tuple(FetchProblem(uri, sentence) for sentence, uri in walk.fetch_problems.items())
    return ValidationRun(started, anchors, tuple(walk.roas), tuple(walk.rejections), problems)


class _Walk:
    """One run while it goes on."""

    def __init__(
        self, source: Source, clock: Callable[[], int], on_progress: Progress | None, workers: Workers | None
    ) -> None:
        self._source = source
        self._clock = clock
        self._on_progress = on_progress
        self._workers = workers
        self._done = 0
        self._known = 0
        self._unlisted = 0
        self.roas: list[ValidatedRoa] = []
        self.rejections: list[Rejection] = []
        self.fetch_problems: dict[str, str] = {}
        """Sentence to the first URI it was about: a repository that is down is down for all its CAs."""

    def tree(self, tal: Tal) -> TrustAnchorReport:
        """Walk one tree, level by level."""
        tally = Tally(tal.name)
        anchor = open_trust_anchor(tal, self._source, self._clock, tally)
        counts = [tally.counts]
        level = [] if anchor is None else [anchor]
        self._done, self._known, self._unlisted = 0, len(level), 0
        points = vrps = 0
        complete = True
        walked: set[tuple[object, ...]] = set()
        while level:
            below: list[Issuer] = []
            for point in self._judged(level):
                if points >= MAX_PUBLICATION_POINTS or vrps > MAX_TREE_VRPS:
                    tally.reject(tal.uris[0], None, _too_large(points, vrps))
                    complete = False
                    below.clear()
                    break
                children = _not_yet(point.children, walked, tally)
                self._take(tal.name, point, children)
                below.extend(children)
                counts.append(point.counts)
                points += 1
                vrps += point.counts.vrps
            level = below
        self.rejections.extend(tally.rejections(tal.uris[0]))
        if self._unlisted:
            sentence = f"The report is full; {self._unlisted} more records of this trust anchor are not listed."
            self.rejections.append(Rejection(tal.uris[0], "", LIMIT_SECTION, sentence, tal.name))
        return TrustAnchorReport(tal.name, "" if anchor is None else anchor.uri, Counts.sum(counts), complete)

    def _judged(self, issuers: list[Issuer]) -> Iterator[PublicationPoint]:
        """The publication points of one level, in order."""
        prepared = map(self._prepared, issuers)
        if self._workers is not None:
            return self._workers.judge(prepared, self._source.read)
        return (judge_publication_point(issuer, self._source.read, now) for issuer, now in prepared)

    def _prepared(self, issuer: Issuer) -> tuple[Issuer, int]:
        """The issuer, once its files are there, and the time as of which to judge them."""
        problem = self._source.prepare(issuer.repository)
        if problem is not None and len(self.fetch_problems) < MAX_FETCH_PROBLEMS:
            self.fetch_problems.setdefault(problem, issuer.repository)
        return issuer, self._clock()

    def _take(self, trust_anchor: str, point: PublicationPoint, children: Sequence[Issuer]) -> None:
        self.roas.extend(point.roas)
        listed = point.rejections[: max(0, MAX_REJECTIONS - len(self.rejections))]
        self.rejections.extend(listed)
        self._unlisted += len(point.rejections) - len(listed)
        self._done += 1
        self._known += len(children)
        if self._on_progress is not None:
            self._on_progress(trust_anchor, self._done, self._known)


def _not_yet(children: Iterable[Issuer], walked: set[tuple[object, ...]], tally: Tally) -> list[Issuer]:
    """The CAs that no other certificate has led to before, and a record for each of the rest.

    Forty certificates each for the next of four keys would else be two and a half million publication points to walk.
    """
    new = []
    for child in children:
        if child.decisive in walked:
            tally.reject(child.uri, None, LimitError("Another certificate for the same CA and resources has led here."))
        else:
            walked.add(child.decisive)
            new.append(child)
    return new


def _too_large(points: int, vrps: int) -> LimitError:
    return LimitError(f"The tree passed its limit after {points} publication points and {vrps} VRPs; no more is read.")
