"""Real signed objects, one of each kind, and many."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_objects(unpacked: Callable[[str], Path]) -> Callable[[str], list[bytes]]:
    """`real_objects("roa")`: all objects of that extension in a real registry's tree, in a fixed order."""
    root = unpacked("twnic.tar.xz") / "rsync" / "rpkica.twnic.tw"

    def load(extension: str) -> list[bytes]:
        return [path.read_bytes() for path in sorted(root.rglob(f"*.{extension}"))]

    return load
