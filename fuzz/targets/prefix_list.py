"""Signed prefix lists (draft-ietf-sidrops-rpki-prefixlist), as if all signatures were good."""

from __future__ import annotations

from rpkival.objects.prefix_list import parse_prefix_list


def fuzz(data: bytes) -> None:
    """One input."""
    parse_prefix_list(data, check=lambda *_: None)
