"""Real signed objects, one of each kind, and many; and objects that were changed on their way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

Both = Callable[[bytes], tuple[object, object]]
"""What is read at its usual place, and what the declaration finds; None where there is nothing."""


@pytest.fixture(scope="session")
def real_objects(unpacked: Callable[[str], Path]) -> Callable[[str], list[bytes]]:
    """`real_objects("roa")`: all objects of that extension in a real registry's tree, in a fixed order."""
    root = unpacked("twnic.tar.xz") / "rsync" / "rpkica.twnic.tw"

    def load(extension: str) -> list[bytes]:
        return [path.read_bytes() for path in sorted(root.rglob(f"*.{extension}"))]

    return load


@pytest.fixture(scope="session")
def octet_changes() -> Callable[[bytes], Iterator[tuple[int, bytes]]]:
    """`octet_changes(data)`: each octet is changed in three ways; gives its place and the whole."""

    def change(data: bytes) -> Iterator[tuple[int, bytes]]:
        for place in range(len(data)):
            for flip in (0x01, 0x80, 0xFF):
                changed = bytearray(data)
                changed[place] ^= flip
                yield place, bytes(changed)

    return change


@pytest.fixture(scope="session")
def read_alike() -> Callable[[Both, Iterable[bytes]], tuple[int, int]]:
    """`read_alike(both, objects)`: what is read at its usual place is always what the declaration finds.

    Gives how many were read there, and how many were found by the declaration alone.
    """

    def compare(both: Both, objects: Iterable[bytes]) -> tuple[int, int]:
        read = left = 0
        for data in objects:
            usual, declared = both(data)
            assert usual is None or usual == declared
            read += usual is not None
            left += usual is None and declared is not None
        return read, left

    return compare
