"""Signed checklists (RFC 9323), as if all signatures were good."""

from __future__ import annotations

from rpkival.objects.checklist import parse_checklist


def fuzz(data: bytes) -> None:
    """One input."""
    parse_checklist(data, check=lambda *_: None)
