"""Routinator's csvext: which signed object each VRP comes from, and until when it holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rpkival.payload.formats.csv import quoted
from rpkival.payload.formats.text import Field, chosen, decimals, lines, prefix_texts, times
from rpkival.payload.payload import Payload
from rpkival.payload.vrps import VrpColumns

__all__ = ["write_csvext"]


def write_csvext(payload: Payload, generated: int) -> Iterator[bytes]:  # noqa: ARG001 - as every writer is asked
    """`URI,ASN,IP Prefix,Max Length,Not Before,Not After`; N/A where it is unknown, as the beginning always is here."""
    # Row -1, an unknown source, is the last of the table.
    uris = [*(quoted(uri) for uri in payload.vrps.sources), b"N/A"]

    def fields(part: VrpColumns) -> Sequence[Field]:
        return (
            chosen(uris, part.source),
            b",AS",
            decimals(part.asn),
            b",",
            *prefix_texts(part.prefixes),
            b",",
            decimals(part.max_length),
            b",N/A,",
            times(part.expires, separator=" ", unknown=b"N/A"),
            b"\n",
        )

    yield b"URI,ASN,IP Prefix,Max Length,Not Before,Not After\n"
    yield from lines(payload.vrps, fields)
