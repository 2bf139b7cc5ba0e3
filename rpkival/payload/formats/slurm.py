"""Routinator's slurm and slurm2: the payload as local assertions (RFC 8416), for caches that take no other file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec
import numpy as np

from rpkival.payload.base64_text import encode_base64
from rpkival.payload.formats.text import Field, chosen, decimals, joined, lines, prefix_texts
from rpkival.payload.payload import Aspa, Payload, RouterKey
from rpkival.payload.vrps import VrpColumns, Vrps

__all__ = ["write_slurm", "write_slurm2"]

_BETWEEN = b",\n"


def write_slurm(payload: Payload, generated: int) -> Iterator[bytes]:  # noqa: ARG001 - as every writer is asked
    """Version 1 (RFC 8416): no ASPAs."""
    yield b'{\n  "slurmVersion": 1,\n  "validationOutputFilters": {\n    "prefixFilters": [ ],\n'
    yield b'    "bgpsecFilters": [ ]\n  },\n  "locallyAddedAssertions": {\n'
    yield from _base(payload)
    yield b"  }\n}\n"


def write_slurm2(payload: Payload, generated: int) -> Iterator[bytes]:  # noqa: ARG001 - as every writer is asked
    """Version 2 (draft-ietf-sidrops-aspa-slurm-04)."""
    yield b'{\n  "slurmVersion": 2,\n  "validationOutputFilters": {\n    "prefixFilters": [ ],\n'
    yield b'    "bgpsecFilters": [ ],\n    "aspaFilters": [ ]\n  },\n  "locallyAddedAssertions": {\n'
    yield from _base(payload, last=False)
    yield from _list("aspaAssertions", map(_aspa, payload.aspas))
    yield b"  }\n}\n"


def _base(payload: Payload, *, last: bool = True) -> Iterator[bytes]:
    yield from _list("prefixAssertions", _vrps(payload.vrps), last=False)
    yield from _list("bgpsecAssertions", map(_key, payload.router_keys), last=last)


def _list(name: str, entries: Iterable[bytes], *, last: bool = True) -> Iterator[bytes]:
    yield f'    "{name}": [\n'.encode()
    yield from joined(entries, _BETWEEN)
    yield b"\n    ]\n" if last else b"\n    ],\n"


def _vrps(vrps: Vrps) -> Iterator[bytes]:
    comments = [_comment(name) for name in vrps.trust_anchors]

    def fields(part: VrpColumns) -> Sequence[Field]:
        longer = part.max_length > part.prefixes.length
        return (
            b'      {\n        "asn": ',
            decimals(part.asn),
            b',\n        "prefix": "',
            *prefix_texts(part.prefixes),
            chosen([b'",\n', b'",\n        "maxPrefixLength": '], longer),
            decimals(np.where(longer, part.max_length, 0), blank_zero=True),
            chosen([b"", b",\n"], longer),
            b'        "comment": ',
            chosen(comments, part.trust_anchor),
            b"\n      },\n",
        )

    return lines(vrps, fields)


def _key(key: RouterKey) -> bytes:
    return (
        b'      {\n        "asn": %d,\n        "SKI": "%b",\n' % (key.asn, encode_base64(key.key_id).encode())
        + b'        "routerPublicKey": "%b",\n' % encode_base64(key.key_info).encode()
        + b'        "comment": %b\n      },\n' % _comment(key.trust_anchor)
    )


def _aspa(aspa: Aspa) -> bytes:
    # The spaces at the ends of lines are Routinator's.
    providers = ", \n".join(f"          {provider}" for provider in aspa.providers).encode()
    return (
        b'      { \n        "customerAsn": %d, \n        "providerAsns": [\n' % aspa.customer
        + providers
        + b'\n        ],\n        "comment": %b\n      },\n' % _comment(aspa.trust_anchor)
    )


def _comment(trust_anchor: str) -> bytes:
    return msgspec.json.encode(trust_anchor or "N/A")
