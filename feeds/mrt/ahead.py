"""Work on one item while the next is made."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["read_ahead"]

_T = TypeVar("_T")


def read_ahead(items: Iterator[_T], depth: int = 1) -> Iterator[_T]:
    """The same items, each made in a thread while those before it are worked on; the first is begun at once.

    Decompression and numpy leave the interpreter to others while they work, so this is worth a core. No more than
    `depth` items wait, so memory stays bounded.
    """
    pool = ThreadPoolExecutor(1, "read-ahead")
    return _follow(pool, items, deque(pool.submit(next, items, None) for _ in range(depth)))


def _follow(pool: ThreadPoolExecutor, items: Iterator[_T], coming: deque[Future[_T | None]]) -> Iterator[_T]:
    with pool:
        while (item := coming.popleft().result()) is not None:
            coming.append(pool.submit(next, items, None))
            yield item
