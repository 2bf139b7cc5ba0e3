"""OpenBGPD's configuration: a `roa-set`, and an `aspa-set` where there are ASPAs, as rpki-client writes them.

`expires` lets bgpd drop each by itself, should no new file come (bgpd.conf(5)). An `aspa-set` needs OpenBGPD 7.8.
An ASPA with more providers than OpenBGPD takes is left out, since it would refuse the whole file: anybody with an AS
could keep everybody's filters as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from rpkival.limits import MAX_OPENBGPD_ASPA_PROVIDERS
from rpkival.payload.formats.text import Field, chosen, decimals, lines, prefix_texts
from rpkival.payload.payload import Aspa, Payload
from rpkival.payload.vrps import VrpColumns

__all__ = ["write_openbgpd"]


def write_openbgpd(payload: Payload, generated: int) -> Iterator[bytes]:  # noqa: ARG001 - as every writer is asked
    """To be included into bgpd.conf."""
    yield b"roa-set {\n"
    yield from lines(payload.vrps, _fields)
    yield b"}\n"
    aspas = [aspa for aspa in payload.aspas if len(aspa.providers) <= MAX_OPENBGPD_ASPA_PROVIDERS]
    if aspas:
        yield b"\naspa-set {\n"
        yield from map(_aspa, aspas)
        yield b"}\n"


def _fields(part: VrpColumns) -> Sequence[Field]:
    longer = part.max_length > part.prefixes.length
    return (
        b"\t",
        *prefix_texts(part.prefixes),
        chosen([b"", b" maxlen "], longer),
        decimals(np.where(longer, part.max_length, 0), blank_zero=True),
        b" source-as ",
        decimals(part.asn),
        chosen([b"", b" expires "], part.expires > 0),
        decimals(part.expires, blank_zero=True),
        b"\n",
    )


def _aspa(aspa: Aspa) -> bytes:
    expires = f" expires {aspa.expires}" if aspa.expires else ""
    providers = ", ".join(map(str, aspa.providers))
    return f"\tcustomer-as {aspa.customer}{expires} provider-as {{ {providers} }}\n".encode()
