"""Whole files: compression, blocks, damage."""

from __future__ import annotations

import bz2
import gzip
import io
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.mrt import MrtReader, read_mrt
from rpkival.errors import FormatError
from rpkival.limits import MAX_MRT_RECORD_BYTES


@pytest.fixture(scope="module")
def three(encode):
    """Three records of one announcement each."""
    return [encode.announcement([64496 + i], f"192.0.{i}.0/24") for i in range(3)]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress], ids=["plain", "gzip", "bzip2"])
@pytest.mark.parametrize("block_bytes", [16, 100, 1 << 20])
def test_compression_is_told_by_content(three, routes, tmp_path, pack, block_bytes):
    """Paths, streams and bytes; and blocks smaller than a record, so that every record straddles some."""
    data = b"".join(three)
    packed = pack(data)
    path = tmp_path / "misleading.txt"
    path.write_bytes(packed)
    expected = routes(read_mrt(data))
    assert len(expected) == 3
    for source in (packed, path, io.BytesIO(packed)):
        reader = MrtReader(source, block_bytes=block_bytes)
        assert routes(reader.batches()) == expected
        assert not reader.stats.truncated
        assert (reader.stats.compressed_bytes, reader.stats.octets) == (len(packed), len(data))


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress], ids=["gzip", "bzip2"])
def test_members_in_a_row(three, routes, pack):
    """Collectors append compressed pieces, and tapes pad with zeros."""
    reader = MrtReader(b"".join(pack(record) for record in three) + bytes(512))
    assert len(routes(reader.batches())) == 3
    assert not reader.stats.truncated


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress], ids=["gzip", "bzip2"])
def test_damaged_compression(three, routes, pack):
    """What was packed before the damage is read, and the damage is told."""
    whole = pack(b"".join(three))
    for bad in (whole + pack(three[0])[:-9], whole + b"garbage"):
        reader = MrtReader(bad)
        assert len(routes(reader.batches())) >= 3
        assert "compressed data" in reader.stats.damage
    flipped = bytearray(whole + pack(three[0]))
    flipped[-6] ^= 0xFF
    reader = MrtReader(bytes(flipped))
    assert len(routes(reader.batches())) >= 3
    assert reader.stats.truncated


@given(st.data())
def test_a_torn_file_gives_what_is_whole(three, routes, data):
    """Wherever a file is torn, the records before the tear come out, and a tear within a record is told."""
    whole = b"".join(three)
    ends = [0, len(three[0]), len(three[0] + three[1]), len(whole)]
    at = data.draw(st.integers(ends[1], len(whole)))
    reader = MrtReader(whole[:at])
    assert len(routes(reader.batches())) == sum(end <= at for end in ends[1:])
    assert reader.stats.truncated == (at not in ends)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"),
        (b"\0\0\0", "is not an MRT file, or was cut off"),
        (b"ASN,IP Prefix,Max Length\n" * 9, "not an MRT file; its first record"),
        (b'{"roas": []}' * 9, "not an MRT file; its first record"),
        (gzip.compress(b"hello, hello, hello"), "not an MRT file; its first record"),
        (gzip.compress(b"hello, hello, hello")[:12], "cannot be read: its compressed data ends too early"),
        (b"\x1f\x8b\x08\x00" + b"garbage" * 9, "cannot be read: its compressed data is damaged"),
    ],
    ids=["empty", "three bytes", "csv", "json", "gzip of text", "torn gzip", "gzip in name only"],
)
def test_what_is_not_mrt_is_refused(data, sentence):
    """One sentence that names the file."""
    with pytest.raises(FormatError, match=sentence) as caught:
        list(MrtReader(data, name="table.mrt").batches())
    assert str(caught.value).startswith("table.mrt ")


def test_lost_framing_ends_the_reading(three, routes):
    """Behind a header that MRT does not have, reading on would be guessing."""
    reader = MrtReader(three[0] + b"\0\0\0\0\x7e\x7e" + bytes(90) + three[1])
    assert len(routes(reader.batches())) == 1
    assert reader.stats.damage == f"what follows its first {len(three[0])} bytes is not an MRT record"


def test_a_record_beyond_the_limit(three, routes):
    """A length that no record has is not waited for."""
    huge = three[1][:8] + (MAX_MRT_RECORD_BYTES + 1).to_bytes(4, "big")
    reader = MrtReader(three[0] + huge + bytes(1000))
    assert len(routes(reader.batches())) == 1
    assert "is not an MRT record" in reader.stats.damage


def test_a_bomb_stays_within_its_block(encode):
    """A hundred megabytes of nothing, in 100 kB, pass a block at a time."""
    record = encode.record(16, 0, bytes(1 << 20))
    reader = MrtReader(gzip.compress(record * 100), block_bytes=1 << 20)
    assert list(reader.batches()) == []
    assert reader.stats.octets == 100 * len(record)


REAL_FILES = [
    "updates.20160811.1600.gz",
    "updates.20071015.1505.gz",
    "bview.20020722.2337.gz",
    "bview.ipv6_unicast_add_path.gz",
    "bview.64k_stream_overflow.gz",
    "mrtparse-samples/bird-mrtdump_bgp",
    "mrtparse-samples/openbgpd_rib_table-v2",
    "bgpkit/rrc00_updates.20000102.2014.gz",
]


@pytest.mark.parametrize("name", REAL_FILES)
def test_noise_in_real_files(shared_data, name):
    """Whatever bytes are changed or lost, reading ends, and nothing but our own error comes out."""
    data = (shared_data / "mrt" / name).read_bytes()
    data = (gzip.decompress(data) if name.endswith(".gz") else data)[:200_000]
    rng = random.Random(name)
    for _ in range(25):
        noisy = bytearray(data)
        for _ in range(rng.randint(1, 200)):
            noisy[rng.randrange(len(noisy))] = rng.choice((0, 0xFF, rng.randrange(256)))
        cut = rng.randrange(len(noisy))
        del noisy[cut : cut + rng.choice((0, 0, 1, 7, 1000))]
        try:
            for batch in MrtReader(bytes(noisy)).batches():
                limit = 32 if batch.prefixes.family == 4 else 128
                assert batch.prefixes.length.max() <= limit
                assert not batch.prefixes.host_bits().any()
                assert batch.path.max() < len(batch.paths)
                assert batch.peer.max() < len(batch.peers)
        except FormatError:
            pass
