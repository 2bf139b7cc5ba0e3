"""The bytes of a file, decompressed by what they are and not by what the file is called."""

from __future__ import annotations

import bz2
import io
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol, TypeAlias

from feeds.mrt.ahead import read_ahead

__all__ = ["Source", "Stream"]

Source: TypeAlias = Path | BinaryIO | bytes

_READ_BYTES = 1 << 20
_ZLIB_GZIP_WINDOW = 31


class _Decompressor(Protocol):
    """The face of `bz2.BZ2Decompressor`; gives no more than `max_length` bytes at once, whatever the ratio."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _GzipDecompressor:
    """`zlib` with the face of `bz2.BZ2Decompressor`."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(_ZLIB_GZIP_WINDOW)

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def needs_input(self) -> bool:
        return not self._zlib.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)


_DECOMPRESSORS: dict[bytes, Callable[[], _Decompressor]] = {
    b"\x1f\x8b": _GzipDecompressor,
    b"BZh": bz2.BZ2Decompressor,
}
"""By the first bytes of a compressed stream."""


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
        data = self._read(file)
        for magic, decompressor in _DECOMPRESSORS.items():
            if data.startswith(magic):
                yield from self._members(file, data, magic, decompressor)
                return
        while data:
            yield data
            data = self._read(file)

    def _members(
        self, file: BinaryIO, data: bytes, magic: bytes, decompressor: Callable[[], _Decompressor]
    ) -> Iterator[bytes]:
        """A compressed file is one stream after the other; collectors that append make files of many."""
        while data.startswith(magic):
            member = decompressor()
            while True:
                try:
                    part = member.decompress(data, self._block_bytes)
                except (zlib.error, OSError) as error:
                    self.damage = f"its compressed data is damaged ({error})"
                    return
                if part:
                    yield part
                if member.eof:
                    break
                data = self._read(file) if member.needs_input else b""
                if member.needs_input and not data:
                    self.damage = "its compressed data ends too early"
                    return
            data = member.unused_data
            if len(data) < len(magic):
                data += self._read(file)
        if data.strip(b"\0"):
            self.damage = "something else follows its compressed data"

    def _read(self, file: BinaryIO) -> bytes:
        data = file.read(_READ_BYTES)
        self.compressed_bytes += len(data)
        return data
