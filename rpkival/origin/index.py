"""RFC 6811 over columns: a batch of routes against a set of VRPs.

Theory. Prefixes nest or are disjoint, so sorted by (address, length) each stands behind all that cover it. The place of
a route in that order therefore gives the VRP prefix before it, and every VRP prefix that covers the route is that one
or one of its covering parents: one binary search and a short walk upwards, done for all routes at once. Below, a *node*
is a distinct VRP prefix and an *entry* is a distinct (node, ASN) with the largest max_length that the ASN has there,
since a smaller one beside it decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rpkival.origin.verdict import Reason, State, Verdicts
from rpkival.payload.vrps import VrpColumns, Vrps, first_of_each
from rpkival.prefixes import ADDRESS_BITS, Family, Prefixes, Rows, word_masks
from rpkival.runs import runs

__all__ = ["OriginIndex"]

_NODE_SHIFT = np.uint64(32)


@dataclass(frozen=True, slots=True, eq=False)
class OriginIndex:
    """Answers RFC 6811 questions about one set of VRPs."""

    vrps: Vrps
    ipv4: _FamilyIndex
    ipv6: _FamilyIndex

    @classmethod
    def build(cls, vrps: Vrps) -> OriginIndex:
        """Index `vrps`; 0.7 million take about 0.1 seconds."""
        vrps = vrps.unique_sorted()
        return cls(vrps, _FamilyIndex.build(vrps.ipv4), _FamilyIndex.build(vrps.ipv6))

    def classify(
        self, prefixes: Prefixes, origin: NDArray[np.uint32], has_origin: NDArray[np.bool_] | None = None
    ) -> Verdicts:
        """State and reason of each route, in order.

        `origin`: `uint32[n]`. `has_origin`: `bool[n]`, False where the path ends in an AS_SET: RFC 6811 section 2 gives
        such a route the origin NONE, which no VRP matches. An empty path has the origin of the router that holds the
        route; where that is not known, it is False as well.
        """
        # RFC 6483 section 4 and RFC 7607: AS 0 is nobody, so its VRPs only ever make routes invalid.
        somebody = origin != 0
        if has_origin is not None:
            somebody &= has_origin
        return self._of(prefixes.family).classify(prefixes, origin, somebody)

    def covering(self, prefix: Prefixes) -> Vrps:
        """The VRPs that cover `prefix` (one row), shortest prefix first."""
        rows = self._of(prefix.family).covering_rows(prefix)
        found = self.vrps.family(prefix.family).take(rows)
        if prefix.family == 4:
            return replace(self.vrps, ipv4=found, ipv6=VrpColumns.empty(6))
        return replace(self.vrps, ipv4=VrpColumns.empty(4), ipv6=found)

    def _of(self, family: Family) -> _FamilyIndex:
        return self.ipv4 if family == 4 else self.ipv6


@dataclass(frozen=True, slots=True, eq=False)
class _FamilyIndex:
    """`m` nodes and `k` entries over the `n` sorted VRPs of one family.

    `nodes`: `m` distinct prefixes, sorted. `order`: how a prefix becomes one sortable word; `key`: `uint64[m]` of it.
    `parent`: `int32[m]`, the closest covering node, -1 for none. `first_vrp`: `int64[m + 1]`, where its VRPs begin.
    `first_entry`: `int64[m + 1]`, where its entries begin. `entry`: `uint64[k]`, node and ASN in one sorted word.
    `entry_asn`: `uint32[k]`. `entry_max_length`: `uint8[k]`.
    """

    nodes: Prefixes
    order: _Order
    key: NDArray[np.uint64]
    parent: NDArray[np.int32]
    first_vrp: NDArray[np.int64]
    first_entry: NDArray[np.int64]
    entry: NDArray[np.uint64]
    entry_asn: NDArray[np.uint32]
    entry_max_length: NDArray[np.uint8]

    @classmethod
    def build(cls, vrps: VrpColumns) -> _FamilyIndex:
        starts = first_of_each((*vrps.prefixes.words, vrps.prefixes.length))
        first_vrp = np.append(np.flatnonzero(starts), len(vrps))
        nodes = vrps.prefixes.take(starts)
        order = _Order.of(nodes)
        key = order.key(nodes)
        node = np.cumsum(starts) - 1
        entry = (node.astype(np.uint64) << _NODE_SHIFT) | vrps.asn
        rows = np.lexsort((255 - vrps.max_length, entry))
        rows = rows[first_of_each((entry[rows],))]
        entry = entry[rows]
        return cls(
            nodes,
            order,
            key,
            _parents(nodes, order, key),
            first_vrp,
            np.searchsorted(entry, np.arange(len(nodes) + 1, dtype=np.uint64) << _NODE_SHIFT),
            entry,
            vrps.asn[rows],
            vrps.max_length[rows],
        )

    def classify(self, prefixes: Prefixes, origin: NDArray[np.uint32], somebody: NDArray[np.bool_]) -> Verdicts:
        state = np.full(len(prefixes), State.NOT_FOUND, np.uint8)
        reason = np.full(len(prefixes), Reason.NONE, np.uint8)
        route, node = self._closest(prefixes)
        state[route], reason[route] = State.INVALID, Reason.AS
        while len(route):
            max_length = np.where(somebody[route], self._max_length(node, origin[route]), -1)
            valid = max_length >= prefixes.length[route]
            reason[route[max_length >= 0]] = Reason.LENGTH
            state[route[valid]], reason[route[valid]] = State.VALID, Reason.NONE
            node = self.parent[node]
            undecided = ~valid & (node >= 0)
            route, node = route[undecided], node[undecided]
        return Verdicts(state, reason)

    def covering_rows(self, prefix: Prefixes) -> Rows:
        _, found = self._closest(prefix)
        rows: list[NDArray[np.int64]] = []
        node = int(found[0]) if len(found) else -1
        while node >= 0:
            rows.insert(0, np.arange(self.first_vrp[node], self.first_vrp[node + 1]))
            node = int(self.parent[node])
        return np.concatenate(rows) if rows else np.zeros(0, np.int64)

    def _closest(self, prefixes: Prefixes) -> tuple[Rows, NDArray[np.int32]]:
        """The rows of `prefixes` that any node covers, and for each of them its longest covering node."""
        node = (np.searchsorted(self.key, self.order.key(prefixes), "right") - 1).astype(np.int32)
        row = np.flatnonzero(node >= 0)
        node = node[row]
        rows, nodes = [row[:0]], [node[:0]]
        while len(row):
            found = covers(self.nodes, node, prefixes, row)
            rows.append(row[found])
            nodes.append(node[found])
            node = np.where(found, np.int32(-1), self.parent[node])
            climbs = node >= 0
            row, node = row[climbs], node[climbs]
        return np.concatenate(rows), np.concatenate(nodes)

    def _max_length(self, node: NDArray[np.int32], asn: NDArray[np.uint32]) -> NDArray[np.int16]:
        """The largest max_length that each ASN has at each node, -1 for none."""
        at = self.first_entry[node]
        several = np.flatnonzero(self.first_entry[node + 1] - at > 1)
        wanted = (node[several].astype(np.uint64) << _NODE_SHIFT) | asn[several]
        at[several] = np.minimum(np.searchsorted(self.entry, wanted), self.first_entry[node[several] + 1] - 1)
        return np.where(self.entry_asn[at] == asn, self.entry_max_length[at].astype(np.int16), np.int16(-1))


@dataclass(frozen=True, slots=True, eq=False)
class _Order:
    """Makes one uint64 of a prefix that sorts, among a set of nodes, by address and then length.

    An IPv4 address and its length fit as they are. An IPv6 address does not, so each of its words is replaced by its
    rank among the words of the nodes (`ranked`, sorted): odd where it is one of them, even where it lies between two.
    """

    ranked: tuple[NDArray[np.uint64], ...]

    @classmethod
    def of(cls, nodes: Prefixes) -> _Order:
        return cls(() if nodes.family == 4 else tuple(_distinct(word) for word in nodes.words))

    def key(self, prefixes: Prefixes) -> NDArray[np.uint64]:
        words = [_ranks(known, word) for known, word in zip(self.ranked, prefixes.words, strict=False)]
        key = words[0] << np.uint64(28) | words[1] if words else prefixes.words[0].astype(np.uint64)
        return key << np.uint64(8) | prefixes.length


def _distinct(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    ordered = np.sort(words)
    return ordered[first_of_each((ordered,))]


def _ranks(known: NDArray[np.uint64], words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Of each word, 2i + 1 where it is `known[i]`, 2i where it lies just below that."""
    at = np.searchsorted(known, words)
    exact = known[np.minimum(at, len(known) - 1)] == words if len(known) else np.zeros(len(words), np.bool_)
    return (2 * at + exact).astype(np.uint64)


def _parents(nodes: Prefixes, order: _Order, key: NDArray[np.uint64]) -> NDArray[np.int32]:
    """`int32[m]`: the closest covering node of each sorted node, -1 for none.

    What a node covers stands right behind it, up to its last address. Nodes of one length are disjoint, so they write
    themselves over what they cover all at once; the longer ones come later and are closer.
    """
    longest = np.full(len(nodes), ADDRESS_BITS[nodes.family], np.uint8)
    last = np.searchsorted(key, order.key(Prefixes(nodes.last_words(), longest)), "right")
    covered = last - np.arange(1, len(nodes) + 1)
    covering = np.flatnonzero(covered)
    parent = np.full(len(nodes), -1, np.int32)
    for length in np.flatnonzero(np.bincount(nodes.length[covering])):
        node = covering[nodes.length[covering] == length]
        count = covered[node]
        parent[runs(node + 1, count)] = np.repeat(node, count)
    return parent


def covers(nodes: Prefixes, node: NDArray[np.int32], prefixes: Prefixes, row: Rows) -> NDArray[np.bool_]:
    """Whether each of `nodes[node]` covers (or equals) the one of `prefixes[row]` in the same place."""
    length = nodes.length[node]
    found = length <= prefixes.length[row]
    masks = word_masks(prefixes.family, length)
    for mine, theirs, mask in zip(nodes.words, prefixes.words, masks, strict=True):
        found &= mine[node] == theirs[row] & mask
    return found
