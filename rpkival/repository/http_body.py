"""The body of an HTTP answer as it comes: decoded piece by piece, counted and timed, in constant memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from rpkival.errors import FetchError
from rpkival.limits import HTTP_MIN_RATE, HTTP_RATE_SECONDS, HTTP_RATIO_FREE_BYTES, MAX_HTTP_RATIO

__all__ = ["Body", "Pace"]

_PIECE_BYTES = 256 * 1024


class Body:
    """Decodes `gzip` or nothing; `limit` holds for the octets on the wire and for the decoded ones.

    Raises `FetchError` naming `uri`: for what is too much, for a bomb (CVE-2021-43174), for what is no gzip.
    """

    def __init__(self, uri: str, encoding: str, limit: int) -> None:
        coding = encoding.strip().lower()
        if coding not in {"", "identity", "gzip", "x-gzip"}:
            raise FetchError(f"{uri} came in the encoding {encoding[:40]!r}, which was not asked for.")
        self._uri = uri
        self._limit = limit
        self._gzip = zlib.decompressobj(wbits=31) if coding.endswith("gzip") else None
        self.received = 0
        self.decoded = 0

    def feed(self, octets: bytes) -> Iterator[bytes]:
        """The decoded pieces that these octets of the wire complete, none larger than 256 kB or than the input."""
        self.received += len(octets)
        self._check(self.received)
        if self._gzip is None:
            self.decoded += len(octets)
            yield octets
            return
        while octets:
            if self._gzip.eof:
                raise FetchError(f"{self._uri} goes on after the end of its gzip data.")
            try:
                piece = self._gzip.decompress(octets, _PIECE_BYTES)
            except zlib.error as error:
                raise FetchError(f"{self._uri} is no gzip data, though its server says so.") from error
            octets = self._gzip.unconsumed_tail or self._gzip.unused_data
            self.decoded += len(piece)
            self._check(self.decoded)
            # Not against all that has come: how much of that is still to be decoded is a matter of the network.
            if self.decoded > HTTP_RATIO_FREE_BYTES and self.decoded > (self.received - len(octets)) * MAX_HTTP_RATIO:
                raise FetchError(f"{self._uri} is a gzip bomb: it grows by more than {MAX_HTTP_RATIO} times.")
            yield piece

    def end(self) -> None:
        """Check that the data were complete."""
        if self._gzip is not None and not self._gzip.eof:
            raise FetchError(f"{self._uri} ended in the middle of its gzip data.")

    def _check(self, octets: int) -> None:
        if octets > self._limit:
            raise FetchError(f"{self._uri} has more than {self._limit} bytes, which are all that such a file may have.")


class Pace:
    """Whether a body comes fast enough; times are seconds of one clock."""

    def __init__(self, uri: str, now: float) -> None:
        self._uri = uri
        self._since = now
        self._octets = 0

    def note(self, octets: int, now: float) -> None:
        """So many more came. Raises `FetchError` after a window with too few."""
        self._octets += octets
        seconds = now - self._since
        if seconds < HTTP_RATE_SECONDS:
            return
        if self._octets < HTTP_MIN_RATE * seconds:
            raise FetchError(
                f"{self._uri} came at {self._octets / seconds:.0f} bytes a second; below {HTTP_MIN_RATE:g} we give up."
            )
        self._since, self._octets = now, 0
