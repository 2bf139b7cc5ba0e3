"""Announcements to check, as people and programs write them: lines, CSV, or the JSON that Routinator takes."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from rpkival.asn import parse_asn
from rpkival.errors import FormatError, InputError, LimitError, UsageError
from rpkival.json_fault import json_fault
from rpkival.limits import MAX_CHECKED_ROUTES
from rpkival.prefixes import parse_prefix

__all__ = ["Route", "Unreadable", "read_routes"]


@dataclass(frozen=True, slots=True)
class Route:
    """One announcement: a canonical prefix and its origin."""

    prefix: str
    asn: int


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An announcement that cannot be understood: where it stands, and why."""

    place: str
    sentence: str


class _JsonRoute(msgspec.Struct):
    prefix: str
    asn: int | str


class _JsonRoutes(msgspec.Struct):
    routes: list[_JsonRoute]


def read_routes(path: Path) -> list[Route | Unreadable]:
    """The announcements of a file, or of standard input for `-`, in order.

    JSON is Routinator's `{"routes": [{"asn": "AS64496", "prefix": "192.0.2.0/24"}]}`; else each line is a prefix and an
    origin, apart by blanks, commas or tabs; # begins a comment, and a first line of words is a header. Raises
    `UsageError` for a file that cannot be read, `FormatError` for JSON of another shape, `LimitError`.
    """
    name = "standard input" if str(path) == "-" else str(path)
    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    pairs = _from_json(data, name) if data.lstrip()[:1] in {b"{", b"["} else _from_lines(data)
    routes: list[Route | Unreadable] = []
    for place, prefix, asn in pairs:
        if len(routes) == MAX_CHECKED_ROUTES:
            raise LimitError(f"{name} has more than {MAX_CHECKED_ROUTES} announcements; rpkival classify is for those.")
        try:
            routes.append(Route(parse_prefix(prefix).texts()[0], parse_asn(asn)))
        except InputError as error:
            routes.append(Unreadable(f"{name}, {place}", str(error)))
    return routes


def _from_json(data: bytes, name: str) -> Iterator[tuple[str, str, int | str]]:
    try:
        if data.lstrip()[:1] == b"[":
            routes = msgspec.json.decode(data, type=list[_JsonRoute])
        else:
            routes = msgspec.json.decode(data, type=_JsonRoutes).routes
    except msgspec.ValidationError as error:
        raise FormatError(f"{name} is not a list of announcements in JSON, at {json_fault(error)}.") from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise FormatError(f"{name} is not a list of announcements in JSON: {error}.") from error
    for number, route in enumerate(routes, 1):
        yield f"route {number}", route.prefix, route.asn


def _from_lines(data: bytes) -> Iterator[tuple[str, str, int | str]]:
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        fields = re.split(r"[\s,;]+", line.partition("#")[0].strip().strip('"'))
        if fields == [""] or (number == 1 and fields[0].isalpha()):
            continue
        # Both orders are common; an AS number has neither dot nor colon.
        prefix, asn = (fields[1], fields[0]) if len(fields) > 1 and "/" in fields[1] else (fields[0], fields[-1])
        yield f"line {number}", prefix, asn if len(fields) > 1 else ""
