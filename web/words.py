"""Numbers and times for people, and for machines."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["instant", "iso", "number", "span", "when"]

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def number(value: int) -> str:
    """`723521` as `723,521`."""
    return f"{value:,}"


def span(seconds: float) -> str:
    """A duration in its largest unit: `3 minutes`, `less than a second`."""
    for size, unit in _UNITS:
        count = int(seconds // size)
        if count >= 1:
            return f"{count} {unit}" + ("s" if count > 1 else "")
    return "less than a second"


def when(seconds: float) -> str:
    """Unix seconds as `16 Mar 2026, 08:00 UTC`."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment.day} {moment:%b %Y, %H:%M} UTC"


def instant(seconds: float) -> str:
    """Unix seconds as `16 Mar 2026, 08:00:12 UTC`."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment.day} {moment:%b %Y, %H:%M:%S} UTC"


def iso(seconds: float) -> str:
    """Unix seconds as RFC 3339, to the second."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
