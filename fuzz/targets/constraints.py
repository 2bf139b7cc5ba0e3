"""Files of what a trust anchor may certify."""

from __future__ import annotations

from rpkival.objects.constraints import parse_constraints


def fuzz(data: bytes) -> None:
    """One input."""
    parse_constraints(data, "fuzz")
