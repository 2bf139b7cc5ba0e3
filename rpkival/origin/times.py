"""Moments as text."""

from datetime import UTC, datetime

__all__ = ["rfc3339"]


def rfc3339(seconds: int) -> str:
    """`1773648000` as `2026-03-16T08:00:00Z`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
