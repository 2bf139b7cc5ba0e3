"""Routinator's `/json-delta`: what was announced and withdrawn since a serial, or everything as announced."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from rpkival.payload.base64_text import encode_base64
from rpkival.payload.changes import Changes
from rpkival.payload.formats.text import Field, decimals, joined, lines, prefix_texts
from rpkival.payload.payload import Aspa, Payload, RouterKey
from rpkival.payload.vrps import VrpColumns

__all__ = ["write_delta", "write_reset"]

_BETWEEN = b","


def write_reset(payload: Payload, *, session: int, serial: int, generated: int) -> Iterator[bytes]:
    """The whole payload, to replace whatever the client has; there is no member `withdrawn`."""
    yield _head("true", session, serial, None, generated)
    yield from joined(_entries(payload), _BETWEEN)
    yield b"\n  ]\n}\n"


def write_delta(changes: Changes, *, session: int, serial: int, since: int, generated: int) -> Iterator[bytes]:
    """`changes` from serial `since` to `serial`. An ASPA that changed is in both lists: as it is and as it was."""
    yield _head("false", session, serial, since, generated)
    yield from joined(_entries(changes.announced), _BETWEEN)
    yield b'\n  ],\n  "withdrawn": ['
    yield from joined(_entries(changes.withdrawn), _BETWEEN)
    yield b"\n  ]\n}\n"


def _head(reset: str, session: int, serial: int, since: int | None, generated: int) -> bytes:
    origin = "" if since is None else f'\n  "fromSerial": {since},'
    moment = datetime.fromtimestamp(generated, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        f'{{\n  "reset": {reset},\n  "session": "{session}",\n  "serial": {serial},{origin}\n'
        f'  "generated": {generated},\n  "generatedTime": "{moment}",\n  "announced": ['
    ).encode()


def _entries(payload: Payload) -> Iterator[bytes]:
    yield from lines(payload.vrps, _vrp_fields)
    yield from map(_key, payload.router_keys)
    yield from map(_aspa, payload.aspas)


def _vrp_fields(part: VrpColumns) -> Sequence[Field]:
    return (
        b'\n    {\n        "type": "routeOrigin",\n        "asn": "AS',
        decimals(part.asn),
        b'",\n        "prefix": "',
        *prefix_texts(part.prefixes),
        b'",\n        "maxLength": ',
        decimals(part.max_length),
        b"\n    },",
    )


def _key(key: RouterKey) -> bytes:
    info = encode_base64(key.key_info)
    return (
        f'\n    {{\n        "type": "routerKey",\n        "keyIdentifier": "{key.key_id.hex().upper()}",\n'
        f'        "asn": "AS{key.asn}",\n        "keyInfo": "{info}"\n    }},'
    ).encode()


def _aspa(aspa: Aspa) -> bytes:
    providers = ", ".join(f'"AS{provider}"' for provider in aspa.providers)
    return (
        f'\n    {{\n        "type": "aspa",\n        "customerAsn": "AS{aspa.customer}",\n'
        f'        "providerAsns": [{providers}]\n    }},'
    ).encode()
