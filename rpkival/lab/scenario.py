"""What happens in the lab and when: a hijack of a more-specific, its end, and again; and a heartbeat all the time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge
from itertools import count

from rpkival.errors import UsageError
from rpkival.lab.topology import Announcement

__all__ = ["Event", "Scenario"]


@dataclass(frozen=True, slots=True)
class Event:
    """`at` seconds after the start these announcements begin or end; `routine` is not worth a line in the log."""

    at: float
    announce: frozenset[Announcement] = frozenset()
    withdraw: frozenset[Announcement] = frozenset()
    routine: bool = False


@dataclass(frozen=True, slots=True)
class Scenario:
    """A hijack `starts` seconds after the start, `lasts` seconds, and comes back every `repeats` seconds (None: never).

    A `heartbeat`, if there is one, begins or ends every `beat` seconds for ever. Raises `UsageError` where one hijack
    would begin before the last has ended.
    """

    hijack: Announcement
    starts: float = 8.0
    lasts: float = 52.0
    repeats: float | None = 300.0
    heartbeat: Announcement | None = None
    beat: float = 20.0

    def __post_init__(self) -> None:
        if self.starts < 0 or self.lasts <= 0:
            raise UsageError("The hijack of the lab must start at 0 seconds or later and last longer than 0 seconds.")
        if self.beat <= 0:
            raise UsageError("The heartbeat of the lab needs more than 0 seconds.")
        if self.repeats is not None and self.repeats <= self.lasts:
            raise UsageError(
                f"A hijack that lasts {self.lasts:g} seconds cannot repeat every {self.repeats:g} seconds."
            )

    def events(self) -> Iterator[Event]:
        """What happens, in order of time; endless where the hijack repeats or there is a heartbeat."""
        return merge(self._hijacks(), self._heartbeats(), key=lambda event: event.at)

    def _hijacks(self) -> Iterator[Event]:
        one = frozenset({self.hijack})
        rounds = range(1) if self.repeats is None else count()
        for number in rounds:
            begins = self.starts + number * (self.repeats or 0.0)
            yield Event(begins, announce=one)
            yield Event(begins + self.lasts, withdraw=one)

    def _heartbeats(self) -> Iterator[Event]:
        if self.heartbeat is not None:
            one = frozenset({self.heartbeat})
            for number in count(1, 2):
                yield Event(number * self.beat, announce=one, routine=True)
                yield Event((number + 1) * self.beat, withdraw=one, routine=True)
