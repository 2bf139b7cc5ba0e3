"""The bytes of a file, decompressed by what they are and not by what the file is called."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import BinaryIO, TypeAlias

from feeds.mrt.ahead import read_ahead
from rpkival.compression.bzip2 import bunzip
from rpkival.compression.damage import DamagedError
from rpkival.compression.gzip import gunzip

__all__ = ["Source", "Stream"]

Source: TypeAlias = Path | BinaryIO | bytes

_GZIP, _BZIP2 = b"\x1f\x8b", b"BZh"
_READ_BYTES = 1 << 20


class Stream:
    """A plain, gzip or bzip2 file, to be read once.

    `compressed_bytes`: how much of the file itself was read. `damage`: why the stream ended before the file said so, a
    clause for the user, or "".
    """

    def __init__(self, source: Source, block_bytes: int) -> None:
        self.compressed_bytes = 0
        self.damage = ""
        self._source = source
        self._block_bytes = block_bytes

    def blocks(self) -> Iterator[bytes]:
        """Decompressed blocks of `block_bytes`, the last one shorter. The next is made while the last is worked on.

        Raises `OSError` where the file cannot be opened or read.
        """
        return read_ahead(self._full_blocks())

    def _full_blocks(self) -> Iterator[bytes]:
        parts: list[bytes] = []
        size = 0
        for part in self._parts():
            parts.append(part)
            size += len(part)
            if size >= self._block_bytes:
                yield b"".join(parts)
                parts.clear()
                size = 0
        if parts:
            yield b"".join(parts)

    def _parts(self) -> Iterator[bytes]:
        if isinstance(self._source, bytes):
            yield from self._decompressed(io.BytesIO(self._source))
        elif isinstance(self._source, Path):
            with self._source.open("rb") as file:
                yield from self._decompressed(file)
        else:
            yield from self._decompressed(self._source)

    def _decompressed(self, file: BinaryIO) -> Iterator[bytes]:
        head = self._read(file)
        pieces = chain([head] if head else [], iter(partial(self._read, file), b""))
        try:
            if head.startswith(_GZIP):
                yield from gunzip(pieces, self._block_bytes)
            elif head.startswith(_BZIP2):
                yield from bunzip(pieces, self._block_bytes)
            else:
                yield from pieces
        except DamagedError as error:
            self.damage = str(error)

    def _read(self, file: BinaryIO) -> bytes:
        data = file.read(_READ_BYTES)
        self.compressed_bytes += len(data)
        return data
