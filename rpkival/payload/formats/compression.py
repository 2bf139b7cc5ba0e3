"""Compressed VRP files, decompressed within a bound: a few kilobytes can claim to be terabytes."""

from __future__ import annotations

import bz2
import io
import os
import zlib
from collections.abc import Iterator

import rapidgzip

from rpkival.errors import FormatError, LimitError

__all__ = ["decompress"]

_CHUNK = 16 * 1024**2
_PARALLEL_FROM = 1024**2
"""Compressed bytes from which starting threads pays."""


def decompress(data: bytes, *, name: str, limit: int) -> bytes:
    """The content of a gzip or bzip2 file, told by its first bytes; anything else as it is.

    Raises `FormatError` where it is torn or damaged, `LimitError` where it holds more than `limit` bytes.
    """
    if data[:2] == b"\x1f\x8b":
        chunks = _gunzip(data)
    elif data[:3] == b"BZh":
        chunks = _bunzip_parallel(data) if len(data) >= _PARALLEL_FROM and (os.cpu_count() or 1) > 1 else _bunzip(data)
    else:
        chunks = iter((data,))
    parts, size = [], 0
    try:
        for chunk in chunks:
            size += len(chunk)
            if size > limit:
                raise LimitError(f"{name} holds more than {limit} bytes; no VRP file is that long.")
            parts.append(chunk)
    except (OSError, EOFError, ValueError, RuntimeError, zlib.error) as error:
        raise FormatError(f"{name} is a damaged or truncated compressed file; fetch it again.") from error
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _gunzip(data: bytes) -> Iterator[bytes]:
    """Member after member (RFC 1952 section 2.2)."""
    while data.startswith(b"\x1f\x8b"):
        member = zlib.decompressobj(wbits=31)
        rest = data
        while not member.eof:
            chunk = member.decompress(rest, _CHUNK)
            rest = member.unconsumed_tail
            if not chunk and not rest and not member.eof:
                raise EOFError
            yield chunk
        data = member.unused_data


def _bunzip(data: bytes) -> Iterator[bytes]:
    while data.startswith(b"BZh"):
        stream = bz2.BZ2Decompressor()
        chunk = stream.decompress(data, _CHUNK)
        yield chunk
        while not stream.eof:
            if stream.needs_input:
                raise EOFError
            yield stream.decompress(b"", _CHUNK)
        data = stream.unused_data


def _bunzip_parallel(data: bytes) -> Iterator[bytes]:
    """On all processors: bzip2 blocks do not depend on each other."""
    with rapidgzip.IndexedBzip2File(io.BytesIO(data), parallelization=0) as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk
