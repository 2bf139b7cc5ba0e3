"""Routinator's csv, in the order of addresses: what most scripts of the field read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from rpkival.payload.formats.text import Field, chosen, decimals, lines, prefix_texts
from rpkival.payload.payload import Payload
from rpkival.payload.vrps import VrpColumns

__all__ = ["quoted", "write_csv"]


def write_csv(payload: Payload, generated: int) -> Iterator[bytes]:  # noqa: ARG001 - every writer is asked the same way
    """`ASN,IP Prefix,Max Length,Trust Anchor`; N/A for an unknown trust anchor."""
    anchors = [quoted(name or "N/A") for name in payload.vrps.trust_anchors]

    def fields(part: VrpColumns) -> Sequence[Field]:
        return (
            b"AS",
            decimals(part.asn),
            b",",
            *prefix_texts(part.prefixes),
            b",",
            decimals(part.max_length),
            b",",
            chosen(anchors, part.trust_anchor),
            b"\n",
        )

    yield b"ASN,IP Prefix,Max Length,Trust Anchor\n"
    yield from lines(payload.vrps, fields)


def quoted(name: str, *, always: bool = False) -> bytes:
    """One CSV field (RFC 4180 section 2), in quotes where it must be or `always`."""
    line = io.StringIO()
    csv.writer(line, lineterminator="", quoting=csv.QUOTE_ALL if always else csv.QUOTE_MINIMAL).writerow([name])
    return line.getvalue().encode()
