"""Routinator's csvext: which signed object each VRP comes from, and until when it holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from rpkival.payload.formats.csv import quoted
from rpkival.payload.formats.text import Field, chosen, decimals, lines, prefix_texts
from rpkival.payload.vrps import VrpColumns, Vrps

__all__ = ["write_csvext"]


def write_csvext(vrps: Vrps, generated: int) -> Iterator[bytes]:  # noqa: ARG001 - every writer is asked the same way
    """`URI,ASN,IP Prefix,Max Length,Not Before,Not After`; N/A where it is unknown, as the beginning always is here."""
    # Row -1, an unknown source, is the last of the table.
    uris = [*(quoted(uri) for uri in vrps.sources), b"N/A"]

    def fields(part: VrpColumns) -> Sequence[Field]:
        moments, which = np.unique(part.expires, return_inverse=True)
        texts = [
            text.replace("T", " ").encode() if seconds else b"N/A"
            for seconds, text in zip(moments.tolist(), np.datetime_as_string(moments.astype("M8[s]")), strict=True)
        ]
        return (
            chosen(uris, part.source),
            b",AS",
            decimals(part.asn),
            b",",
            *prefix_texts(part.prefixes),
            b",",
            decimals(part.max_length),
            b",N/A,",
            chosen(texts, which),
            b"\n",
        )

    yield b"URI,ASN,IP Prefix,Max Length,Not Before,Not After\n"
    yield from lines(vrps.ipv4, fields)
    yield from lines(vrps.ipv6, fields)
