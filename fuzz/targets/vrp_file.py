"""VRP files, JSON as validators write it or CSV."""

from __future__ import annotations

from rpkival.payload.formats.csv_reader import read_csv
from rpkival.payload.formats.json_reader import read_json


def fuzz(data: bytes) -> None:
    """One input."""
    (read_json if data[:1] == b"{" else read_csv)(data, name="fuzz")
