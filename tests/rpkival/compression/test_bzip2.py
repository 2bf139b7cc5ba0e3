"""bzip2 on all cores, held against the library's own decompressor."""

from __future__ import annotations

import bz2
import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rpkival.compression import bzip2
from rpkival.compression.bzip2 import bunzip
from rpkival.compression.damage import DamagedError


def pieces(data, size):
    """Data as a file gives it."""
    return iter([data[at : at + size] for at in range(0, len(data), size)])


def undone(data, size=1 << 16, at_most=1 << 20):
    """All that comes out, and what was wrong."""
    parts = []
    try:
        for part in bunzip(pieces(data, size), at_most, workers=2):
            assert 0 < len(part) <= at_most
            parts.append(part)
    except DamagedError as error:
        return b"".join(parts), str(error)
    return b"".join(parts), ""


@pytest.fixture(scope="module")
def text():
    """Two megabytes that compress about as well as MRT files."""
    rng = random.Random(6396)
    words = [rng.randbytes(rng.randint(2, 40)) for _ in range(500)]
    return b"".join(rng.choices(words, k=100_000))


@pytest.mark.parametrize("level", [1, 9])
@pytest.mark.parametrize("size", [50_000, 1 << 20])
def test_many_blocks(text, level, size):
    """Blocks of all sizes, which begin at all bits of a byte."""
    assert undone(bz2.compress(text, level), size) == (text, "")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=300), min_size=1, max_size=8), st.integers(1, 40), st.integers(1, 50))
def test_streams_in_a_row(parts, size, at_most):
    """Also empty ones, in whatever pieces the file is read."""
    assert undone(b"".join(map(bz2.compress, parts)), size, at_most) == (b"".join(parts), "")


def test_a_bomb_comes_in_parts():
    """Forty megabytes in one block of forty bytes are never handed on at once."""
    data = bytes(40_000_000)
    assert undone(bz2.compress(data), at_most=1 << 20) == (data, "")


@pytest.fixture(scope="module")
def packed(text):
    """The same as many small blocks."""
    return bz2.compress(text, 1)


def test_a_torn_file(text, packed):
    """Every whole block before the tear comes out."""
    rng = random.Random(5)
    for _ in range(30):
        at = rng.randrange(4, len(packed) - 11)
        found, why = undone(packed[:at])
        assert why == "its compressed data ends too early"
        assert text.startswith(found), at
        # A block that ends just at the tear may lack the marker behind it.
        expected = len(bz2.BZ2Decompressor().decompress(packed[:at]))
        assert expected - 100_000 <= len(found) <= expected, at


def test_a_changed_bit(text, packed):
    """A changed bit ends the data at a block before it, or does not matter; it never changes what comes out."""
    rng = random.Random(4)
    heads = [bit for marker, _ in bzip2._markers(packed)[:3] for bit in rng.sample(range(marker, marker + 80), 6)]
    for bit in heads + [rng.randrange(32, 8 * len(packed)) for _ in range(30)]:
        changed = bytearray(packed)
        changed[bit // 8] ^= 0x80 >> (bit % 8)
        found, why = undone(bytes(changed))
        assert text.startswith(found), bit
        assert why or found == text, bit


def test_a_marker_within_a_block(text, packed, monkeypatch):
    """If compressed data looks like a marker, the block that was cut in two there is put together again."""
    real = bzip2._markers

    def with_false_one(data):
        markers = real(data)
        return sorted(markers + [((a + b) // 2, bzip2._BLOCK) for (a, _), (b, _) in pairwise(markers[:2])])

    monkeypatch.setattr(bzip2, "_markers", with_false_one)
    assert undone(packed, len(packed)) == (text, "")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"BZh", "ends too early"),
        (b"BZh9" + b"garbage" * 100, "ends too early"),
        (b"BZh9" + b"garbage" + bz2.compress(b"x")[4:], "is damaged"),
        (b"BZh9" + bytes(3_000_000), "is damaged"),
        (bz2.compress(b"x") + b"y", "something else follows"),
    ],
    ids=["head", "garbage", "garbage ahead", "long garbage", "tail"],
)
def test_what_is_wrong_is_told(data, sentence):
    """A clause for the user."""
    assert sentence in undone(data)[1]
    assert undone(bz2.compress(b"x") + bytes(1000)) == (b"x", "")
