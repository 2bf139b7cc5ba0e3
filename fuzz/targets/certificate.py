"""Certificates (RFC 6487) in each of their roles; the issuer's signature is checked elsewhere."""

from __future__ import annotations

import contextlib

from rpkival.errors import RpkivalError
from rpkival.objects.certificate import Role, declared_certificate, is_router_certificate, parse_certificate
from rpkival.objects.usual_certificate import usual_certificate


def fuzz(data: bytes) -> None:
    """One input."""
    usual = usual_certificate(data)
    if usual is not None:
        assert usual == declared_certificate(data), "the usual places hold something else than the declaration finds"
    is_router_certificate(data)
    for role in (Role.TRUST_ANCHOR, Role.END_ENTITY, Role.ROUTER):
        with contextlib.suppress(RpkivalError):
            parse_certificate(data, role)
    parse_certificate(data, Role.CA)
