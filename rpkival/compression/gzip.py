"""gzip, of one or many members, without ever giving more at once than was asked for."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from rpkival.compression.damage import DamagedError

__all__ = ["gunzip"]

_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = 31


def gunzip(pieces: Iterator[bytes], at_most: int) -> Iterator[bytes]:
    """The decompressed data of a file, of which `pieces` are not empty, in parts of no more than `at_most` bytes.

    Collectors that append make files of many members, and tapes fill the last one up with zeros. Raises `DamagedError`
    behind the last data that could be decompressed.
    """
    data = next(pieces, b"")
    while data.startswith(_MAGIC):
        member = zlib.decompressobj(_GZIP_WINDOW)
        while not member.eof:
            if not data and not (data := next(pieces, b"")):
                raise DamagedError("its compressed data ends too early")
            try:
                part = member.decompress(data, at_most)
            except zlib.error as error:
                raise DamagedError(f"its compressed data is damaged ({error})") from error
            if part:
                yield part
            data = member.unconsumed_tail
        data = member.unused_data
        if len(data) < len(_MAGIC):
            data += next(pieces, b"")
    if data.strip(b"\0"):
        raise DamagedError("something else follows its compressed data")
