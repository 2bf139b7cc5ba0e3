"""From the trust anchors down, publication point by publication point, each as soon as its repository is there."""

from __future__ import annotations

from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import replace
from functools import partial
from operator import attrgetter, itemgetter

from rpkival.errors import LimitError, ObjectError
from rpkival.limits import (
    MAX_FETCH_PROBLEMS,
    MAX_PUBLICATION_POINTS,
    MAX_REJECTIONS,
    MAX_TREE_VRPS,
    MAX_TRUST_ANCHORS,
)
from rpkival.objects.place import Accepted
from rpkival.objects.tal import Tal
from rpkival.objects.times import format_time
from rpkival.objects.trust_anchor_key import TakContent
from rpkival.validation.issuer import Issuer
from rpkival.validation.memo import Memo, Remembered
from rpkival.validation.publication_point import PublicationPoint, file_name, lost_point
from rpkival.validation.report import (
    LIMIT_SECTION,
    Counts,
    FetchProblem,
    Rejection,
    RepositoryReport,
    Successor,
    Tally,
    TrustAnchorReport,
    ValidatedAspa,
    ValidatedRouterKey,
    ValidationRun,
)
from rpkival.validation.roas import RoaBlock, ValidatedRoas
from rpkival.validation.source import Source
from rpkival.validation.trust_anchor import open_trust_anchor
from rpkival.validation.workers import Here, Workers

__all__ = ["FetchProgress", "Progress", "validate"]

Progress = Callable[[str, int, int], None]
"""Told after each publication point: the trust anchor, how many of its points are done, how many are known so far."""

FetchProgress = Callable[[str, bool], None]
"""Told of a repository that has to be waited for (its URI, False), and when it is there (True)."""


def validate(
    tals: Sequence[Tal],
    source: Source,
    *,
    clock: Callable[[], int],
    on_progress: Progress | None = None,
    on_fetch: FetchProgress | None = None,
    on_authority: Callable[[Issuer], None] | None = None,
    workers: int = 1,
    memo: Memo | None = None,
    strict: bool = False,
) -> ValidationRun:
    """Validate all that the trust anchors lead to.

    `clock` gives the time in unix seconds. It is asked once per publication point, after its files are there: fetching
    takes minutes, and what a CA has signed meanwhile is not yet valid by the time of the start. A constant clock judges
    as of one moment. What `memo` has of an earlier run is not judged again; the result is the same without it. Signed
    objects that are BER and no DER are refused if `strict`. `on_authority` is told of each CA with a valid certificate.

    Bad objects end in the run's rejections. With more than one of `workers`, so many other processes judge, and the
    result is the same. Raises `LimitError` only for more locators than `MAX_TRUST_ANCHORS`, `StateError` where a worker
    cannot even begin.
    """
    if len(tals) > MAX_TRUST_ANCHORS:
        raise LimitError(f"There are {len(tals)} trust anchor locators; {MAX_TRUST_ANCHORS} are allowed.")
    started = clock()
    remembered = None if memo is None else Remembered(memo, strict=strict)
    with Workers(workers, strict=strict) if workers > 1 else Here(strict=strict) as pool:
        walk = _Walk(source, clock, on_progress, on_fetch, on_authority, pool, remembered, strict=strict)
        anchors = tuple(walk.tree(tal) for tal in tals)
    if remembered is not None and all(anchor.uri and anchor.complete for anchor in anchors):
        remembered.forget_unused()
    problems = tuple(FetchProblem(uri, sentence) for sentence, uri in walk.fetch_problems.items())
    return ValidationRun(
        started,
        anchors,
        ValidatedRoas(tuple(sorted(walk.roas, key=_place_of))),
        tuple(walk.rejections),
        problems,
        tuple(sorted(walk.aspas, key=_URI)),
        tuple(sorted(walk.router_keys, key=_URI)),
        tuple(sorted(walk.repositories, key=_URI)),
    )


_URI = attrgetter("trust_anchor", "uri")


def _place_of(part: tuple[RoaBlock, int]) -> tuple[str, str, str]:
    """What orders blocks of ROAs: which points are judged first depends on what is remembered and who is quick."""
    return part[0].trust_anchor, part[0].repository, part[0].names


class _Visit:
    """A CA on the way: where it publishes, when the chain down to it ends, and its manifest as last fetched."""

    __slots__ = ("expires", "issuer", "manifest", "place")

    def __init__(self, issuer: Issuer, expires: int) -> None:
        self.issuer = issuer
        self.place = issuer.place
        self.expires = expires
        self.manifest: bytes | None = None


class _Walk:
    """One run while it goes on."""

    def __init__(
        self,
        source: Source,
        clock: Callable[[], int],
        on_progress: Progress | None,
        on_fetch: FetchProgress | None,
        on_authority: Callable[[Issuer], None] | None,
        pool: Workers | Here,
        remembered: Remembered | None,
        *,
        strict: bool,
    ) -> None:
        self._strict = strict
        self._source = source
        self._clock = clock
        self._on_progress = on_progress
        self._on_fetch = on_fetch
        self._on_authority = on_authority
        self._pool = pool
        self._remembered = remembered
        self._fetching: dict[Future[str | None], list[_Visit]] = {}
        self._arrived: set[Future[str | None]] = set()
        self._ready: deque[_Visit] = deque()
        self._unknown: deque[_Visit] = deque()
        self._judging: deque[_Visit] = deque()
        self._done = 0
        self._known = 0
        self._listed: list[tuple[str, tuple[Rejection, ...]]] = []
        self._unlisted = 0
        self._room = 0
        self.roas: list[tuple[RoaBlock, int]] = []
        self.aspas: list[ValidatedAspa] = []
        self.router_keys: list[ValidatedRouterKey] = []
        self.rejections: list[Rejection] = []
        self.repositories: list[RepositoryReport] = []
        self.fetch_problems: dict[str, str] = {}
        """Sentence to the first URI it was about: a repository that is down is down for all its CAs."""

    def tree(self, tal: Tal) -> TrustAnchorReport:
        """Walk one tree."""
        tally = Tally(tal.name)
        anchor = open_trust_anchor(tal, self._source, self._clock, tally)
        counts: dict[str, list[Counts]] = {}
        self._done, self._known, self._unlisted = 0, 0, 0
        self._room = max(0, MAX_REJECTIONS - len(self.rejections))
        points = vrps = 0
        complete = True
        successor: Successor | None = None
        walked: set[bytes] = set()
        if anchor is not None:
            self._request([anchor], anchor.expires)
        while (settled := self._next()) is not None:
            visit, point = settled
            if points >= MAX_PUBLICATION_POINTS or vrps > MAX_TREE_VRPS:
                tally.reject(tal.uris[0], None, _too_large(points, vrps))
                complete = False
                self._drop()
                break
            children = _not_yet(point.children, walked, tally)
            self._request(children, visit.expires)
            self._take(tal.name, point, visit.expires)
            counts.setdefault(visit.place.source, []).append(point.counts)
            successor = successor or _successor(point.anchor_keys)
            points += 1
            vrps += point.counts.vrps
        for _, listed in sorted(self._listed, key=itemgetter(0)):
            self.rejections.extend(listed)
        self._listed.clear()
        self.rejections.extend(tally.rejections(tal.uris[0]))
        if self._unlisted:
            sentence = f"The report is full; {self._unlisted} more records of this trust anchor are not listed."
            self.rejections.append(Rejection(tal.uris[0], "", LIMIT_SECTION, sentence, tal.name))
        repositories = [RepositoryReport(tal.name, uri, Counts.sum(parts)) for uri, parts in counts.items()]
        self.repositories.extend(repositories)
        total = Counts.sum([tally.counts, *(repository.counts for repository in repositories)])
        return TrustAnchorReport(tal.name, "" if anchor is None else anchor.uri, total, complete, successor)

    def _request(self, issuers: Sequence[Issuer], expires: int) -> None:
        """Ask for the repositories of these CAs, all at once; a slow one delays nobody else's."""
        self._known += len(issuers)
        for issuer in issuers:
            if self._on_authority is not None:
                self._on_authority(issuer)
            visit = _Visit(issuer, min(expires, issuer.expires))
            future = self._source.request(visit.place)
            if future in self._arrived or future.done():
                self._arrive(future, visit)
            else:
                if future not in self._fetching and self._on_fetch is not None:
                    self._on_fetch(visit.place.source, False)
                self._fetching.setdefault(future, []).append(visit)

    def _arrive(self, future: Future[str | None], visit: _Visit) -> None:
        if future not in self._arrived:
            self._arrived.add(future)
            problem = future.result()
            if problem is not None and len(self.fetch_problems) < MAX_FETCH_PROBLEMS:
                self.fetch_problems.setdefault(problem, visit.issuer.repository)
        self._ready.append(visit)

    def _next(self) -> tuple[_Visit, PublicationPoint] | None:
        """The next publication point that is judged, None after the last."""
        while True:
            while self._unknown and not self._pool.full:
                visit = self._unknown.popleft()
                self._submit(visit)
                self._judging.append(visit)
            if self._ready:
                # What is remembered is settled while others judge what is not.
                visit = self._ready.popleft()
                visit.manifest = self._source.manifest(visit.place)
                known = self._recall(visit.issuer, visit.manifest)
                if known is not None:
                    return visit, self._settled(visit, known)
                self._unknown.append(visit)
                continue
            if self._judging:
                visit = self._judging.popleft()
                return visit, self._settled(visit, self._judged(visit))
            if not self._fetching:
                return None
            done, _ = wait(self._fetching, return_when=FIRST_COMPLETED)
            for future in done:
                visits = self._fetching.pop(future)
                if self._on_fetch is not None:
                    self._on_fetch(visits[0].place.source, True)
                for visit in visits:
                    self._arrive(future, visit)

    def _recall(self, issuer: Issuer, manifest: bytes | None) -> PublicationPoint | None:
        if self._remembered is None or manifest is None:
            return None
        return self._remembered.get(issuer, manifest, self._clock())

    def _submit(self, visit: _Visit) -> None:
        read = partial(self._source.read, visit.place)
        data = None if visit.manifest is None else read(file_name(visit.place.manifest), visit.manifest)
        self._pool.submit(visit.issuer, data, read, self._clock())

    def _judged(self, visit: _Visit) -> PublicationPoint:
        """Take the oldest result from the pool, which is of this CA and manifest, and remember it."""
        point = self._pool.take()
        if self._remembered is not None and visit.manifest is not None:
            self._remembered.put(visit.issuer, visit.manifest, point)
        return point

    def _settled(self, visit: _Visit, point: PublicationPoint) -> PublicationPoint:
        """The point, or the version of it that was last found good where this one is not (RFC 9286 section 6.6)."""
        last = self._source.accepted(visit.place)
        if point.accepted is not None:
            objection = None if last is None else _rollback(last, point.accepted)
            if objection is None:
                if last is None or last.sha256 != point.accepted.sha256:
                    self._source.accept(visit.place, point.accepted, point.digests)
                return point
            point = lost_point(visit.issuer, objection)
        if last is None or last.sha256 == visit.manifest:
            return point
        before = self._recall(visit.issuer, last.sha256) or self._again(visit, last.sha256)
        return point if before.accepted is None else _in_place_of(point, before)

    def _again(self, visit: _Visit, manifest: bytes) -> PublicationPoint:
        """Judge an earlier version now; rare, so here."""
        read = partial(self._source.read, visit.place)
        with Here(strict=self._strict) as here:
            here.submit(visit.issuer, read(file_name(visit.place.manifest), manifest), read, self._clock())
            point = here.take()
        if self._remembered is not None:
            self._remembered.put(visit.issuer, manifest, point)
        return point

    def _drop(self) -> None:
        """Leave the rest of this tree."""
        self._fetching.clear()
        self._ready.clear()
        self._unknown.clear()
        self._judging.clear()
        while len(self._pool):
            self._pool.take()

    def _take(self, trust_anchor: str, point: PublicationPoint, expires: int) -> None:
        if point.roas:
            self.roas.append((point.roas, expires))
        for aspa in point.aspas:
            self.aspas.append(replace(aspa, expires=min(aspa.expires, expires)))
        for key in point.router_keys:
            self.router_keys.append(replace(key, expires=min(key.expires, expires)))
        if point.rejections:
            listed = point.rejections[: self._room]
            self._room -= len(listed)
            self._listed.append((point.uri, listed))
            self._unlisted += len(point.rejections) - len(listed)
        self._done += 1
        if self._on_progress is not None:
            self._on_progress(trust_anchor, self._done, self._known)


def _successor(anchor_keys: Iterable[TakContent]) -> Successor | None:
    """The key that a trust anchor's own objects announce, if any does."""
    for content in anchor_keys:
        if content.successor is not None:
            return Successor(content.successor.uris, b64encode(content.successor.key_info).decode())
    return None


def _rollback(last: Accepted, new: Accepted) -> ObjectError | None:
    """Why a manifest must not follow the one that was accepted last (RFC 9286 section 4.2.1), if so."""
    if new.sha256 == last.sha256 or (new.number > last.number and new.this_update >= last.this_update):
        return None
    sentence = (
        f"The manifest has number {new.number} of {format_time(new.this_update)}; number {last.number} of "
        f"{format_time(last.this_update)} was accepted before, so this one is a replay or a mistake."
    )
    return ObjectError("RFC 9286 section 4.2.1", sentence)


def _in_place_of(failed: PublicationPoint, before: PublicationPoint) -> PublicationPoint:
    """The earlier version, with the records of both: what is wrong now is what somebody has to mend."""
    return replace(before, rejections=(*failed.rejections, *before.rejections))


def _not_yet(children: Iterable[Issuer], walked: set[bytes], tally: Tally) -> list[Issuer]:
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
