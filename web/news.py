"""Waiting for the next payload."""

from __future__ import annotations

import asyncio

from rpkival.errors import LimitError
from rpkival.limits import MAX_NEWS_WAITERS

__all__ = ["News"]


class News:
    """Whoever waits is woken by the next `announce`, all at once."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def announce(self) -> None:
        """There is a new payload."""
        waiting, self._waiting = self._waiting, set()
        for future in waiting:
            if not future.done():
                future.set_result(None)

    @property
    def waiting(self) -> int:
        """How many do."""
        return len(self._waiting)

    async def wait(self, seconds: float) -> None:
        """Until the next announcement, or for so long. Raises `LimitError` where too many wait already."""
        if len(self._waiting) >= MAX_NEWS_WAITERS:
            raise LimitError(f"{MAX_NEWS_WAITERS} clients wait for news already; ask again later.")
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await asyncio.wait({future}, timeout=seconds)
        finally:
            self._waiting.discard(future)
