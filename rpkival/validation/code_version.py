"""Which code judged: what another makes of the same objects may be something else."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path

import cryptography

import rpkival

__all__ = ["code_version"]

_JUDGES = ("errors.py", "limits.py", "resources.py", "runs.py", "objects", "validation")


@cache
def code_version() -> bytes:
    """A digest of all that has a say in what an object comes to; 3 ms, and nobody can forget to raise a number."""
    digest = sha256(f"{rpkival.__version__} {cryptography.__version__}".encode())
    root = Path(rpkival.__file__).parent
    for path in sorted(path for name in _JUDGES for path in (root / name, *(root / name).rglob("*.py"))):
        if path.is_file():
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.digest()
