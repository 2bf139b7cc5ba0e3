"""What local exceptions do, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from rpkival.cli.terminal import counted
from rpkival.payload.exceptions.exceptions import Applied, Number

__all__ = ["exception_sentences"]


def exception_sentences(applied: Applied) -> Iterator[str]:
    """One for each trust anchor that loses anything, and one for each file that adds anything."""
    for number in applied.filtered:
        if number.total:
            whose = number.of or "an unknown trust anchor"
            yield f"Local exceptions take away {_counts(number)} of {whose}."
    for number in applied.added:
        if number.total:
            yield f"{number.of} adds {_counts(number)}."


def _counts(number: Number) -> str:
    parts = [
        counted(count, one, many)
        for count, one, many in (
            (number.vrps, "VRP", "VRPs"),
            (number.aspas, "ASPA", "ASPAs"),
            (number.router_keys, "router key", "router keys"),
        )
        if count
    ]
    return ", ".join(parts)
