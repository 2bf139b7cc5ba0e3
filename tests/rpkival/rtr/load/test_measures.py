"""Percentiles by nearest rank."""

from __future__ import annotations

from rpkival.rtr.load.measures import Durations, Measures, percentile


def test_percentiles_are_values_that_were_seen() -> None:
    """Of a hundred the 99th is the last but one; of one every percentile is that one; of none it is 0."""
    hundred = [float(number) for number in range(1, 101)]
    assert [percentile(hundred, share) for share in (0.5, 0.9, 0.99, 1.0)] == [50.0, 90.0, 99.0, 100.0]
    assert percentile([3.0], 0.01) == 3.0
    assert percentile([], 0.5) == 0.0


def test_durations_by_name() -> None:
    """In whatever order they came."""
    measures = Measures()
    measures.poll.extend([2.0, 1.0])
    told = measures.durations()
    assert told["poll"] == Durations(2, 1.0, 2.0, 2.0, 2.0)
    assert told["full_sync"].count == 0
