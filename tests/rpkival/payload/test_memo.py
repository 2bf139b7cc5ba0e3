"""Remembered VRP files: used when whole, ignored when not, and never more than a few."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rpkival.payload import memo
from rpkival.payload.formats import Loaded, read_vrps
from rpkival.payload.memo import read_vrps_once

TEXT = b"ASN,IP Prefix,Max Length,Trust Anchor\nAS64496,192.0.2.0/24,24,ripe\nAS0,2001:db8::/32,32,apnic\n"


@pytest.fixture(autouse=True)
def small_files_are_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound on size would make every file of these tests large."""
    monkeypatch.setattr(memo, "WORTH_BYTES", 0)


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The files that were really parsed."""
    calls: list[bytes] = []

    def counting(data: bytes, *, name: str) -> Loaded:
        calls.append(data)
        return read_vrps(data, name=name)

    monkeypatch.setattr(memo, "read_vrps", counting)
    return calls


def test_a_file_is_parsed_once(tmp_path: Path, parsed: list[bytes]) -> None:
    """The second time gives the same without parsing, under any name; another file is another matter."""
    first = read_vrps_once(TEXT, name="a", directory=tmp_path / "new" / "memos")
    again = read_vrps_once(TEXT, name="b", directory=tmp_path / "new" / "memos")
    other = read_vrps_once(TEXT.replace(b"64496", b"64497"), name="a", directory=tmp_path / "new" / "memos")

    assert list(first.vrps) == list(again.vrps) != list(other.vrps)
    assert (again.generated, again.format) == (None, "csv")
    assert len(parsed) == 2


def test_the_time_of_the_data_is_remembered_too(tmp_path: Path, parsed: list[bytes]) -> None:
    """Old data stays old."""
    text = b'{"metadata": {"generated": 1773648000}, "roas": []}'

    times = [read_vrps_once(text, name="a", directory=tmp_path).generated for _ in range(2)]

    assert times == [1773648000, 1773648000]
    assert len(parsed) == 1


def test_a_damaged_memo_is_not_believed(tmp_path: Path, parsed: list[bytes]) -> None:
    """It is parsed again, and the memo is whole again."""
    whole = list(read_vrps_once(TEXT, name="a", directory=tmp_path).vrps)
    (file,) = tmp_path.iterdir()
    good = file.read_bytes()

    for bad in (good[:-1], b"", good[:100] + b"\xff" + good[101:]):
        file.write_bytes(bad)
        assert list(read_vrps_once(TEXT, name="a", directory=tmp_path).vrps) == whole
        assert file.read_bytes() == good
    assert len(parsed) == 4


def test_no_directory_no_memo(parsed: list[bytes]) -> None:
    """None switches it off."""
    read_vrps_once(TEXT, name="a", directory=None)
    read_vrps_once(TEXT, name="a", directory=None)

    assert len(parsed) == 2


def test_a_place_that_cannot_be_written_only_costs_time(tmp_path: Path, parsed: list[bytes]) -> None:
    """A file where the directory should be, as a full or read-only disk, fails no command."""
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")

    for _ in range(2):
        assert len(read_vrps_once(TEXT, name="a", directory=blocked / "memos").vrps) == 2
    assert len(parsed) == 2


def test_only_the_last_used_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parsed: list[bytes]) -> None:
    """The one that was used longest ago goes first."""
    monkeypatch.setattr(memo, "MAX_VRP_MEMOS", 2)
    files = [TEXT.replace(b"64496", str(asn).encode()) for asn in (1, 2, 3)]

    read_vrps_once(files[0], name="a", directory=tmp_path)
    (first,) = tmp_path.iterdir()
    os.utime(first, (1, 1))
    read_vrps_once(files[1], name="a", directory=tmp_path)
    (second,) = set(tmp_path.iterdir()) - {first}
    os.utime(second, (2, 2))
    read_vrps_once(files[0], name="a", directory=tmp_path)
    read_vrps_once(files[2], name="a", directory=tmp_path)

    assert len(list(tmp_path.iterdir())) == 2
    assert first.exists()
    assert not second.exists()
    assert len(parsed) == 3
