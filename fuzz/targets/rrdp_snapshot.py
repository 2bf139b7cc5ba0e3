"""RRDP snapshots (RFC 8182 section 3.5.2), in chunks as they come."""

from __future__ import annotations

from rpkival.repository.rrdp_xml import read_snapshot

SESSION = "9df4b597-af9e-4dca-bdda-719cce2c4e28"


def fuzz(data: bytes) -> None:
    """One input."""
    for _ in read_snapshot("fuzz", (data[start : start + 50] for start in range(0, len(data), 50)), SESSION, 1):
        pass
