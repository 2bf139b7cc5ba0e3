"""From the trust anchors down, publication point by publication point, each as soon as its repository is there."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import replace
from functools import partial
from hashlib import sha256
from operator import attrgetter

from rpkival.errors import LimitError
from rpkival.limits import (
    MAX_FETCH_PROBLEMS,
    MAX_PUBLICATION_POINTS,
    MAX_TREE_BYTES,
    MAX_TREE_LOST_RANGES,
    MAX_TREE_REJECTIONS,
    MAX_TREE_VRPS,
    MAX_TRUST_ANCHORS,
)
from rpkival.objects.place import Place
from rpkival.objects.tal import Tal
from rpkival.validation.admission import Admission
from rpkival.validation.findings import Findings
from rpkival.validation.growth import Node, grow
from rpkival.validation.issuer import Issuer
from rpkival.validation.known_tree import KnownTree
from rpkival.validation.memo import KeptTree, Memo, Remembered
from rpkival.validation.numbering import leaves_gap, rollback
from rpkival.validation.publication_point import PublicationPoint, file_name, lost_point
from rpkival.validation.renaming import renamed_manifests
from rpkival.validation.report import FetchProblem, Tally, ValidationRun
from rpkival.validation.source import Source
from rpkival.validation.tree import Branch, Leaves, RepositoryKey, Tree
from rpkival.validation.trust_anchor import open_trust_anchor
from rpkival.validation.workers import Here, Workers, usual_workers

__all__ = ["FetchProgress", "Progress", "Settled", "validate"]

Progress = Callable[[str, int, int], None]
"""Told after each publication point: the trust anchor, how many of its points are done, how many are known so far."""

Settled = Callable[[Issuer, PublicationPoint], None]
"""Told of each publication point: the CA, and what its files, or the last good version of them, came to."""

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
    on_settled: Settled | None = None,
    workers: int | None = 0,
    memo: Memo | None = None,
    strict: bool = False,
) -> ValidationRun:
    """Validate all that the trust anchors lead to.

    `clock` gives the time in unix seconds. It is asked once per publication point, after its files are there: fetching
    takes minutes, and what a CA has signed meanwhile is not yet valid by the time of the start. A constant clock judges
    as of one moment. What `memo` has of an earlier run is not judged again; the result is the same without it, but for
    `renamed_manifests`. Signed objects that are BER and no DER are refused if `strict`. `on_authority` is told of each
    CA with a valid certificate, `on_settled` of what each of them came to; either has the walk go to each of them.

    Bad objects end in the run's rejections. With `workers`, so many other processes judge, which can do nothing else,
    None for as many as are usual; the result is the same. Raises `LimitError` only for more locators than
    `MAX_TRUST_ANCHORS`, `StateError` where a worker cannot even begin.
    """
    if len(tals) > MAX_TRUST_ANCHORS:
        raise LimitError(f"There are {len(tals)} trust anchor locators; {MAX_TRUST_ANCHORS} are allowed.")
    started = clock()
    remembered = Remembered(memo, strict=strict)
    findings = Findings()
    number = usual_workers() if workers is None else workers
    with Workers(number, strict=strict) if number else Here(strict=strict) as pool:
        walk = _Walk(source, clock, on_progress, on_fetch, on_authority, on_settled, pool, remembered, strict=strict)
        for tal in tals:
            walk.tree(tal, findings)
    if memo is not None:
        walk.remember(whole=findings.is_whole)
    return findings.run(started, walk.fetch_problems)


class _Fetch:
    """A repository under way, and what waits for it: CAs, and repositories of the last run's tree by their keys."""

    __slots__ = ("known", "nodes", "place")

    def __init__(self, place: Place) -> None:
        self.place = place
        self.nodes: list[Node] = []
        self.known: list[RepositoryKey] = []


class _Walk:
    """One run while it goes on."""

    def __init__(
        self,
        source: Source,
        clock: Callable[[], int],
        on_progress: Progress | None,
        on_fetch: FetchProgress | None,
        on_authority: Callable[[Issuer], None] | None,
        on_settled: Settled | None,
        pool: Workers | Here,
        remembered: Remembered,
        *,
        strict: bool,
    ) -> None:
        self._strict = strict
        self._source = source
        self._clock = clock
        self._on_progress = on_progress
        self._on_fetch = on_fetch
        self._on_authority = on_authority
        self._on_settled = on_settled
        self._pool = pool
        self._remembered = remembered
        self._acceptances = source.acceptances()
        self._known: KnownTree | None = None
        self._grown: list[tuple[Issuer, Tree, KeptTree | None]] = []
        self._fetching: dict[Future[str | None], _Fetch] = {}
        self._arrived: set[Future[str | None]] = set()
        self._ready: deque[Node] = deque()
        self._unknown: deque[Node] = deque()
        self._judging: deque[Node] = deque()
        self._admission = Admission()
        self._records = self._lost = 0
        self._gaps: Counter[str] = Counter()
        self._accepted: dict[bytes, bytes] = {}
        self._problems: dict[str, Place] = {}
        self._led_to: set[RepositoryKey] = set()

    def tree(self, tal: Tal, findings: Findings) -> None:
        """Walk one tree."""
        tally = Tally(tal.name)
        anchor = open_trust_anchor(tal, self._source, self._clock, tally)
        root = None
        kept = None
        if anchor is not None:
            if self._on_authority is None and self._on_settled is None:
                kept = self._remembered.tree(anchor, self._clock())
            self._recognise(kept)
            root = Node(anchor, self._remembered.identity(anchor), None if kept is None else 0)
            self._request([root])
        complete = self._settle_all(tal, tally)
        tree = grow(tal.name, root)
        self._led_to.update(tree.sources)
        if anchor is not None and complete:
            self._grown.append((anchor, tree, kept))
        renamed = [] if kept is None or tree is kept.tree else renamed_manifests(kept.tree, tree)
        uri = "" if anchor is None else anchor.uri
        findings.add(tal, tree, tally, renamed, self._gaps, uri=uri, complete=complete)

    @property
    def fetch_problems(self) -> list[FetchProblem]:
        """A repository that is down is down for all its CAs. One that only the last run's tree led to is nobody's."""
        problems = [
            FetchProblem(place.source, sentence)
            for sentence, place in self._problems.items()
            if place.servers in self._led_to
        ]
        return sorted(problems, key=attrgetter("uri", "sentence"))

    def remember(self, *, whole: bool) -> None:
        """Keep the trees for the next run; now and then, after a `whole` run, forget what it did not need."""
        if all(kept is not None and tree is kept.tree for _, tree, kept in self._grown):
            return
        acceptances = self._source.acceptances()
        for anchor, tree, kept in self._grown:
            if tree.octets > MAX_TREE_BYTES:
                continue
            tree.doubt(self._accepted)
            revisions = {
                repository: revision
                for repository, rows in tree.in_use
                if (revision := self._source.revision(tree.place(int(rows[0])))) is not None
            }
            walked = self._clock() if kept is None else kept.walked
            self._remembered.put_tree(anchor, KeptTree(tree, revisions, acceptances, walked))
        if whole and any(kept is None for _, _, kept in self._grown):
            self._remembered.forget_unused(tree for _, tree, _ in self._grown)

    def _recognise(self, kept: KeptTree | None) -> None:
        """Have what the last run's tree rests on fetched, so that what stands of it is known early."""
        self._known = None
        if kept is None:
            return
        revisions = kept.revisions if kept.acceptances == self._acceptances else None
        self._known = KnownTree(kept.tree, revisions, self._source, self._accepted)
        for repository, place in self._known.repositories:
            fetch = self._fetch(place)
            if fetch is None:
                self._known.fetched(repository, self._clock())
            else:
                fetch.known.append(repository)

    def _settle_all(self, tal: Tal, tally: Tally) -> bool:
        """Everything below what has been requested; whether the tree is no larger than it may be."""
        done = vrps = self._records = self._lost = 0
        known = 1
        self._admission = Admission()
        self._gaps = Counter()
        while (settled := self._next()) is not None:
            node, found = settled
            points, new_vrps = (found.size, found.vrps) if isinstance(found, Branch) else (1, found.counts.vrps)
            if done + points > MAX_PUBLICATION_POINTS or vrps + new_vrps > MAX_TREE_VRPS:
                tally.reject(tal.uris[0], None, _too_large(done, vrps))
                self._drop()
                return False
            if isinstance(found, Branch):
                node.found = found
                self._admission.take(node.issuer, found)
                self._records += found.rejections
                self._lost += found.lost
                known += found.size - 1
            else:
                if self._on_settled is not None:
                    self._on_settled(node.issuer, found)
                self._grow(node, found, tally)
                known += len(node.children)
            done += points
            vrps += new_vrps
            del node.issuer
            if self._on_progress is not None:
                self._on_progress(tal.name, done, known)
        return True

    def _grow(self, node: Node, point: PublicationPoint, tally: Tally) -> None:
        """Take what was judged, and go on to the CAs below."""
        issuers = self._admission.admitted(node.issuer, point.children, tally)
        steady = node.steady and len(issuers) == len(point.children)
        room, lost_room = MAX_TREE_REJECTIONS - self._records, MAX_TREE_LOST_RANGES - self._lost
        node.found = Leaves.of(node.issuer, point, steady=steady, room=room, lost_room=lost_room)
        self._records += node.found.rejections
        self._lost += node.found.lost
        rows: Mapping[bytes, int] = {} if self._known is None else self._known.below(node.row)
        identities = map(self._remembered.identity, issuers)
        node.children = [
            Node(issuer, identity, rows.get(identity)) for issuer, identity in zip(issuers, identities, strict=True)
        ]
        self._request(node.children)

    def _request(self, nodes: Sequence[Node]) -> None:
        """Ask for the repositories of these CAs, all at once; a slow one delays nobody else's."""
        for node in nodes:
            if self._on_authority is not None:
                self._on_authority(node.issuer)
            fetch = self._fetch(node.place)
            (self._ready if fetch is None else fetch.nodes).append(node)

    def _fetch(self, place: Place) -> _Fetch | None:
        """Ask for a repository; None where it is there."""
        future = self._source.request(place)
        if future in self._arrived:
            return None
        if future not in self._fetching:
            if future.done():
                self._arrive(future, place)
                return None
            if self._on_fetch is not None:
                self._on_fetch(place.source, False)
            self._fetching[future] = _Fetch(place)
        return self._fetching[future]

    def _arrive(self, future: Future[str | None], place: Place) -> None:
        self._arrived.add(future)
        problem = future.result()
        if problem is not None and len(self._problems) < MAX_FETCH_PROBLEMS:
            self._problems.setdefault(problem, place)

    def _wait(self) -> None:
        """Until more is there."""
        done, _ = wait(self._fetching, return_when=FIRST_COMPLETED)
        for future in done:
            fetch = self._fetching.pop(future)
            if self._on_fetch is not None:
                self._on_fetch(fetch.place.source, True)
            self._arrive(future, fetch.place)
            for repository in fetch.known:
                if self._known is not None:
                    self._known.fetched(repository, self._clock())
            self._ready.extend(fetch.nodes)

    def _next(self) -> tuple[Node, PublicationPoint | Branch] | None:
        """The next publication point that is settled, or a branch that stands; None after the last."""
        while True:
            while self._unknown and not self._pool.full:
                node = self._unknown.popleft()
                self._submit(node)
                self._judging.append(node)
            if self._ready:
                # What is remembered is settled while others judge what is not.
                node = self._ready.popleft()
                branch = self._branch(node)
                if branch is not None:
                    return node, branch
                node.manifest = self._source.manifest(node.place)
                known = self._recall(node, node.manifest)
                if known is not None:
                    return node, self._settled(node, known)
                self._unknown.append(node)
            elif self._judging:
                node = self._judging.popleft()
                return node, self._settled(node, self._judged(node))
            elif self._fetching:
                self._wait()
            else:
                return None

    def _branch(self, node: Node) -> Branch | None:
        """A CA with all below, where that stands from the last run and no other certificate has led to any of it."""
        if self._known is None or node.row is None:
            return None
        branch = self._known.branch(node.row, node.place.notify)
        if branch is None or self._records + branch.rejections > MAX_TREE_REJECTIONS:
            return None
        if self._lost + branch.lost > MAX_TREE_LOST_RANGES:
            return None
        return branch if self._admission.admits(node.issuer, branch) else None

    def _recall(self, node: Node, manifest: bytes | None) -> PublicationPoint | None:
        return None if manifest is None else self._remembered.get(node.identity, manifest, self._clock())

    def _submit(self, node: Node) -> None:
        read = partial(self._source.read, node.place)
        data = None if node.manifest is None else read(file_name(node.place.manifest), node.manifest)
        # Another run may have fetched meanwhile: what is judged now must not be remembered as what was there before.
        node.manifest = None if data is None else sha256(data).digest()
        self._pool.submit(node.issuer, data, read, self._clock())

    def _judged(self, node: Node) -> PublicationPoint:
        """Take the oldest result from the pool, which is of this CA and manifest, and remember it."""
        point = self._pool.take()
        if node.manifest is not None:
            self._remembered.put(node.identity, node.manifest, point)
        return point

    def _settled(self, node: Node, point: PublicationPoint) -> PublicationPoint:
        """The point, or the version of it that was last found good where this one is not (RFC 9286 section 6.6)."""
        last = self._source.accepted(node.place)
        node.steady = point.repeatable
        if point.accepted is not None:
            objection = None if last is None else rollback(last, point.accepted)
            if objection is None:
                if last is None or last.sha256 != point.accepted.sha256:
                    self._source.accept(node.place, point.accepted, point.digests)
                    self._accepted[node.place.key] = point.accepted.sha256
                    self._gaps[node.place.source] += last is not None and leaves_gap(last, point.accepted)
                return point
            point = lost_point(node.issuer, objection)
            node.steady = False
        if last is None or last.sha256 == node.manifest:
            return point
        node.steady = False
        before = self._recall(node, last.sha256) or self._again(node, last.sha256)
        return point if before is None or before.accepted is None else _in_place_of(point, before)

    def _again(self, node: Node, manifest: bytes) -> PublicationPoint | None:
        """Judge an earlier version now; rare, so here. None where its manifest is lost."""
        read = partial(self._source.read, node.place)
        data = read(file_name(node.place.manifest), manifest)
        if data is None or sha256(data).digest() != manifest:
            return None
        with Here(strict=self._strict) as here:
            here.submit(node.issuer, data, read, self._clock())
            point = here.take()
        self._remembered.put(node.identity, manifest, point)
        return point

    def _drop(self) -> None:
        """Leave the rest of this tree."""
        self._led_to.update(place.servers for place in self._problems.values())
        self._fetching.clear()
        self._ready.clear()
        self._unknown.clear()
        self._judging.clear()
        while len(self._pool):
            self._pool.take()


def _in_place_of(failed: PublicationPoint, before: PublicationPoint) -> PublicationPoint:
    """The earlier version, with the records of both: what is wrong now is what somebody has to mend."""
    return replace(before, rejections=(*failed.rejections, *before.rejections))


def _too_large(points: int, vrps: int) -> LimitError:
    return LimitError(f"The tree passed its limit after {points} publication points and {vrps} VRPs; no more is read.")
