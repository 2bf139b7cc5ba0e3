"""Routinator's jsonext: json with, for each entry, the object that it was signed in or the file that asserts it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from rpkival.payload.formats.json import aspa_head, key_head, write_document
from rpkival.payload.formats.text import Field, chosen, decimals, lines, prefix_texts, times
from rpkival.payload.local_source import LocalSource
from rpkival.payload.payload import Aspa, Payload, RouterKey
from rpkival.payload.vrps import VrpColumns, Vrps

__all__ = ["write_jsonext"]


def write_jsonext(payload: Payload, generated: int) -> Iterator[bytes]:
    """Where Routinator tells more than is known here, null: when an object's validity begins, and its own end."""
    keys = (key_head(key) + _source(key, "cer") for key in payload.router_keys)
    aspas = (aspa_head(aspa) + _source(aspa, "aspa") for aspa in payload.aspas)
    yield from write_document(generated, _vrps(payload.vrps), map(str.encode, keys), map(str.encode, aspas))


_CHAIN = ', "validity": { "notBefore": null, "notAfter": null }, "chainValidity": { "notBefore": null, "notAfter": '
_END = ' }, "stale": null }] },\n'


def _vrps(vrps: Vrps) -> Iterator[bytes]:
    # Row -1, an unknown source, is the last of the table.
    local = np.array([*(LocalSource.parse(source) is not None for source in vrps.sources), False], np.bool_)
    heads = [*map(_head, vrps.sources), _head("")]
    tals = [_tal(name).encode() for name in vrps.trust_anchors]

    def fields(part: VrpColumns) -> Sequence[Field]:
        signed = ~local[part.source]
        moments = times(part.expires, separator="T", unknown=b"")
        return (
            b'    { "asn": "AS',
            decimals(part.asn),
            b'", "prefix": "',
            *prefix_texts(part.prefixes),
            b'", "maxLength": ',
            decimals(part.max_length),
            b', "source": [ { ',
            chosen(heads, part.source),
            # What follows is told of signed objects only.
            chosen([b"", *tals], np.where(signed, part.trust_anchor + 1, 0)),
            chosen([b"", _CHAIN.encode()], signed),
            chosen([b"", b"null", b'"'], np.where(signed, 1 + (part.expires > 0), 0)),
            np.where(signed[:, None], moments, 0).astype(np.uint8),
            chosen([b"", b'Z"'], signed & (part.expires > 0)),
            chosen([b" }] },\n", _END.encode()], signed),
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
    moment = str(np.datetime64(each.expires, "s"))
    end = f'"{moment}Z"' if each.expires else "null"
    return f', "source": [ {{ {head}{_tal(each.trust_anchor)}{_CHAIN}{end}{_END}'


def _tal(name: str) -> str:
    return f', "tal": {_text(name or "N/A")}'


def _text(value: str) -> str:
    return msgspec.json.encode(value or None).decode()
