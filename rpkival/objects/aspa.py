"""Autonomous system provider authorizations (draft-ietf-sidrops-aspa-profile-26): who a customer AS's providers are."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from rpkival.errors import LimitError, ObjectError
from rpkival.limits import MAX_ASN, MAX_ASPA_BYTES, MAX_ASPA_PROVIDERS
from rpkival.objects import oids
from rpkival.objects.asn1 import aspa as asn1
from rpkival.objects.asn1.der import decode
from rpkival.objects.bounds import check_size, shown
from rpkival.objects.certificate import Certificate
from rpkival.objects.cms import parse_signed_object
from rpkival.objects.resources import first_outside
from rpkival.objects.signatures import CheckSignature, check_signature

__all__ = ["AspaContent", "AspaObject", "parse_aspa", "parse_aspa_content"]

_PROFILE: Final = "draft-ietf-sidrops-aspa-profile section"
_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class AspaContent:
    """The eContent; `providers` ascending and unique."""

    customer: int
    providers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AspaObject:
    """One ASPA with the certificate that signed it."""

    certificate: Certificate
    signing_time: int | None
    content: AspaContent


def parse_aspa(
    data: bytes, *, require_signing_time: bool = True, check: CheckSignature = check_signature, strict: bool = False
) -> AspaObject:
    """An ASPA, judged as far as it can be alone. Raises `ObjectError`, `LimitError`."""
    check_size(data, MAX_ASPA_BYTES, "ASPA")
    signed = parse_signed_object(data, oids.ASPA, require_signing_time=require_signing_time, check=check, strict=strict)
    content = parse_aspa_content(signed.content)
    resources = signed.certificate.resources
    section = f"{_PROFILE} 4"
    if resources.ipv4 is not None or resources.ipv6 is not None:
        raise ObjectError(section, "The ASPA's certificate has IP addresses.")
    if not isinstance(resources.asn, tuple):
        raise ObjectError(section, "The ASPA's certificate inherits its AS numbers.")
    if first_outside(resources.asn, ((content.customer, content.customer),)) is not None:
        raise ObjectError(section, f"The ASPA's customer AS{content.customer} is not in its certificate.")
    return AspaObject(signed.certificate, signed.signing_time, content)


def parse_aspa_content(data: bytes) -> AspaContent:
    """The eContent of an ASPA. Raises `ObjectError`, `LimitError`."""
    decoded = decode(asn1.ASProviderAttestation, data, f"{_PROFILE} 3", "ASPA's content")
    if decoded.version != _VERSION:
        raise ObjectError(f"{_PROFILE} 3.1", f"The ASPA has version {shown(decoded.version)} instead of 1.")
    customer, providers = decoded.customer_asid, decoded.providers
    if not 0 < customer <= MAX_ASN:
        raise ObjectError(f"{_PROFILE} 3.2", f"{shown(customer)} is not the AS number of a customer.")
    section = f"{_PROFILE} 3.3"
    if not providers:
        raise ObjectError(section, "The ASPA has no provider.")
    if len(providers) > MAX_ASPA_PROVIDERS:
        raise LimitError(f"The ASPA has {len(providers)} providers; {MAX_ASPA_PROVIDERS} are allowed.")
    if providers[0] < 0 or providers[-1] > MAX_ASN:
        raise ObjectError(section, f"AS numbers lie between 0 and {MAX_ASN}, and not all of the ASPA's providers do.")
    if any(one >= next_one for one, next_one in pairwise(providers)):
        raise ObjectError(section, "The ASPA's providers are not in ascending order, each once.")
    if customer in providers:
        raise ObjectError(section, "The ASPA names the customer as its own provider.")
    if providers[0] == 0 and len(providers) > 1:
        raise ObjectError(section, "The ASPA has AS0, which says that there is no provider, and others.")
    return AspaContent(customer, tuple(providers))
