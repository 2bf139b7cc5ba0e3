"""Work that goes on until the process ends, whatever breaks in it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from rpkival.log import Log

__all__ = ["Tasks"]

_RESTART_SECONDS = 5.0

log = Log("rpkival")


class Tasks:
    """All that runs beside each other in one event loop."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def keep(self, name: str, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        """Run `work` until the end; what breaks in it is logged, and it begins again a little later."""

        async def again_and_again() -> None:
            while True:
                try:
                    await work()
                except Exception:
                    log.exception("task_failed", task=name)
                await asyncio.sleep(_RESTART_SECONDS)

        task = asyncio.create_task(again_and_again(), name=name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def end(self) -> None:
        """End them all, and wait until they have."""
        running = tuple(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
