"""Which route each AS takes: the model of Gao and Rexford, and where traffic then really goes.

An AS prefers a route of a customer (who pays) over one of a peer (who does not) over one of a provider (who is paid),
then the shorter path, then the neighbour with the lower number. It tells its customers everything, and peers and
providers only what its customers and itself announce: no path has a valley (L. Gao, J. Rexford, "Stable Internet
routing without global coordination", 2001).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from rpkival.lab.topology import Address, Announcement, Network, Topology

__all__ = ["IsInvalid", "Learned", "Route", "Tables", "best_routes", "longest_match", "nothing_invalid", "traffic_path"]

IsInvalid: TypeAlias = Callable[[str, int], bool]
"""Answers whether `prefix` announced by `origin` is invalid (RFC 6811) by the VRPs in force."""


class Learned(IntEnum):
    """From whom an AS has a route, in the order of preference."""

    ITSELF = 0
    CUSTOMER = 1
    PEER = 2
    PROVIDER = 3


@dataclass(frozen=True, slots=True)
class Route:
    """The best route of an AS to a prefix; `as_path` starts with that AS itself and ends with the origin."""

    prefix: Network
    as_path: tuple[int, ...]
    learned: Learned

    @property
    def origin(self) -> int:
        return self.as_path[-1]


Tables: TypeAlias = Mapping[int, Mapping[Network, Route]]
"""For each AS its best routes."""


def nothing_invalid(_prefix: str, _origin: int) -> bool:
    """The verdict of a world without VRPs."""
    return False


def best_routes(topology: Topology, announcements: Iterable[Announcement], is_invalid: IsInvalid) -> Tables:
    """The tables of all ASes once everything announced has settled.

    ASes that drop invalid routes neither take nor tell on what `is_invalid` says of. An AS always keeps its own.
    """
    neighbours = _neighbours(topology)
    droppers = {system.asn for system in topology.systems if system.drops_invalid}
    origins: dict[Network, set[int]] = {}
    for announcement in announcements:
        origins.setdefault(announcement.prefix, set()).add(announcement.origin)
    tables: dict[int, dict[Network, Route]] = {system.asn: {} for system in topology.systems}
    for prefix, announcers in origins.items():
        invalid = {origin for origin in announcers if is_invalid(str(prefix), origin)}
        for asn, route in _spread(prefix, announcers, invalid, droppers, neighbours).items():
            tables[asn][prefix] = route
    return tables


def _spread(
    prefix: Network,
    origins: set[int],
    invalid: set[int],
    droppers: set[int],
    neighbours: Mapping[int, list[tuple[int, Learned]]],
) -> dict[int, Route]:
    """Dijkstra's way: offers wait in the order in which ASes prefer them, so the first that reaches an AS is its best.

    It holds because telling on never improves an offer: the preference can only fall and the path only grows.
    """
    best: dict[int, Route] = {}
    offers: list[tuple[Learned, int, int, tuple[int, ...]]] = []
    for origin in origins:
        heapq.heappush(offers, (Learned.ITSELF, 0, origin, (origin,)))
    while offers:
        learned, _, _, path = heapq.heappop(offers)
        asn = path[0]
        if asn in best:
            continue
        best[asn] = Route(prefix, path, learned)
        for neighbour, learned_there in neighbours[asn]:
            to_customer = learned_there is Learned.PROVIDER
            if not (to_customer or learned <= Learned.CUSTOMER) or neighbour in best:
                continue
            if neighbour in droppers and path[-1] in invalid:
                continue
            heapq.heappush(offers, (learned_there, len(path), asn, (neighbour, *path)))
    return best


def _neighbours(topology: Topology) -> dict[int, list[tuple[int, Learned]]]:
    """For each AS its neighbours, and as whose route they see what it tells them."""
    found: dict[int, list[tuple[int, Learned]]] = {system.asn: [] for system in topology.systems}
    for provider, customer in topology.transit:
        found[customer].append((provider, Learned.CUSTOMER))
        found[provider].append((customer, Learned.PROVIDER))
    for one, other in topology.peerings:
        found[one].append((other, Learned.PEER))
        found[other].append((one, Learned.PEER))
    return found


def longest_match(table: Mapping[Network, Route], address: Address) -> Route | None:
    """The route that packets to `address` follow: the one to the longest prefix that holds it."""
    matching = [route for prefix, route in table.items() if address in prefix]
    return max(matching, key=lambda route: route.prefix.prefixlen, default=None)


def traffic_path(tables: Tables, start: int, address: Address) -> tuple[int, ...] | None:
    """The ASes that packets from `start` to `address` really cross; None where they never arrive.

    Every AS on the way looks for its own longest match, so packets may end elsewhere than the AS_PATH at `start` says:
    that is how an AS that drops invalid routes is still hijacked behind a provider that does not. An AS that announces
    a prefix keeps what it gets for it, for inside it has routes to its hosts that are longer than anything BGP says.
    """
    crossed = [start]
    while not _delivers(tables[crossed[-1]], address):
        route = longest_match(tables[crossed[-1]], address)
        if route is None or route.as_path[1] in crossed:
            return None
        crossed.append(route.as_path[1])
    return tuple(crossed)


def _delivers(table: Mapping[Network, Route], address: Address) -> bool:
    return any(route.learned is Learned.ITSELF and address in prefix for prefix, route in table.items())
