"""SLURM files on disk."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rpkival.errors import LimitError, UsageError
from rpkival.payload.exceptions.files import FileWatch, load_exceptions

Slurm = Callable[..., bytes]


def test_files_are_read(tmp_path: Path, slurm: Slurm) -> None:
    """Each by its name."""
    (tmp_path / "a").write_bytes(slurm(prefixFilters=[{"asn": 1}]))
    (tmp_path / "b").write_bytes(slurm(1))

    exceptions = load_exceptions([tmp_path / "a", tmp_path / "b"])
    assert [(file.name, file.version, file.filters) for file in exceptions.files] == [
        (str(tmp_path / "a"), 2, 1),
        (str(tmp_path / "b"), 1, 0),
    ]


def test_what_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing, a directory, or longer than any SLURM file."""
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(UsageError, match="cannot be read"):
            load_exceptions([path])
    monkeypatch.setattr("rpkival.payload.exceptions.files.MAX_SLURM_FILE_BYTES", 9)
    (tmp_path / "long").write_bytes(b"x" * 10)
    with pytest.raises(LimitError, match="longer than 9 bytes"):
        load_exceptions([tmp_path / "long"])


def test_a_change_is_told_once_it_stands_still(tmp_path: Path) -> None:
    """While a file grows it is let alone; a removed one is a change too, and so is one that comes back."""
    path = tmp_path / "slurm.json"
    path.write_text("a")
    watch = FileWatch([path])
    assert not watch.look()

    path.write_text("ab")
    assert not watch.look()
    path.write_text("abc")
    assert [watch.look() for _ in range(3)] == [False, True, False]
    path.unlink()
    assert [watch.look() for _ in range(3)] == [False, True, False]
    path.write_text("abc")
    os.utime(path, (1, 1))
    assert [watch.look() for _ in range(3)] == [False, True, False]
