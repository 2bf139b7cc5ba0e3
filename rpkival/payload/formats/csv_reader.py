"""VRPs out of CSV: Routinator's (csv, csvcompat, csvext), rpki-client's, FORT's, or any with columns of these names.

The header decides.
"""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import numpy as np

from rpkival.errors import FormatError
from rpkival.payload.formats.columns import ABSENT, RawVrps, assemble, numerals
from rpkival.payload.vrps import Vrps

__all__ = ["read_csv"]

_NAMES = {
    "asn": ("asn",),
    "prefix": ("ip prefix", "prefix"),
    "max_length": ("max length", "maxlength", "max prefix length"),
    "trust_anchor": ("trust anchor", "ta"),
    "expires": ("expires",),
    "not_after": ("not after",),
    "uri": ("uri",),
}


def read_csv(data: bytes, *, name: str) -> tuple[Vrps, None]:
    """The VRPs; CSV does not say when they were made. Raises `FormatError`, `LimitError`."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(f"{name} is not text in UTF-8.") from error
    header, columns = _table(text, name)
    places = _places(header, name)
    field = {key: columns[place] for key, place in places.items()}
    raw = RawVrps(
        field["prefix"],
        field["asn"],
        _max_lengths(field, name),
        field.get("trust_anchor", ()),
        _expires(field, name),
        field.get("uri", ()),
    )
    return assemble(raw, name=name), None


def _table(text: str, name: str) -> tuple[list[str], list[list[str]]]:
    """The header, and below each of its fields a list."""
    if '"' not in text:
        text = text.replace("\r\n", "\n").rstrip("\n") + "\n"
        header = text[: text.index("\n")].split(",")
        # Where every line has as many fields as the header, the fields of all lines are one list with a stride.
        separators = np.frombuffer(text.encode(), np.uint8)
        separators = separators[(separators == ord(",")) | (separators == ord("\n"))]
        expected = np.array([ord(",")] * (len(header) - 1) + [ord("\n")], np.uint8)
        if len(separators) % len(header) == 0 and (separators.reshape(-1, len(header)) == expected).all():
            fields = text.replace("\n", ",").split(",")[:-1]
            return header, [fields[place :: len(header)][1:] for place in range(len(header))]
    return _careful_table(text, name)


def _careful_table(text: str, name: str) -> tuple[list[str], list[list[str]]]:
    """As `_table`, for quoted fields, empty lines, and lines that are wrong and to be named."""
    try:
        header, *rows = (row for row in csv.reader(io.StringIO(text), strict=True) if row)
    except (csv.Error, ValueError) as error:
        raise FormatError(f"{name} is not CSV with a header line: {error}.") from error
    _places(header, name)  # what is no CSV of VRPs at all is called that, not a table with a wrong row
    for number, row in enumerate(rows):
        if len(row) != len(header):
            raise FormatError(f"{name}, VRP {number + 1}: {len(row)} fields where the header has {len(header)}.")
    return header, [list(column) for column in zip(*rows, strict=True)] or [[] for _ in header]


def _places(header: list[str], name: str) -> dict[str, int]:
    titles = [title.strip().lower() for title in header]
    places = {key: titles.index(title) for key, known in _NAMES.items() for title in known if title in titles}
    if not {"asn", "prefix"} <= places.keys():
        raise FormatError(f"{name} is neither JSON nor CSV with a header like ASN,IP Prefix,Max Length,Trust Anchor.")
    return places


def _max_lengths(field: dict[str, list[str]], name: str) -> list[int]:
    if "max_length" not in field:
        return [ABSENT] * len(field["prefix"])
    texts = field["max_length"]
    given = numerals([text or "0" for text in texts], "max length", name)
    return [length if text else ABSENT for length, text in zip(given, texts, strict=True)]


def _expires(field: dict[str, list[str]], name: str) -> list[int]:
    if "expires" in field:
        return numerals([text or "0" for text in field["expires"]], "time", name)
    known: dict[str, int] = {"": 0, "N/A": 0}
    for row, text in enumerate(field.get("not_after", [])):
        if text not in known:
            try:
                known[text] = int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())
            except ValueError as error:
                raise FormatError(f"{name}, VRP {row + 1}: {text[:40]!r} is not a time.") from error
    return [known[text] for text in field.get("not_after", [])]
