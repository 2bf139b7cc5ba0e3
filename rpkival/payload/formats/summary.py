"""A payload in a few lines, for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np

from rpkival.payload.payload import Payload

__all__ = ["write_summary"]


def write_summary(payload: Payload, generated: int) -> Iterator[bytes]:
    """Counts in all, by family and by trust anchor."""
    vrps = payload.vrps
    moment = datetime.fromtimestamp(generated, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    yield f"Summary at {moment}\n".encode()
    yield _line("all", len(vrps.ipv4), len(vrps.ipv6), len(payload.aspas), len(payload.router_keys))
    names = len(vrps.trust_anchors)
    counts4, counts6 = (
        np.bincount(columns.trust_anchor, minlength=names).tolist() for columns in (vrps.ipv4, vrps.ipv6)
    )
    vrps_of = dict(zip(vrps.trust_anchors, zip(counts4, counts6, strict=True), strict=True))
    aspas = Counter(aspa.trust_anchor for aspa in payload.aspas)
    keys = Counter(key.trust_anchor for key in payload.router_keys)
    for name in sorted({*vrps_of, *aspas, *keys}):
        numbers = (*vrps_of.get(name, (0, 0)), aspas[name], keys[name])
        if any(numbers):
            yield _line(name or "unknown", *numbers)


def _line(name: str, ipv4: int, ipv6: int, aspas: int, keys: int) -> bytes:
    printable = "".join(character if character.isprintable() else "?" for character in name)
    return (
        f"{printable:>12}: {ipv4 + ipv6:>8} VRPs, {ipv4:>8} IPv4, {ipv6:>8} IPv6, {aspas:>6} ASPAs, "
        f"{keys:>6} router keys\n"
    ).encode()
