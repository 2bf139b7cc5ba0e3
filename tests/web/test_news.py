"""Waiting for the next payload."""

from __future__ import annotations

import asyncio

import pytest

from rpkival.errors import LimitError
from web import news
from web.news import News


async def test_all_who_wait_are_woken() -> None:
    """At once, and not twice."""
    board = News()
    waiting = [asyncio.ensure_future(board.wait(60)) for _ in range(3)]
    await asyncio.sleep(0)
    board.announce()
    board.announce()

    await asyncio.wait_for(asyncio.gather(*waiting), 30)


async def test_without_news_the_wait_ends() -> None:
    """After the time that was asked for; who gives up leaves nothing behind."""
    board = News()
    await board.wait(0.01)
    gone = asyncio.ensure_future(board.wait(60))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait({gone})

    assert board.waiting == 0


async def test_more_than_may_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bound, as an error of its own."""
    monkeypatch.setattr(news, "MAX_NEWS_WAITERS", 1)
    board = News()
    first = asyncio.ensure_future(board.wait(60))
    await asyncio.sleep(0)
    with pytest.raises(LimitError, match="1 clients wait for news already"):
        await board.wait(60)
    board.announce()
    await first
