"""From trees to what a run has found."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Final, TypeVar

from rpkival.limits import MAX_REJECTIONS
from rpkival.objects.resources import Ranges, Resources, united
from rpkival.objects.tal import Tal
from rpkival.objects.trust_anchor_key import TakContent
from rpkival.validation.lifetime import Chain
from rpkival.validation.report import (
    LIMIT_SECTION,
    Counts,
    FetchProblem,
    Rejection,
    RenamedManifest,
    RepositoryReport,
    Successor,
    Tally,
    TrustAnchorReport,
    ValidatedAspa,
    ValidatedRouterKey,
    ValidationRun,
)
from rpkival.validation.roas import RoaTable, ValidatedRoas
from rpkival.validation.tree import Tree

__all__ = ["Findings"]

_URI = attrgetter("trust_anchor", "uri")


class Findings:
    """Of one run, tree by tree. Their order is that of the trees, whatever was judged or fetched first."""

    def __init__(self) -> None:
        self._anchors: list[TrustAnchorReport] = []
        self._roas: list[RoaTable] = []
        self._aspas: list[ValidatedAspa] = []
        self._router_keys: list[ValidatedRouterKey] = []
        self._rejections: list[Rejection] = []
        self._repositories: list[RepositoryReport] = []
        self._renamed: list[RenamedManifest] = []
        self._servers: dict[tuple[str, str], str] = {}
        self._lost: list[Resources] = []

    def add(
        self,
        tal: Tal,
        tree: Tree,
        tally: Tally,
        renamed: Iterable[RenamedManifest],
        gaps: Mapping[str, int],
        *,
        uri: str,
        complete: bool,
    ) -> None:
        """What a locator led to, what was counted beside its tree, which manifests have got other names, and how many
        left a gap in their numbers, by repository.

        `uri` is that of the anchor's certificate, "" where there is none.
        """
        chains = tree.chains
        room = max(0, MAX_REJECTIONS - len(self._rejections))
        unlisted = 0
        anchor_keys: list[TakContent] = []
        self._roas.append(tree.roa_table(chains))
        for row, rest in tree.rest:
            if rest.aspas or rest.router_keys:
                self._servers[tal.name, tree.repositories[row]] = tree.server(row)
                above = Chain(*chains[row].tolist())
                self._aspas.extend(_under(above, each) for each in rest.aspas)
                self._router_keys.extend(_under(above, each) for each in rest.router_keys)
            if rest.lost is not None:
                self._lost.append(rest.lost)
            anchor_keys.extend(rest.anchor_keys)
            listed = rest.rejections[:room]
            room -= len(listed)
            unlisted += len(rest.rejections) - len(listed) + rest.unlisted
            self._rejections.extend(listed)
        self._rejections.extend(tally.rejections(tal.uris[0]))
        if unlisted:
            sentence = f"The report is full; {unlisted} more records of this trust anchor are not listed."
            self._rejections.append(Rejection(tal.uris[0], "", LIMIT_SECTION, sentence, tal.name))
        repositories = [
            RepositoryReport(tal.name, source, counts, gaps.get(source, 0)) for source, counts in tree.counts.items()
        ]
        self._repositories.extend(repositories)
        self._renamed.extend(renamed)
        total = Counts.sum([tally.counts, *(repository.counts for repository in repositories)])
        self._anchors.append(
            TrustAnchorReport(
                tal.name,
                uri,
                total,
                complete,
                _successor(anchor_keys),
                sum(repository.manifest_gaps for repository in repositories),
            )
        )

    def run(self, started: int, problems: Iterable[FetchProblem]) -> ValidationRun:
        """All of it, of a run that began at `started` (unix seconds)."""
        return ValidationRun(
            started,
            tuple(self._anchors),
            ValidatedRoas(tuple(self._roas)),
            tuple(self._rejections),
            tuple(problems),
            tuple(sorted(self._aspas, key=_URI)),
            tuple(sorted(self._router_keys, key=_URI)),
            tuple(sorted(self._repositories, key=_URI)),
            tuple(self._renamed),
            self._servers,
            Resources(
                _lost(each.ipv4 for each in self._lost),
                _lost(each.ipv6 for each in self._lost),
            ),
        )

    @property
    def is_whole(self) -> bool:
        """Whether all anchors could be had and no tree was too large."""
        return all(anchor.uri and anchor.complete for anchor in self._anchors)


_Said = TypeVar("_Said", ValidatedAspa, ValidatedRouterKey)


def _under(above: Chain, said: _Said) -> _Said:
    """With what stands above its publication point, which often says nothing new."""
    lifetime = said.lifetime.under(above)
    return said if lifetime == said.lifetime else replace(said, lifetime=lifetime)


def _lost(parts: Iterable[Ranges]) -> Ranges:
    """All together, but for whole address families: a trust anchor that has one says nothing of whose addresses."""
    return united(block for part in parts for block in part if block not in _FAMILIES)


_FAMILIES: Final = {(0, 2**32 - 1), (0, 2**128 - 1)}


def _successor(anchor_keys: Sequence[TakContent]) -> Successor | None:
    """The key that a trust anchor's own object announces, if it does; two such objects are never good."""
    if not anchor_keys or anchor_keys[0].successor is None:
        return None
    successor = anchor_keys[0].successor
    return Successor(successor.uris, b64encode(successor.key_info).decode())
