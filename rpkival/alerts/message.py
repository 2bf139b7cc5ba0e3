"""The body of a webhook, within its size."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from rpkival.limits import MAX_WEBHOOK_BODY
from rpkival.monitor.incidents import format_time

__all__ = ["compose"]

_LONG_TEXT = 200
"""Characters up to which a text is left whole."""

Slot = tuple[str, Any, Any]
"""The dotted name of a value, what holds it, and its key there."""


def compose(kind: str, created: float, data: Mapping[str, Any], limit: int = MAX_WEBHOOK_BODY) -> bytes:
    """`{"type", "timestamp", "data"}` in at most `limit` bytes; the same event is the same bytes each time.

    What does not fit is cut from the longest list, and then from the longest text; `data.truncated` then names each
    that was cut and how many items (or characters) it had.
    """
    cut = copy.deepcopy(dict(data))
    truncated: dict[str, int] = {}
    while len(body := _encoded(kind, created, cut)) > limit:
        longest = max(_slots(cut), key=_weight, default=None)
        if longest is None:
            raise ValueError(f"an event of type {kind} has nothing to cut to fit in {limit} bytes")
        name, holder, key = longest
        value = holder[key]
        truncated.setdefault(name, len(value))
        holder[key] = value[: len(value) // 2]
        cut["truncated"] = truncated
    return body


def _encoded(kind: str, created: float, data: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode({"type": kind, "timestamp": format_time(created), "data": data})


def _slots(value: Any, name: str = "") -> Iterator[Slot]:
    """Every list and every long text, with its place."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        place = f"{name}.{key}".lstrip(".")
        if place == "truncated":
            continue
        if (isinstance(item, list) and item) or (isinstance(item, str) and len(item) > _LONG_TEXT):
            yield place, value, key
        if isinstance(item, dict | list):
            yield from _slots(item, place)


def _weight(slot: Slot) -> tuple[bool, int]:
    _, holder, key = slot
    return isinstance(holder[key], list), len(msgspec.json.encode(holder[key]))
