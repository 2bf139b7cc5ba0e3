"""A VRP set in a few lines, for people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np

from rpkival.payload.vrps import Vrps

__all__ = ["write_summary"]


def write_summary(vrps: Vrps, generated: int) -> Iterator[bytes]:
    """Counts in all, by family and by trust anchor."""
    moment = datetime.fromtimestamp(generated, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    yield f"Summary at {moment}\n".encode()
    yield _line("all", len(vrps.ipv4), len(vrps.ipv6))
    names = len(vrps.trust_anchors)
    counts4, counts6 = (
        np.bincount(columns.trust_anchor, minlength=names).tolist() for columns in (vrps.ipv4, vrps.ipv6)
    )
    for name, ipv4, ipv6 in sorted(zip(vrps.trust_anchors, counts4, counts6, strict=True)):
        if ipv4 + ipv6:
            yield _line(name or "unknown", ipv4, ipv6)


def _line(name: str, ipv4: int, ipv6: int) -> bytes:
    printable = "".join(character if character.isprintable() else "?" for character in name)
    return f"{printable:>12}: {ipv4 + ipv6:>8} VRPs, {ipv4:>8} IPv4, {ipv6:>8} IPv6\n".encode()
