"""Batches of routes in words, and a monitor over a database in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from feeds.route_batch import OriginKind, PathTable, Peer, RouteBatch
from rpkival.monitor.expectations import Expectations, Own
from rpkival.monitor.monitor import Monitor
from rpkival.monitor.store import IncidentStore
from rpkival.origin.index import OriginIndex
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.prefixes import Prefixes, parse_prefix
from rpkival.storage import Database, open_database

Row = tuple[str, int, Sequence[int] | None, float]
"""Prefix, peer's ASN, path (None withdraws), time."""


def build_batch(rows: Sequence[Row], collector: str = "rrc00", *, as_set: int = 0) -> RouteBatch:
    """One batch of one family; a peer's address follows from its ASN. The last `as_set` ASes of a path are a set."""
    announced = [path is not None for _, _, path, _ in rows]
    paths = [list(path) for _, _, path, _ in rows if path is not None]
    peers = tuple(Peer(asn, f"peer-{asn}") for asn in sorted({asn for _, asn, _, _ in rows}))
    kind = OriginKind.AS_SET if as_set else OriginKind.AS
    asns = [asn for path in paths for asn in path]
    return RouteBatch(
        Prefixes.concat([parse_prefix(prefix) for prefix, _, _, _ in rows]),
        np.array(announced),
        np.array([path[-1] if path and not as_set else 0 for _, _, path, _ in rows], np.uint32),
        np.array([kind if path else OriginKind.EMPTY for _, _, path, _ in rows], np.uint8),
        np.array([at for _, _, _, at in rows], np.float64),
        np.array([[peer.asn for peer in peers].index(asn) for _, asn, _, _ in rows], np.int32),
        np.where(announced, np.cumsum(announced) - 1, -1).astype(np.int32),
        np.zeros(len(rows), np.uint32),
        peers,
        PathTable(
            np.array(asns, np.uint32),
            np.cumsum([0, *(len(path) for path in paths)]),
            np.array([at >= len(path) - as_set for path in paths for at in range(len(path))], np.bool_),
        ),
        collector,
    )


@pytest.fixture(scope="session")
def batch() -> Callable[..., RouteBatch]:
    """`batch([("192.0.2.0/24", 64500, [64500, 64496], 1.0)])`."""
    return build_batch


class Desk:
    """A monitor, its store, and one announcement at a time."""

    def __init__(self, vrps: Vrps, own: Own, database: Database, min_peers: int = 1) -> None:
        self.vrps, self.own, self.database, self.min_peers = vrps, own, database, min_peers
        self.store = IncidentStore(database)
        self.restart()

    def restart(self) -> None:
        """A new process that finds the same database."""
        self.monitor = Monitor(
            self.store,
            expectations=Expectations.build(self.vrps, self.own),
            index=OriginIndex.build(self.vrps),
            min_peers=self.min_peers,
            url_base="https://rpkival.example/",
        )

    def payload(self, vrps: Sequence[Vrp]) -> None:
        """What the RPKI says from now on."""
        self.vrps = Vrps.of(vrps)
        self.monitor.update(Expectations.build(self.vrps, self.own), OriginIndex.build(self.vrps))

    def at(self, time: float, prefix: str, peer: int, path: Sequence[int] | None) -> list[str]:
        """What one announcement (path None: a withdrawal) changes: `["opened 192.0.2.0/25 AS64666"]`."""
        changes = self.monitor.process(build_batch([(prefix, peer, path, time)]), time)
        return [f"{c.change} {c.incident.prefix} AS{c.incident.observed.origin}" for c in changes]

    def told(self) -> list[str]:
        """The types of all events in the outbox, in order."""
        return [row["type"] for row in self.database.rows("SELECT type FROM events ORDER BY number")]


@pytest.fixture(scope="session")
def desk() -> Callable[..., Desk]:
    """`desk([Vrp(...)], ["AS64496"])`: a monitor over a database in memory."""

    def make(vrps: Sequence[Vrp], own: Sequence[str], *, min_peers: int = 1, database: Database | None = None) -> Desk:
        return Desk(Vrps.of(vrps), Own.of(own), database or open_database(None), min_peers)

    return make
