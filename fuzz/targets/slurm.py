"""SLURM files of both versions (RFC 8416, draft-ietf-sidrops-aspa-slurm), up to the rules that they become."""

from __future__ import annotations

from rpkival.payload.exceptions.compiling import compile_exceptions


def fuzz(data: bytes) -> None:
    """One input."""
    compile_exceptions([("fuzz", data)])
