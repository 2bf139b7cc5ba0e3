"""Recorded RIS Live messages."""

from __future__ import annotations

import bz2
import gzip
from pathlib import Path

import pytest

from feeds import ris_dump
from feeds.ris_dump import RisDump, is_ris_dump

MESSAGE = (
    b'{"type":"ris_message","data":{"timestamp":1.5,"peer":"192.0.2.9","peer_asn":"64500","host":"rrc00",'
    b'"type":"UPDATE","path":[64500,64496],"announcements":[{"next_hop":"192.0.2.9","prefixes":["198.51.100.0/24"]}]}}'
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is."""
    return tmp_path / "messages"


def routes(dump: RisDump) -> int:
    """How many routes are in it."""
    return sum(len(batch) for batch in dump.batches())


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress], ids=["plain", "gzip", "bzip2"])
def test_plain_and_compressed(path: Path, pack: type[bytes]) -> None:
    """By what it is, not by its name; with or without a last line end; empty lines are nothing."""
    path.write_bytes(pack(MESSAGE + b"\n\n" + MESSAGE))

    dump = RisDump(path)

    assert is_ris_dump(path)
    assert routes(dump) == 2
    assert (dump.messages, dump.malformed, dump.damage) == (2, 0, "")


def test_real_messages(shared_data: Path) -> None:
    """A thousand messages of 2019, all understood."""
    dump = RisDump(shared_data / "live" / "rislive" / "1k-msgs")

    assert routes(dump) == 3181
    assert (dump.messages, dump.malformed) == (1000, 0)


def test_blocks_do_not_tear_lines(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that goes over the end of a block is one message."""
    monkeypatch.setattr(ris_dump, "_BLOCK_BYTES", 100)
    path.write_bytes((MESSAGE + b"\n") * 50)

    assert routes(RisDump(path)) == 50


def test_what_is_not_understood_is_counted(path: Path) -> None:
    """And nothing else is lost."""
    path.write_bytes(b"{torn\n" + MESSAGE + b"\nnonsense\n")
    dump = RisDump(path)

    assert routes(dump) == 1
    assert (dump.messages, dump.malformed) == (3, 2)


def test_a_torn_archive(path: Path) -> None:
    """What could be read is there; the damage is told."""
    path.write_bytes(gzip.compress(MESSAGE + b"\n")[:-8])
    dump = RisDump(path)

    assert routes(dump) == 1
    assert "ends too early" in dump.damage


def test_a_line_without_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No line may take more memory than a message can need."""
    monkeypatch.setattr(ris_dump, "_BLOCK_BYTES", 1000)
    monkeypatch.setattr(ris_dump, "MAX_RIS_MESSAGE_BYTES", 5000)
    path.write_bytes(MESSAGE + b"\n" + b"{" * 100_000)
    dump = RisDump(path)

    assert routes(dump) == 1
    assert "longer than any message" in dump.damage


def test_other_files_are_none(path: Path) -> None:
    """MRT begins with a time."""
    path.write_bytes(b"\x56\x29\x00\x01")
    assert not is_ris_dump(path)
    path.write_bytes(b"")
    assert not is_ris_dump(path)
