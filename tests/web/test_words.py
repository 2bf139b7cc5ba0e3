"""Numbers and times for people."""

from __future__ import annotations

import pytest

from web.words import instant, iso, number, span, when


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "less than a second"),
        (0.9, "less than a second"),
        (1, "1 second"),
        (59.9, "59 seconds"),
        (60, "1 minute"),
        (7199, "1 hour"),
        (7200, "2 hours"),
        (86_400 * 3, "3 days"),
    ],
)
def test_a_span_is_told_in_its_largest_unit(seconds: float, text: str) -> None:
    """Rounded down, as people tell ages."""
    assert span(seconds) == text


def test_times_are_in_utc() -> None:
    """And say so."""
    moment = 1_773_648_012.7

    assert when(moment) == "16 Mar 2026, 08:00 UTC"
    assert instant(moment) == "16 Mar 2026, 08:00:12 UTC"
    assert iso(moment) == "2026-03-16T08:00:12Z"
    assert number(723_521) == "723,521"
