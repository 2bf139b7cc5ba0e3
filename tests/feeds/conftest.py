"""Routes of batches in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import pytest

from feeds.route_batch import OriginKind, RouteBatch


class Route(NamedTuple):
    """One row of a batch. `origin` is None unless the path ends in one AS."""

    announced: bool
    prefix: str
    path: str
    origin: int | None
    peer_asn: int
    peer: str
    time: float
    path_id: int


def _routes(batches: Iterable[RouteBatch]) -> Iterator[Route]:
    for batch in batches:
        texts: dict[int, str] = {-1: ""}
        for row in zip(
            batch.prefixes.texts(),
            batch.announced.tolist(),
            batch.origin.tolist(),
            batch.origin_kind.tolist(),
            batch.time.tolist(),
            batch.peer.tolist(),
            batch.path.tolist(),
            batch.path_id.tolist(),
            strict=True,
        ):
            prefix, announced, origin, kind, time, peer, path, path_id = row
            if path not in texts:
                texts[path] = batch.paths.text(path)
            who = batch.peers[peer]
            known = origin if kind == OriginKind.AS else None
            yield Route(announced, prefix, texts[path], known, who.asn, who.address, time, path_id)


@pytest.fixture(scope="session")
def routes() -> Callable[[Iterable[RouteBatch]], list[Route]]:
    """`routes(batches)`: every row in words, in order."""
    return lambda batches: list(_routes(batches))
