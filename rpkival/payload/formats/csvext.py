"""Routinator's csvext: which signed object each VRP comes from, and from when until when that holds by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from rpkival.payload.formats.csv import quoted
from rpkival.payload.formats.text import Field, chosen, decimals, lines, prefix_texts, times
from rpkival.payload.local_source import LocalSource
from rpkival.payload.payload import Payload
from rpkival.payload.vrps import VrpColumns

__all__ = ["write_csvext"]

_KNOWN = b"", b" ", b""


def write_csvext(payload: Payload, generated: int) -> Iterator[bytes]:  # noqa: ARG001 - as every writer is asked
    """`URI,ASN,IP Prefix,Max Length,Not Before,Not After`; N/A where it is unknown.

    Where a file says when the chain ends and nothing of the object, that is what is known of its end.
    """
    # Row -1, an unknown source, is the last of the table.
    uris = [*map(_uri, payload.vrps.sources), b"N/A"]
    lifetimes = payload.vrps.lifetime_table

    def fields(part: VrpColumns) -> Sequence[Field]:
        not_after = lifetimes["not_after"][part.source]
        return (
            chosen(uris, part.source),
            b",AS",
            decimals(part.asn),
            b",",
            *prefix_texts(part.prefixes),
            b",",
            decimals(part.max_length),
            b",",
            times(lifetimes["not_before"][part.source], known=_KNOWN, unknown=b"N/A"),
            b",",
            times(np.where(not_after > 0, not_after, part.expires), known=_KNOWN, unknown=b"N/A"),
            b"\n",
        )

    yield b"URI,ASN,IP Prefix,Max Length,Not Before,Not After\n"
    yield from lines(payload.vrps, fields)


def _uri(source: str) -> bytes:
    return quoted(source) if LocalSource.parse(source) is None else b"N/A"
