"""A payload as a file of columns that is written and read as fast as memory is copied.

Layout: `_MAGIC`, the SHA-256 of all that follows, the length of the head (uint32), the head (JSON: names, counts,
ASPAs, router keys, and what the caller adds), then for each family the columns of `_COLUMNS` in that order,
little-endian, back to back, and last the sources' lifetimes, if the head says so. The magic ends in the version of this
layout: another version is another file. Version 2 had no lifetimes.
"""

from __future__ import annotations

import hashlib
import struct
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from rpkival.errors import StateError
from rpkival.payload.payload import Aspa, Payload, RouterKey
from rpkival.payload.vrps import VrpColumns, Vrps
from rpkival.prefixes import Family, Prefixes
from rpkival.validation.lifetime import LIFETIME

__all__ = ["LAYOUT_VERSION", "decode_columns", "encode_columns"]

LAYOUT_VERSION = 3
_MAGIC, _MAGIC_BEFORE = (b"rpkival columns\n" + struct.pack("<I", version) for version in (LAYOUT_VERSION, 2))
_DIGEST_BYTES = 32
_WORDS: dict[Family, tuple[str, ...]] = {4: ("<u4",), 6: ("<u8", "<u8")}
_COLUMNS = ("<u1", "<u1", "<u4", "<u2", "<i8", "<i4")
"""Prefix length, max_length, ASN, trust anchor, expires, source; the address words stand before them."""


class _Head(msgspec.Struct, frozen=True):
    ipv4: int
    ipv6: int
    trust_anchors: list[str]
    sources: list[str]
    aspas: list[Aspa]
    router_keys: list[RouterKey]
    about: dict[str, int | str | None]
    lifetimes: bool = False


def encode_columns(payload: Payload, about: dict[str, int | str | None]) -> list[bytes]:
    """The file's content, in parts to be written one after the other."""
    vrps = payload.vrps
    head = msgspec.json.encode(
        _Head(
            len(vrps.ipv4),
            len(vrps.ipv6),
            list(vrps.trust_anchors),
            list(vrps.sources),
            list(payload.aspas),
            list(payload.router_keys),
            about,
            vrps.lifetimes is not None,
        )
    )
    body = [struct.pack("<I", len(head)), head]
    for family in (4, 6):
        columns = vrps.family(family)
        values: tuple[NDArray[Any], ...] = (
            *columns.prefixes.words,
            columns.prefixes.length,
            columns.max_length,
            columns.asn,
            columns.trust_anchor,
            columns.expires,
            columns.source,
        )
        kinds = (*_WORDS[family], *_COLUMNS)
        body += [np.ascontiguousarray(value, kind).tobytes() for value, kind in zip(values, kinds, strict=True)]
    if vrps.lifetimes is not None:
        body.append(np.ascontiguousarray(vrps.lifetimes, LIFETIME).tobytes())
    digest = hashlib.sha256()
    for part in body:
        digest.update(part)
    return [_MAGIC, digest.digest(), *body]


def decode_columns(data: bytes) -> tuple[Payload, dict[str, int | str | None]]:
    """The payload and what was added. Raises `StateError` where a single bit is not as it was written."""
    start = len(_MAGIC) + _DIGEST_BYTES
    if not data.startswith((_MAGIC, _MAGIC_BEFORE)):
        raise StateError("it is not a column file of this version")
    body = memoryview(data)[start:]
    if hashlib.sha256(body).digest() != data[len(_MAGIC) : start]:
        raise StateError("its checksum does not fit its content")
    try:
        return _decode_body(body)
    except (struct.error, ValueError, msgspec.MsgspecError) as error:
        raise StateError("its columns do not fit its head") from error


def _decode_body(body: memoryview) -> tuple[Payload, dict[str, int | str | None]]:
    (size,) = struct.unpack_from("<I", body)
    head = msgspec.json.decode(body[4 : 4 + size], type=_Head)
    ipv4, at = _columns(4, head.ipv4, body, 4 + size)
    ipv6, at = _columns(6, head.ipv6, body, at)
    lifetimes = np.frombuffer(body, LIFETIME, len(head.sources), at) if head.lifetimes else None
    if at + (0 if lifetimes is None else lifetimes.nbytes) != len(body):
        raise ValueError("bytes are left")
    for columns in (ipv4, ipv6):
        if len(columns) and (
            columns.trust_anchor.max() >= len(head.trust_anchors) or columns.source.max() >= len(head.sources)
        ):
            raise ValueError("a name is missing")
    vrps = Vrps(ipv4, ipv6, tuple(head.trust_anchors), tuple(head.sources), lifetimes)
    return Payload(vrps, tuple(head.aspas), tuple(head.router_keys)), head.about


def _columns(family: Family, n: int, body: memoryview, at: int) -> tuple[VrpColumns, int]:
    columns: list[NDArray[Any]] = []
    for kind in (*_WORDS[family], *_COLUMNS):
        column = np.frombuffer(body, kind, n, at)
        columns.append(column)
        at += column.nbytes
    words = len(_WORDS[family])
    length, max_length, asn, trust_anchor, expires, source = columns[words:]
    return VrpColumns(Prefixes(tuple(columns[:words]), length), max_length, asn, trust_anchor, expires, source), at
