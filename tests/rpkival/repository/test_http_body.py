"""Bodies: decoded, bounded, timed."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.errors import FetchError
from rpkival.limits import HTTP_MIN_RATE, HTTP_RATE_SECONDS
from rpkival.repository.http_body import Body, Pace

URI = "https://rrdp.example.net/snapshot.xml"


def feed(body: Body, octets: bytes, step: int = 1000) -> bytes:
    """All of it in steps, to its end."""
    pieces = [piece for start in range(0, len(octets), step) for piece in body.feed(octets[start : start + step])]
    body.end()
    return b"".join(pieces)


@given(st.binary(max_size=5000), st.integers(1, 100), st.booleans())
def test_decodes(content: bytes, step: int, compressed: bool) -> None:
    """What was compressed comes out, however it is cut."""
    body = Body(URI, "gzip" if compressed else "", 10_000)
    assert feed(body, gzip.compress(content) if compressed else content, step) == content
    assert body.decoded == len(content)


def test_large_output_comes_in_pieces() -> None:
    """One octet of gzip never becomes one huge piece of memory."""
    octets = gzip.compress(b"0123456789abcdef" * 60_000)
    assert max(map(len, Body(URI, "gzip", 2_000_000).feed(octets))) <= 256 * 1024


def test_cve_2021_43174_gzip_bomb() -> None:
    """By its ratio, long before its size."""
    with pytest.raises(FetchError, match="gzip bomb"):
        feed(Body(URI, "gzip", 1 << 30), gzip.compress(bytes(20_000_000)))


@pytest.mark.parametrize("step", [100, 20_000, 100_000])
def test_a_bomb_is_one_in_pieces_of_any_size(step: int) -> None:
    """What has come and is not decoded yet does not hide it, so it is called the same on any network."""
    octets = gzip.compress(bytes(60_000_000))
    with pytest.raises(FetchError, match="gzip bomb"):
        feed(Body(URI, "gzip", 4_000_000), octets, step)


@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_too_much(encoding: str) -> None:
    """Decoded or not, the limit holds."""
    content = bytes(range(256)) * 20
    with pytest.raises(FetchError, match="more than 5000 bytes"):
        feed(Body(URI, encoding, 5000), gzip.compress(content) if encoding else content)


@pytest.mark.parametrize(
    ("octets", "told"),
    [
        (b"<notification/>", "no gzip data"),
        (gzip.compress(b"abc", mtime=0)[:-9], "middle"),
        (gzip.compress(b"abc", mtime=0) + b"more", "after the end"),
        (b"", "middle"),
    ],
)
def test_broken_gzip(octets: bytes, told: str) -> None:
    """Each with its sentence."""
    with pytest.raises(FetchError, match=told):
        feed(Body(URI, "gzip", 5000), octets)


def test_other_encodings() -> None:
    """Nobody asked for them."""
    with pytest.raises(FetchError, match="encoding 'br'"):
        Body(URI, "br", 5000)


def test_cve_2021_43173_drip() -> None:
    """A stream that is too slow over a window is held for a drip; a pause within one is not."""
    pace = Pace(URI, 100.0)
    pace.note(1, 100.0 + HTTP_RATE_SECONDS / 2)
    pace.note(int(HTTP_MIN_RATE * HTTP_RATE_SECONDS), 100.0 + HTTP_RATE_SECONDS)
    with pytest.raises(FetchError, match="bytes a second"):
        pace.note(1, 100.0 + 2 * HTTP_RATE_SECONDS)
