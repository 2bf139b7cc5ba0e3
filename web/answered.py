"""How many answers there were, by their HTTP status."""

from __future__ import annotations

from collections import Counter

from aiohttp import web

__all__ = ["ANSWERED", "count_answer"]

ANSWERED = web.AppKey("answered", Counter[int])
"""Since the start of the process."""


async def count_answer(request: web.Request, response: web.StreamResponse) -> None:
    """A signal of the application, as each answer begins."""
    request.app[ANSWERED][response.status] += 1
