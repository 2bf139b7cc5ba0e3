"""Tests for rpkival.cli.validation_progress: what a terminal shows of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from rpkival.cli import validation_progress
from rpkival.cli.validation_progress import ValidationProgress


@dataclass
class Shown:
    """Bars by number."""

    bars: dict[int, tuple[str, Any, Any]] = field(default_factory=dict)
    begun: int = 0

    def add_task(self, description: str, *, total: float | None) -> Any:
        self.begun += 1
        self.bars[self.begun] = (description, None, total)
        return self.begun

    def update(self, task_id: Any, *, total: float | None = None, completed: float | None = None) -> None:
        self.bars[task_id] = (self.bars[task_id][0], completed, total)

    def remove_task(self, task_id: Any) -> None:
        del self.bars[task_id]


def test_anchors_have_bars_and_repositories_lines_while_they_are_waited_for() -> None:
    """A repository that is there has none any more."""
    shown = Shown()
    progress = ValidationProgress(shown, ["a", "b"])
    progress.fetch("https://r.example/n.xml", False)
    progress.point("b", 3, 9)
    assert list(shown.bars.values()) == [
        ("a, publication points", None, None),
        ("b, publication points", 3, 9),
        ("  fetching https://r.example/n.xml", None, None),
    ]
    progress.fetch("https://r.example/n.xml", True)
    assert len(shown.bars) == 2


def test_lines_are_few_and_go_to_those_that_are_still_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a hundred repositories the slow ones are seen in the end, whichever began first."""
    monkeypatch.setattr(validation_progress, "_MOST_LINES", 1)
    shown = Shown()
    progress = ValidationProgress(shown, [])
    for name in ("one", "two", "slow"):
        progress.fetch(name, False)
    assert [text for text, *_ in shown.bars.values()] == ["  fetching one"]
    progress.fetch("two", True)
    progress.fetch("one", True)
    assert [text for text, *_ in shown.bars.values()] == ["  fetching slow"]
    progress.fetch("slow", True)
    assert not shown.bars
