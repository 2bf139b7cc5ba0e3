"""The CMS around every signed object (RFC 6488), BER or DER, as if all signatures were good."""

from __future__ import annotations

from rpkival.objects import oids
from rpkival.objects.cms import parse_signed_object


def fuzz(data: bytes) -> None:
    """One input."""
    parse_signed_object(data, oids.ROUTE_ORIGIN_AUTHZ, check=lambda *_: None)
