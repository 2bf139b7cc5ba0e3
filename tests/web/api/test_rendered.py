"""Large answers, made once."""

from __future__ import annotations

import asyncio
import gzip
import os
from collections.abc import Iterator

import pytest

from web.api import rendered
from web.api.rendered import Rendered, RenderedAnswers


def test_an_answer_in_pieces_is_the_whole() -> None:
    """Packed or not, and never more of it in memory than a piece."""
    content = os.urandom(300_000) + bytes(3_000_000)
    answer = Rendered.of(content[start : start + 70_000] for start in range(0, len(content), 70_000))

    assert answer.size == len(content)
    assert b"".join(answer.pieces(packed=False)) == content
    assert gzip.decompress(b"".join(answer.pieces(packed=True))) == content
    assert max(map(len, answer.pieces(packed=False))) <= 256 * 1024


def test_an_empty_answer() -> None:
    """bird2 of nothing."""
    answer = Rendered.of(())

    assert (answer.size, b"".join(answer.pieces(packed=False))) == (0, b"")


async def test_all_who_wait_get_one_rendering() -> None:
    """Routers of a whole network ask in the same second; the next serial is made anew."""
    made = []

    def render() -> Iterator[bytes]:
        made.append(1)
        yield b"x" * 1000

    answers = RenderedAnswers()
    bodies = await asyncio.gather(*(answers.get("serial 1", "csv", render) for _ in range(20)))
    await answers.get("serial 1", "csv", render)

    assert len(made) == 1
    assert all(body is bodies[0] for body in bodies)
    await answers.get("serial 2", "csv", render)
    assert len(made) == 2


async def test_a_client_that_goes_away_takes_only_itself_along() -> None:
    """The others still get what it asked for first."""
    go = asyncio.Event()
    loop = asyncio.get_running_loop()

    def render() -> Iterator[bytes]:
        asyncio.run_coroutine_threadsafe(go.wait(), loop).result()
        yield b"x"

    answers = RenderedAnswers()
    first, second = (asyncio.ensure_future(answers.get("s", "csv", render)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    go.set()

    assert (await second).size == 1


async def test_a_rendering_that_fails_is_tried_again() -> None:
    """One fault is not kept."""
    outcomes: list[list[bytes] | None] = [None, [b"x"]]

    def render() -> list[bytes]:
        outcome = outcomes.pop(0)
        if outcome is None:
            raise MemoryError
        return outcome

    answers = RenderedAnswers()
    with pytest.raises(MemoryError):
        await answers.get("s", "csv", render)
    assert (await answers.get("s", "csv", render)).size == 1


async def test_what_was_asked_for_long_ago_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """All formats in all variants would be gigabytes."""
    monkeypatch.setattr(rendered, "MAX_RENDERED_BYTES", 2_500)
    made = []

    def render(name: str) -> Iterator[bytes]:
        made.append(name)
        yield os.urandom(1000)

    answers = RenderedAnswers()
    for name in ("a", "b", "a", "c", "a", "b"):
        await answers.get("s", name, lambda name=name: render(name))

    assert made == ["a", "b", "c", "b"]
