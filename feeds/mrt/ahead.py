"""Work on one item while the next is made."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["read_ahead"]

_T = TypeVar("_T")


def read_ahead(items: Iterator[_T]) -> Iterator[_T]:
    """The same items, each made in a thread while the one before it is worked on; the first is begun at once.

    Decompression and numpy leave the interpreter to others while they work, so this is worth a core. No more than one
    item waits, so memory stays bounded.
    """
    pool = ThreadPoolExecutor(1, "read-ahead")
    return _follow(pool, items, pool.submit(next, items, None))


def _follow(pool: ThreadPoolExecutor, items: Iterator[_T], coming: Future[_T | None]) -> Iterator[_T]:
    with pool:
        while (item := coming.result()) is not None:
            coming = pool.submit(next, items, None)
            yield item
