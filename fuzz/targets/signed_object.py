"""The CMS around every signed object (RFC 6488), BER or DER, as if all signatures were good."""

from __future__ import annotations

from rpkival.objects import oids
from rpkival.objects.cms import parse_signed_object
from rpkival.objects.wrapper import declared_wrapper, usual_wrapper

ROA = oids.ROUTE_ORIGIN_AUTHZ


def fuzz(data: bytes) -> None:
    """One input."""
    usual = usual_wrapper(data, ROA)
    if usual is not None:
        declared = declared_wrapper(data, ROA, strict=True)
        assert usual == declared, "the usual places hold something else than the declaration finds"
    parse_signed_object(data, ROA, check=lambda *_: None)
