"""What a load test found: durations as percentiles, and counts."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["Durations", "Measures", "percentile"]


@dataclass(frozen=True, slots=True)
class Durations:
    """Of `count` like things, in seconds; zeros where there was none."""

    count: int
    p50: float
    p90: float
    p99: float
    longest: float


@dataclass(slots=True)
class Measures:
    """Filled by the routers while they run; all times are seconds.

    `connect`: until a connection stood. `full_sync`: from the beginning of the connection, or of a later Reset Query,
    to End of Data. `after_notify`: from a Serial Notify to the End of Data of the delta it brought. `poll`: the same
    from a Serial Query that nobody asked for.
    """

    connect: array[float] = field(default_factory=lambda: array("d"))
    full_sync: array[float] = field(default_factory=lambda: array("d"))
    after_notify: array[float] = field(default_factory=lambda: array("d"))
    poll: array[float] = field(default_factory=lambda: array("d"))
    octets: int = 0
    records: int = 0
    notifies: int = 0
    cache_resets: int = 0
    drops: int = 0
    unfinished: int = 0
    errors: Counter[str] = field(default_factory=Counter)

    def durations(self) -> dict[str, Durations]:
        """By the name of what took them."""
        return {name: _durations(getattr(self, name)) for name in ("connect", "full_sync", "after_notify", "poll")}


def percentile(ascending: Sequence[float], share: float) -> float:
    """The least value that `share` of all are not above (nearest rank); 0 of none."""
    if not ascending:
        return 0.0
    rank = -int(-share * len(ascending) // 1)
    return ascending[max(rank, 1) - 1]


def _durations(seconds: Sequence[float]) -> Durations:
    ascending = sorted(seconds)
    p50, p90, p99, longest = (percentile(ascending, share) for share in (0.5, 0.9, 0.99, 1.0))
    return Durations(len(ascending), p50, p90, p99, longest)
