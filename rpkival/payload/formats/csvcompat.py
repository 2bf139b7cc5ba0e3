"""Routinator's csvcompat: csv as the RIPE NCC Validator wrote it, with every field in quotes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rpkival.payload.formats.csv import quoted
from rpkival.payload.formats.text import Field, chosen, decimals, lines, prefix_texts
from rpkival.payload.payload import Payload
from rpkival.payload.vrps import VrpColumns

__all__ = ["write_csvcompat"]


def write_csvcompat(payload: Payload, generated: int) -> Iterator[bytes]:  # noqa: ARG001 - as every writer is asked
    """`"ASN","IP Prefix","Max Length","Trust Anchor"`."""
    anchors = [quoted(name or "N/A", always=True) for name in payload.vrps.trust_anchors]

    def fields(part: VrpColumns) -> Sequence[Field]:
        return (
            b'"AS',
            decimals(part.asn),
            b'","',
            *prefix_texts(part.prefixes),
            b'","',
            decimals(part.max_length),
            b'",',
            chosen(anchors, part.trust_anchor),
            b"\n",
        )

    yield b'"ASN","IP Prefix","Max Length","Trust Anchor"\n'
    yield from lines(payload.vrps, fields)
