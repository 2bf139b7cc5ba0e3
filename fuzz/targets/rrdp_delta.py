"""RRDP deltas (RFC 8182 section 3.5.3), in chunks as they come."""

from __future__ import annotations

from rpkival.repository.rrdp_xml import read_delta

SESSION = "9df4b597-af9e-4dca-bdda-719cce2c4e28"


def fuzz(data: bytes) -> None:
    """One input."""
    for _ in read_delta("fuzz", (data[start : start + 50] for start in range(0, len(data), 50)), SESSION, 2):
        pass
