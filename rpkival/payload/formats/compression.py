"""Compressed VRP files, decompressed within a bound: a few kilobytes can claim to be terabytes."""

from __future__ import annotations

from rpkival.compression.bzip2 import bunzip
from rpkival.compression.damage import DamagedError
from rpkival.compression.gzip import gunzip
from rpkival.errors import FormatError, LimitError

__all__ = ["decompress"]

_CHUNK = 16 * 1024**2


def decompress(data: bytes, *, name: str, limit: int) -> bytes:
    """The content of a gzip or bzip2 file, told by its first bytes; anything else as it is.

    Raises `FormatError` where it is torn or damaged, `LimitError` where it holds more than `limit` bytes.
    """
    pieces = iter((data,))
    if data.startswith(b"\x1f\x8b"):
        chunks = gunzip(pieces, _CHUNK)
    elif data.startswith(b"BZh"):
        chunks = bunzip(pieces, _CHUNK)
    else:
        chunks = pieces
    parts, size = [], 0
    try:
        for chunk in chunks:
            size += len(chunk)
            if size > limit:
                raise LimitError(f"{name} holds more than {limit} bytes; no VRP file is that long.")
            parts.append(chunk)
    except DamagedError as error:
        raise FormatError(f"{name} is damaged: {error}; fetch it again.") from error
    return parts[0] if len(parts) == 1 else b"".join(parts)
