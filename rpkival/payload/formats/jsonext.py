"""Routinator's jsonext: json with, for each entry, the object that it was signed in or the file that asserts it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from rpkival.payload.formats.json import aspa_head, key_head, write_document
from rpkival.payload.formats.text import Field, chosen, decimals, lines, prefix_texts, times, where
from rpkival.payload.local_source import LocalSource
from rpkival.payload.payload import Aspa, Payload, RouterKey
from rpkival.payload.vrps import VrpColumns, Vrps
from rpkival.validation.lifetime import Lifetime

__all__ = ["write_jsonext"]


def write_jsonext(payload: Payload, generated: int) -> Iterator[bytes]:
    """Null where it is unknown; where a file says only when the chain ends, that is told."""
    keys = (key_head(key) + _source(key, "cer") for key in payload.router_keys)
    aspas = (aspa_head(aspa) + _source(aspa, "aspa") for aspa in payload.aspas)
    yield from write_document(generated, _vrps(payload.vrps), map(str.encode, keys), map(str.encode, aspas))


_LIFETIME = (
    ', "validity": { "notBefore": ',
    ', "notAfter": ',
    ' }, "chainValidity": { "notBefore": ',
    ', "notAfter": ',
    ' }, "stale": ',
)
"""What stands before each moment of a `Lifetime`."""


def _vrps(vrps: Vrps) -> Iterator[bytes]:
    # Row -1, an unknown source, is the last of the table.
    local = np.array([*(LocalSource.parse(source) is not None for source in vrps.sources), False], np.bool_)
    heads = [*map(_head, vrps.sources), _head("")]
    tals = [_tal(name).encode() for name in vrps.trust_anchors]
    lifetimes = vrps.lifetime_table

    def fields(part: VrpColumns) -> Sequence[Field]:
        signed = ~local[part.source]
        told: list[Field] = [chosen(tals, part.trust_anchor)]
        for before, name in zip(_LIFETIME, Lifetime._fields, strict=True):
            moments = lifetimes[name][part.source]
            if name == "chain_not_after":
                moments = np.where(moments > 0, moments, part.expires)
            told += [before.encode(), times(moments, known=(b'"', b"T", b'Z"'), unknown=b"null")]
        return (
            b'    { "asn": "AS',
            decimals(part.asn),
            b'", "prefix": "',
            *prefix_texts(part.prefixes),
            b'", "maxLength": ',
            decimals(part.max_length),
            b', "source": [ { ',
            chosen(heads, part.source),
            # That is told of signed objects only.
            *(where(signed, field) for field in told),
            b" }] },\n",
        )

    return lines(vrps, fields)


def _head(source: str) -> bytes:
    """The beginning of an entry, as far as the source alone decides; all of it for a local exception."""
    local = LocalSource.parse(source)
    if local is None:
        return f'"type": "roa", "uri": {_text(source)}'.encode()
    comment = f', "comment": {_text(local.comment)}' if local.comment else ""
    return f'"type": "exception", "path": {_text(local.path)}{comment}'.encode()


def _source(each: Aspa | RouterKey, kind: str) -> str:
    head = _head(each.source).decode().replace('"roa"', f'"{kind}"', 1)
    if LocalSource.parse(each.source) is not None:
        return f', "source": [ {{ {head} }}] }},\n'
    lifetime = each.lifetime._replace(chain_not_after=each.lifetime.chain_not_after or each.expires)
    told = "".join(before + _moment(seconds) for before, seconds in zip(_LIFETIME, lifetime, strict=True))
    return f', "source": [ {{ {head}{_tal(each.trust_anchor)}{told} }}] }},\n'


def _moment(seconds: int) -> str:
    return f'"{np.datetime64(seconds, "s")}Z"' if seconds else "null"


def _tal(name: str) -> str:
    return f', "tal": {_text(name or "N/A")}'


def _text(value: str) -> str:
    return msgspec.json.encode(value or None).decode()
