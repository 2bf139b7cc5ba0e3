"""VRPs, router keys and ASPAs as JSON: Routinator's json, with the expiry of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

import msgspec

from rpkival.payload.base64_text import encode_base64
from rpkival.payload.formats.text import Field, chosen, decimals, joined, lines, prefix_texts
from rpkival.payload.payload import Aspa, Payload, RouterKey
from rpkival.payload.vrps import VrpColumns, Vrps

__all__ = ["aspa_head", "key_head", "write_document", "write_json"]

_BETWEEN = b",\n"


def write_json(payload: Payload, generated: int) -> Iterator[bytes]:
    """`expires` (unix seconds) is there where it is known."""
    yield from write_document(generated, _vrps(payload.vrps), map(_key, payload.router_keys), map(_aspa, payload.aspas))


def write_document(
    generated: int, vrps: Iterable[bytes], router_keys: Iterable[bytes], aspas: Iterable[bytes]
) -> Iterator[bytes]:
    """The lists around rows that each end in a comma and a line end; the two last only where there is anything."""
    moment = datetime.fromtimestamp(generated, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    head = f'{{\n  "metadata": {{\n    "generated": {generated},\n    "generatedTime": "{moment}"\n  }},\n  "roas": [\n'
    yield head.encode()
    yield from joined(vrps, _BETWEEN)
    yield b"\n  ]"
    for name, entries in (("routerKeys", router_keys), ("aspas", aspas)):
        begin = f',\n  "{name}": [\n'.encode()
        end = b""
        for chunk in joined(entries, _BETWEEN):
            yield begin + chunk
            begin, end = b"", b"\n  ]"
        yield end
    yield b"\n}\n"


def key_head(key: RouterKey) -> str:
    """What makes the key, as Routinator begins its entry."""
    info = encode_base64(key.key_info)
    return f'    {{ "asn": "AS{key.asn}", "SKI": "{key.key_id.hex().upper()}", "routerPublicKey": "{info}"'


def aspa_head(aspa: Aspa) -> str:
    """What makes the ASPA, as Routinator begins its entry."""
    providers = ", ".join(f'"AS{provider}"' for provider in aspa.providers)
    return f'    {{ "customer": "AS{aspa.customer}", "providers": [{providers}]'


def _vrps(vrps: Vrps) -> Iterator[bytes]:
    anchors = [msgspec.json.encode(name or "N/A") for name in vrps.trust_anchors]

    def fields(part: VrpColumns) -> Sequence[Field]:
        return (
            b'    { "asn": "AS',
            decimals(part.asn),
            b'", "prefix": "',
            *prefix_texts(part.prefixes),
            b'", "maxLength": ',
            decimals(part.max_length),
            b', "ta": ',
            chosen(anchors, part.trust_anchor),
            chosen([b"", b', "expires": '], part.expires > 0),
            decimals(part.expires, blank_zero=True),
            b" },\n",
        )

    return lines(vrps, fields)


def _key(key: RouterKey) -> bytes:
    return (key_head(key) + _origin(key)).encode()


def _aspa(aspa: Aspa) -> bytes:
    return (aspa_head(aspa) + _origin(aspa)).encode()


def _origin(each: Aspa | RouterKey) -> str:
    anchor = msgspec.json.encode(each.trust_anchor or "N/A").decode()
    expires = f', "expires": {each.expires}' if each.expires else ""
    return f', "ta": {anchor}{expires} }},\n'
