"""Routinator's rpsl: a route object for each VRP, as IRR mirrors of the RPKI hold them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from rpkival.payload.formats.text import Field, chosen, decimals, lines, prefix_texts
from rpkival.payload.payload import Payload
from rpkival.payload.vrps import VrpColumns

__all__ = ["write_rpsl"]


def write_rpsl(payload: Payload, generated: int) -> Iterator[bytes]:
    """`route:` and `route6:` objects between empty lines; created and modified when they were validated."""
    moment = datetime.fromtimestamp(generated, UTC).strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    sources = [_word(name or "N/A") for name in payload.vrps.trust_anchors]

    def fields(part: VrpColumns) -> Sequence[Field]:
        return (
            b"\nroute: " if part.prefixes.family == 4 else b"\nroute6: ",
            *prefix_texts(part.prefixes),
            b"\norigin: AS",
            decimals(part.asn),
            b"\ndescr: RPKI attestation\nmnt-by: NA\ncreated: %b\nlast-modified: %b\nsource: ROA-" % (moment, moment),
            chosen(sources, part.trust_anchor),
            b"-RPKI-ROOT\n\n",
        )

    yield from lines(payload.vrps, fields)


def _word(name: str) -> bytes:
    """In capitals, and without what would begin another attribute or object."""
    return "".join(character if character.isprintable() else "?" for character in name.upper()).encode()
