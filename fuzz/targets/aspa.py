"""ASPAs (draft-ietf-sidrops-aspa-profile), as if all signatures were good."""

from __future__ import annotations

from rpkival.objects.aspa import parse_aspa


def fuzz(data: bytes) -> None:
    """One input."""
    parse_aspa(data, check=lambda *_: None)
