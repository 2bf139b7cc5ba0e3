"""Recorded RIS Live messages: a file of one JSON message a line, plain, gzip or bzip2."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from feeds.mrt.stream import Stream
from feeds.ris_message import decode_messages
from feeds.route_batch import RouteBatch
from rpkival.limits import MAX_RIS_MESSAGE_BYTES

__all__ = ["RisDump", "is_ris_dump"]

_BLOCK_BYTES = 1 << 20
_PEEK_BYTES = 1 << 16


class RisDump:
    """One file, to be read once.

    `compressed_bytes`: how much of the file itself was read. `messages`: lines so far. `malformed`: those that could
    not be understood. `damage`: why the file ended too early, a clause for the user, or "".
    """

    def __init__(self, path: Path) -> None:
        self.messages = self.malformed = 0
        self._stream = Stream(path, _BLOCK_BYTES)
        self._too_long = False

    @property
    def compressed_bytes(self) -> int:
        return self._stream.compressed_bytes

    @property
    def damage(self) -> str:
        return "a line is longer than any message" if self._too_long else self._stream.damage

    def batches(self) -> Iterator[RouteBatch]:
        """The routes, in order for each collector. Raises `OSError` where the file cannot be read."""
        rest = b""
        for block in self._stream.blocks():
            *lines, rest = (rest + block).split(b"\n")
            yield from self._decoded(lines)
            if len(rest) > MAX_RIS_MESSAGE_BYTES:
                self._too_long = True
                return
        yield from self._decoded([rest])

    def _decoded(self, lines: list[bytes]) -> Iterator[RouteBatch]:
        messages = [line for line in lines if line.strip()]
        decoded = decode_messages(messages)
        self.messages += len(messages)
        self.malformed += decoded.malformed
        yield from decoded.batches


def is_ris_dump(path: Path) -> bool:
    """Whether a file begins as JSON does. Raises `OSError` where it cannot be read."""
    with path.open("rb") as file:
        head = file.read(_PEEK_BYTES)
    return next(Stream(head, _PEEK_BYTES).blocks(), b"").lstrip().startswith(b"{")
