"""What a terminal shows while a validation runs: a bar for each trust anchor, a line for each repository waited for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import TaskID

    from rpkival.cli.terminal import Bars

__all__ = ["ValidationProgress"]

_MOST_LINES = 12
"""Repositories shown at once; with more, a small terminal would show nothing else."""


class ValidationProgress:
    """Takes what `rpkival.validation.walk.validate` tells, and keeps `bars` to it."""

    def __init__(self, bars: Bars, trust_anchors: Iterable[str]) -> None:
        self._bars = bars
        self._anchors = {name: bars.add_task(f"{name}, publication points", total=None) for name in trust_anchors}
        self._repositories: dict[str, TaskID] = {}
        self._unseen: dict[str, None] = {}
        """Those waited for that found no line, in the order in which they began."""

    def point(self, trust_anchor: str, done: int, known: int) -> None:
        """One more publication point is judged."""
        self._bars.update(self._anchors[trust_anchor], completed=done, total=known)

    def fetch(self, repository: str, there: bool) -> None:
        """A repository is waited for, or there."""
        if not there:
            self._unseen[repository] = None
        else:
            self._unseen.pop(repository, None)
            shown = self._repositories.pop(repository, None)
            if shown is not None:
                self._bars.remove_task(shown)
        while self._unseen and len(self._repositories) < _MOST_LINES:
            begun = next(iter(self._unseen))
            del self._unseen[begun]
            self._repositories[begun] = self._bars.add_task(f"  fetching {begun}", total=None)
