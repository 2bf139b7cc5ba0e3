"""A tree of this run: what was judged in it, grafted together with the branches of the last that have not changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rpkival.runs import runs
from rpkival.validation.issuer import Issuer
from rpkival.validation.lifetime import CHAIN
from rpkival.validation.tree import ROW, Branch, Leaves, RepositoryKey, Tree

__all__ = ["Node", "grow"]


class Node:
    """A CA on the way.

    `issuer` is deleted once it is settled: fifty thousand of them are too much to keep. `row` is that of the same CA in
    the tree of the last run, None where there is none; `manifest` the digest of its manifest as last fetched.
    `steady` says whether that manifest would come to the same again, as long as it is the one that was accepted last.
    """

    __slots__ = ("children", "decisive", "found", "identity", "issuer", "manifest", "place", "row", "signed", "steady")

    def __init__(self, issuer: Issuer, identity: bytes, row: int | None) -> None:
        self.issuer = issuer
        self.identity = identity
        self.decisive = issuer.decisive
        self.signed = issuer.signed
        self.place = issuer.place
        self.row = row
        self.manifest: bytes | None = None
        self.steady = False
        self.children: list[Node] = []
        self.found: Leaves | Branch | None = None


@dataclass(slots=True)
class _Placed:
    """A node on its row: how many rows up its issuer's is, and how many rows it has with all below it."""

    node: Node
    issuer: int | None
    row: int
    above: int
    size: int


def grow(trust_anchor: str, root: Node | None) -> Tree:
    """The tree from `root` on, without what is not settled; the one of the last run where all of it stands."""
    if root is not None and isinstance(root.found, Branch):
        whole = root.found.tree
        if root.found.size == len(whole) and whole.rows["signed"][0].tolist() == root.signed:
            return whole
    placed = _placed(root)
    columns = _Columns(placed[0].size if placed else 0)
    for each in placed:
        if isinstance(each.node.found, Branch):
            columns.graft(each, each.node.found)
        elif each.node.found is not None:
            columns.add(each, each.node.found)
    return columns.tree(trust_anchor)


class _Columns:
    """Of a tree, as it grows."""

    def __init__(self, size: int) -> None:
        self._rows = np.zeros(size, ROW)
        self._texts: tuple[list[str], ...] = ([], [], [])
        self._rests: list[bytes] = []
        self._blobs: tuple[list[bytes], ...] = ([], [], [])
        self._added: list[tuple[Any, ...]] = []
        self._added_rows: list[int] = []
        self._grafted: list[tuple[int, int, int, int]] = []
        self._signed: list[tuple[int, ...]] = []
        self._sources: dict[RepositoryKey, int] = {}
        self._last: Tree | None = None
        self._begins: tuple[list[int], ...] = ()

    def graft(self, each: _Placed, branch: Branch) -> None:
        """A branch of the last run's tree."""
        tree, first, end = branch.tree, branch.row, branch.row + branch.size
        if self._last is None:
            self._last = tree
            self._begins = tree.begins
        self._grafted.append((each.row, first, branch.size, each.above))
        self._signed.append(each.node.signed)
        old_texts = (tree.repositories, tree.manifests, tree.names)
        for text, old_text in zip(self._texts, old_texts, strict=True):
            text += old_text[first:end]
        self._rests += tree.rests[first:end]
        for blob, old, begins in zip(self._blobs, (tree.roas, tree.ipv4, tree.ipv6), self._begins, strict=True):
            blob.append(old[begins[first] : begins[end]])

    def add(self, each: _Placed, leaves: Leaves) -> None:
        """A CA of this run."""
        node, place = each.node, each.node.place
        inputs = (node.identity, node.decisive, place.key, node.manifest or bytes(32), node.signed)
        source = self._source(place.servers)
        self._added.append((*inputs, each.size, each.above, source, leaves.steady, *leaves.numbers))
        self._added_rows.append(each.row)
        texts = (place.repository, place.manifest, leaves.names)
        for text, item in zip(self._texts, texts, strict=True):
            text.append(item)
        self._rests.append(leaves.rest)
        for blob, part in zip(self._blobs, (leaves.roas, leaves.ipv4, leaves.ipv6), strict=True):
            blob.append(part)

    def tree(self, trust_anchor: str) -> Tree:
        """All of it."""
        self._rows[self._added_rows] = np.array(self._added, ROW)
        if self._last is not None:
            self._take_over(self._last)
        repositories, manifests, names = self._texts
        blobs = map(b"".join, self._blobs)
        # A repository that nobody leads to any more would else go from tree to tree.
        used, self._rows["repository"] = np.unique(self._rows["repository"], return_inverse=True)
        known = list(self._sources)
        sources = [known[number] for number in used.tolist()]
        return Tree(trust_anchor, sources, self._rows, repositories, manifests, names, self._rests, *blobs)

    def _take_over(self, last: Tree) -> None:
        """The rows of all branches that were grafted, at once."""
        rows, old_rows, sizes, above = np.array(self._grafted).T
        taken = last.rows[runs(old_rows, sizes)]
        sources = np.array([self._source(source) for source in last.sources])
        taken["repository"] = sources[taken["repository"]]
        heads = np.cumsum(sizes) - sizes
        taken["signed"][heads] = np.array(self._signed, CHAIN)
        taken["above"][heads] = above
        self._rows[runs(rows, sizes)] = taken

    def _source(self, source: RepositoryKey) -> int:
        return self._sources.setdefault(source, len(self._sources))


def _placed(root: Node | None) -> list[_Placed]:
    """Every settled node, each followed by all below it."""
    placed: list[_Placed] = []
    row = 0
    waiting: list[tuple[Node, int | None]] = [] if root is None else [(root, None)]
    while waiting:
        node, issuer = waiting.pop()
        if node.found is None:
            continue
        size = node.found.size if isinstance(node.found, Branch) else 1
        above = 0 if issuer is None else row - placed[issuer].row
        waiting.extend((child, len(placed)) for child in reversed(node.children))
        placed.append(_Placed(node, issuer, row, above, size))
        row += size
    for each in reversed(placed):
        if each.issuer is not None:
            placed[each.issuer].size += each.size
    return placed
