"""bzip2 on all cores.

A bzip2 stream is a row of blocks, each compressed by itself: a marker of 48 bits, a checksum, up to 900,000 bytes. They
only do not begin at byte boundaries. So the markers are found bit by bit, each block is shifted into a small stream of
its own, and the library decompresses those in threads, which it lets run beside the interpreter. A damaged block shows
in its own checksum.
"""

from __future__ import annotations

import bz2
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from rpkival.compression.damage import DamagedError

__all__ = ["bunzip"]

_BLOCK = 0x314159265359
_END = 0x177245385090
_MARKER_BITS = 48
_CRC_BITS = 32
_STREAM_HEAD_BYTES = 4
_MAX_BLOCK_BYTES = 2 * 1024**2
"""A block of 900,000 bytes that do not compress stays below 1 MB."""


@dataclass(frozen=True, slots=True)
class _Bits:
    """A bit string: `value` with `count` bits, leading zeros included."""

    value: int
    count: int

    @classmethod
    def of(cls, data: bytes, start: int, end: int) -> _Bits:
        """The bits `start` to `end` of some bytes."""
        whole = int.from_bytes(data[start // 8 : -(-end // 8)], "big")
        return cls((whole >> (-end % 8)) & ((1 << (end - start)) - 1), end - start)

    def then(self, other: _Bits) -> _Bits:
        """This and then the other."""
        return _Bits((self.value << other.count) | other.value, self.count + other.count)

    def octets(self) -> bytes:
        """As bytes, filled up with zeros at the end."""
        return (self.value << (-self.count % 8)).to_bytes(-(-self.count // 8), "big")


def bunzip(pieces: Iterator[bytes], at_most: int, workers: int | None = None) -> Iterator[bytes]:
    """The decompressed data of a file, of which `pieces` are not empty, in parts of no more than `at_most` bytes.

    Raises `DamagedError` behind the last block that is whole.
    """
    workers = workers or os.cpu_count() or 1
    blocks = _blocks(pieces)
    with ThreadPoolExecutor(workers, "bunzip") as pool:
        waiting: deque[tuple[_Bits, Future[bytes | None]]] = deque()
        ended: DamagedError | None = None
        while True:
            while ended is None and len(waiting) <= workers:
                try:
                    block = next(blocks, None)
                except DamagedError as error:
                    ended = error
                    break
                if block is None:
                    break
                waiting.append((block, pool.submit(_decompress, block)))
            if not waiting:
                break
            block, coming = waiting.popleft()
            data = coming.result()
            if data is None and waiting:
                # Once in 2^48 bits the compressed data itself looks like a marker, and a block was cut in two there.
                data = _decompress(block.then(waiting.popleft()[0]))
            if data is None:
                raise DamagedError("its compressed data is damaged")
            # A block of one byte repeated may be 46 MB.
            yield from (data[at : at + at_most] for at in range(0, len(data), at_most))
    if ended is not None:
        raise ended


def _decompress(block: _Bits) -> bytes | None:
    """A block as the only one of its stream, whose checksum then is the block's own; None where it is damaged."""
    crc = (block.value >> (block.count - _MARKER_BITS - _CRC_BITS)) & 0xFFFFFFFF
    stream = block.then(_Bits((_END << _CRC_BITS) | crc, _MARKER_BITS + _CRC_BITS))
    decompressor = bz2.BZ2Decompressor()
    try:
        data = decompressor.decompress(b"BZh9" + stream.octets())
    except OSError:
        return None
    return data if decompressor.eof else None


def _blocks(pieces: Iterator[bytes]) -> Iterator[_Bits]:
    """The blocks of a file, still compressed. Raises `DamagedError` where something else stands among them."""
    data = b""
    # Where the last marker stands in `data`: the file begins as if a stream had just ended.
    at, kind = -_MARKER_BITS - _CRC_BITS, _END
    for piece in pieces:
        data += piece
        for end, next_kind in [marker for marker in _markers(data) if marker[0] > at]:
            if kind == _BLOCK and end >= at + _MARKER_BITS + _CRC_BITS:
                yield _Bits.of(data, at, end)
            elif kind == _BLOCK or end != 8 * (_next_stream(at) + _STREAM_HEAD_BYTES):
                raise DamagedError("its compressed data is damaged")
            at, kind = end, next_kind
        if at >= 0:
            data, at = data[at // 8 :], at % 8
        if len(data) > _MAX_BLOCK_BYTES:
            raise DamagedError("its compressed data is damaged")
    rest = data[_next_stream(at) :]
    if kind == _BLOCK or rest.startswith(b"BZ") or 8 * len(data) < at + _MARKER_BITS + _CRC_BITS:
        raise DamagedError("its compressed data ends too early")
    if rest.strip(b"\0"):
        raise DamagedError("something else follows its compressed data")


def _next_stream(end: int) -> int:
    """The byte at which another stream may begin, behind the end marker at bit `end` and its checksum."""
    return -(-(end + _MARKER_BITS + _CRC_BITS) // 8)


def _markers(data: bytes) -> list[tuple[int, int]]:
    """Where markers stand, as bit offsets, and which, in order."""
    found = []
    for kind in (_BLOCK, _END):
        for shift in range(8):
            # Five of its bytes are whole wherever a marker begins; they are looked for, then all 48 bits are compared.
            inner = ((kind >> (shift or 8)) & 0xFFFFFFFFFF).to_bytes(5, "big")
            at = data.find(inner)
            while at >= 0:
                bit = 8 * at - (8 - shift if shift else 0)
                end = bit + _MARKER_BITS
                if bit >= 0 and end <= 8 * len(data) and _Bits.of(data, bit, end).value == kind:
                    found.append((bit, kind))
                at = data.find(inner, at + 1)
    return sorted(found)
