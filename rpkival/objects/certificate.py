"""Resource certificates (RFC 6487): what they say, and that they say it as the profile wants.

Nothing here trusts anything: signatures by the issuer, times and resources are judged in `rpkival.validation`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final

from rpkival.errors import LimitError, ObjectError
from rpkival.limits import MAX_CERTIFICATE_BYTES
from rpkival.objects import extensions as ext
from rpkival.objects import oids
from rpkival.objects.asn1 import pkix
from rpkival.objects.asn1.der import decode, header, parts_of
from rpkival.objects.bounds import check_number, check_size
from rpkival.objects.keys import check_key, check_router_key, key_identifier, router_key_identifier
from rpkival.objects.names import check_name
from rpkival.objects.resources import ResourceClaims, parse_as_identifiers, parse_ip_blocks
from rpkival.objects.times import seconds
from rpkival.objects.usual_certificate import CertificateParts, usual_certificate

__all__ = [
    "Certificate",
    "Role",
    "check_algorithm",
    "declared_certificate",
    "is_router_certificate",
    "parse_certificate",
]

_SECTION = "RFC 6487 section 4"
_VERSION_3: Final = 2
_SHA256_WITH_RSA: Final = bytes.fromhex("300d06092a864886f70d01010b0500")
"""The only AlgorithmIdentifier of RFC 7935 section 2: sha256WithRSAEncryption, NULL parameters."""


class Role(Enum):
    """What a certificate is for; the profile differs."""

    TRUST_ANCHOR = "trust anchor"
    CA = "CA certificate"
    END_ENTITY = "end-entity certificate"
    DETACHED = "end-entity certificate of a checklist"
    ROUTER = "router certificate"


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate. Times are unix seconds; names and `key_info` are DER; URIs are "" where the role has none."""

    role: Role
    serial: int
    issuer: bytes
    subject: bytes
    not_before: int
    not_after: int
    key_info: bytes
    subject_key_id: bytes
    authority_key_id: bytes
    resources: ResourceClaims
    crl_uris: tuple[str, ...]
    issuer_uri: str
    locations: ext.SubjectLocations
    signed: bytes
    """The TBSCertificate, which the issuer's signature is over."""
    signature: bytes
    reconsidered: bool = False
    """Whether it is of RFC 8360: of what it claims, it has what its issuer has."""


def parse_certificate(data: bytes, role: Role) -> Certificate:
    """A certificate, judged as far as it can be alone. Raises `ObjectError`, `LimitError`."""
    check_size(data, MAX_CERTIFICATE_BYTES, "certificate")
    parts = usual_certificate(data) or declared_certificate(data)
    _check_issuer(parts.issuer)
    check_name(parts.subject, "RFC 6487 section 4.5", "subject")
    if parts.not_before > parts.not_after:
        raise ObjectError("RFC 6487 section 4.6", "The certificate's validity ends before it starts.")
    key_id = _key_id(parts.key_info, role)
    extensions = parts.extensions
    subject_key_id = ext.subject_key_identifier(ext.required(extensions, oids.SUBJECT_KEY_IDENTIFIER))
    if subject_key_id != key_id:
        raise ObjectError("RFC 6487 section 4.8.2", "The subject key identifier is not the SHA-1 of the key.")
    if role is Role.TRUST_ANCHOR:
        same_name = parts.issuer == parts.subject
        authority_key_id = _trust_anchor_authority(extensions, subject_key_id, same_name=same_name)
        crl_uris: tuple[str, ...] = ()
        issuer_uri = ""
    else:
        authority_key_id = ext.authority_key_identifier(ext.required(extensions, oids.AUTHORITY_KEY_IDENTIFIER))
        crl_uris = ext.crl_uris(ext.required(extensions, oids.CRL_DISTRIBUTION_POINTS))
        issuer_uri = ext.ca_issuers(ext.required(extensions, oids.AUTHORITY_INFO_ACCESS))
    reconsidered = ext.check_certificate_policies(ext.required(extensions, oids.CERTIFICATE_POLICIES))
    locations = _locations(extensions, role)
    return Certificate(
        role,
        parts.serial,
        parts.issuer,
        parts.subject,
        parts.not_before,
        parts.not_after,
        parts.key_info,
        subject_key_id,
        authority_key_id,
        _resources(extensions, role, reconsidered=reconsidered),
        crl_uris,
        issuer_uri,
        locations,
        parts.signed,
        parts.signature,
        reconsidered,
    )


def declared_certificate(data: bytes) -> CertificateParts:
    """The parts of a certificate of any form that it can have. Raises `ObjectError`, `LimitError`."""
    outer = _decode(data)
    inner = outer.tbs_certificate
    _check_fields(inner)
    signed, algorithm, _ = parts_of(data, _SECTION, "certificate")
    _, _, inner_algorithm, issuer, _, subject, key_info, *_ = parts_of(signed, _SECTION, "certificate")
    check_algorithm(inner_algorithm, "RFC 6487 section 4.3", "inside the certificate")
    check_algorithm(algorithm, "RFC 6487 section 4.3", "of the certificate")
    return CertificateParts(
        signed,
        inner.serial_number,
        issuer,
        seconds(inner.validity.not_before, "RFC 5280 section 4.1.2.5", "notBefore"),
        seconds(inner.validity.not_after, "RFC 5280 section 4.1.2.5", "notAfter"),
        subject,
        key_info,
        ext.collect_extensions(inner.extensions),
        outer.signature.as_bytes(),
    )


def is_router_certificate(data: bytes) -> bool:
    """Whether this looks like a BGPsec router certificate (RFC 8209): no CA, and its extended key usage says so."""
    try:
        extensions = {each.extn_id: each.extn_value for each in _decode(data).tbs_certificate.extensions or ()}
        return _is_for_routers(extensions) and oids.BASIC_CONSTRAINTS not in extensions
    except (ObjectError, LimitError):
        return False


def _is_for_routers(extensions: ext.Extensions) -> bool:
    usages = extensions.get(oids.EXTENDED_KEY_USAGE, b"")
    decoded = decode(pkix.KeyPurposes, header(0x30, len(usages)) + usages, "RFC 8209 section 3.1.3.2", "key usage")
    return oids.BGPSEC_ROUTER in decoded.purposes


def check_algorithm(algorithm: bytes, section: str, where: str) -> None:
    """Raise `ObjectError` unless this AlgorithmIdentifier, in DER, is sha256WithRSAEncryption."""
    if algorithm != _SHA256_WITH_RSA:
        raise ObjectError(section, f"The signature algorithm {where} is not sha256WithRSAEncryption.")


def _decode(data: bytes) -> pkix.Certificate:
    check_size(data, MAX_CERTIFICATE_BYTES, "certificate")
    return decode(pkix.Certificate, data, _SECTION, "certificate")


def _check_fields(inner: pkix.TBSCertificate) -> None:
    if inner.version != _VERSION_3:
        raise ObjectError("RFC 6487 section 4.1", "The certificate's version is not 3.")
    check_number(inner.serial_number, 1, "RFC 6487 section 4.2", "serial number")
    if inner.issuer_unique_id is not None or inner.subject_unique_id is not None:
        raise ObjectError(_SECTION, "The certificate has a unique identifier of its issuer or subject.")


@lru_cache(maxsize=256)
def _check_issuer(name: bytes) -> None:
    """All certificates of an issuer come one after the other: hence the cache."""
    check_name(name, "RFC 6487 section 4.4", "issuer")


def _trust_anchor_authority(extensions: ext.Extensions, subject_key_id: bytes, *, same_name: bool) -> bytes:
    """RFC 6487 section 4.8: a self-signed certificate names no issuer elsewhere."""
    if not same_name:
        raise ObjectError("RFC 8630 section 2.3", "The trust anchor's issuer is not its subject.")
    ext.forbidden(extensions, oids.CRL_DISTRIBUTION_POINTS, "a trust anchor")
    ext.forbidden(extensions, oids.AUTHORITY_INFO_ACCESS, "a trust anchor")
    value = extensions.get(oids.AUTHORITY_KEY_IDENTIFIER)
    if value is not None and ext.authority_key_identifier(value) != subject_key_id:
        raise ObjectError("RFC 6487 section 4.8.3", "The trust anchor's authority key identifier is not its own.")
    return subject_key_id


def _key_id(key_info: bytes, role: Role) -> bytes:
    if role is Role.ROUTER:
        check_router_key(key_info)
        return router_key_identifier(key_info)
    check_key(key_info)
    return key_identifier(key_info)


def _locations(extensions: ext.Extensions, role: Role) -> ext.SubjectLocations:
    if role is Role.ROUTER:
        return _router(extensions)
    ext.forbidden(extensions, oids.EXTENDED_KEY_USAGE, "the certificate of a CA or an end entity")
    if role is Role.DETACHED:
        return _detached(extensions)
    return _end_entity(extensions) if role is Role.END_ENTITY else _authority(extensions)


def _router(extensions: ext.Extensions) -> ext.SubjectLocations:
    """RFC 8209 section 3.1.3: it may sign announcements, publishes nothing, and has AS numbers only."""
    ext.forbidden(extensions, oids.BASIC_CONSTRAINTS, "a router certificate")
    ext.forbidden(extensions, oids.SUBJECT_INFO_ACCESS, "a router certificate")
    ext.forbidden(extensions, oids.IP_ADDR_BLOCKS, "a router certificate")
    ext.forbidden(extensions, oids.IP_ADDR_BLOCKS_V2, "a router certificate")
    ext.check_key_usage(ext.required(extensions, oids.KEY_USAGE), ext.DIGITAL_SIGNATURE)
    if not _is_for_routers(extensions):
        raise ObjectError("RFC 8209 section 3.1.3.2", "The extended key usage is not that of a router certificate.")
    return ext.SubjectLocations()


def _authority(extensions: ext.Extensions) -> ext.SubjectLocations:
    ext.check_basic_constraints(ext.required(extensions, oids.BASIC_CONSTRAINTS))
    ext.check_key_usage(ext.required(extensions, oids.KEY_USAGE), ext.KEY_CERT_SIGN_AND_CRL_SIGN)
    locations = ext.subject_locations(ext.required(extensions, oids.SUBJECT_INFO_ACCESS))
    section = "RFC 6487 section 4.8.8.1"
    if not locations.repository or not locations.manifest:
        raise ObjectError(section, "The CA's subject information access lacks an rsync URI of repository or manifest.")
    if not locations.manifest.startswith(f"{locations.repository.removesuffix('/')}/"):
        raise ObjectError(section, "The CA's manifest is not in its repository.")
    if locations.signed_objects:
        raise ObjectError(section, "The CA's subject information access has the URI of a signed object.")
    return locations


def _end_entity(extensions: ext.Extensions) -> ext.SubjectLocations:
    ext.forbidden(extensions, oids.BASIC_CONSTRAINTS, "an end-entity certificate")
    ext.check_key_usage(ext.required(extensions, oids.KEY_USAGE), ext.DIGITAL_SIGNATURE)
    locations = ext.subject_locations(ext.required(extensions, oids.SUBJECT_INFO_ACCESS))
    section = "RFC 6487 section 4.8.8.2"
    if not locations.signed_objects:
        raise ObjectError(section, "The end entity's subject information access lacks the rsync URI of its object.")
    if locations.repository or locations.manifest:
        raise ObjectError(section, "The end entity's subject information access has URIs that only CAs have.")
    return locations


def _detached(extensions: ext.Extensions) -> ext.SubjectLocations:
    """RFC 9323 section 2: what it signs is in no repository."""
    ext.forbidden(extensions, oids.BASIC_CONSTRAINTS, "an end-entity certificate")
    ext.check_key_usage(ext.required(extensions, oids.KEY_USAGE), ext.DIGITAL_SIGNATURE)
    if oids.SUBJECT_INFO_ACCESS in extensions:
        raise ObjectError("RFC 9323 section 2", "The certificate of a checklist has a subject information access.")
    return ext.SubjectLocations()


_DELEGATIONS: Final = (oids.IP_ADDR_BLOCKS, oids.AUTONOMOUS_SYS_IDS)
_RECONSIDERED_DELEGATIONS: Final = (oids.IP_ADDR_BLOCKS_V2, oids.AUTONOMOUS_SYS_IDS_V2)


def _resources(extensions: ext.Extensions, role: Role, *, reconsidered: bool) -> ResourceClaims:
    wanted, others = _DELEGATIONS, _RECONSIDERED_DELEGATIONS
    if reconsidered:
        wanted, others = others, wanted
    if others[0] in extensions or others[1] in extensions:
        sentence = "The delegations are not of the version that the policy asks for."
        raise ObjectError("RFC 8360 section 4.2.4.4", sentence)
    blocks, numbers = extensions.get(wanted[0]), extensions.get(wanted[1])
    if blocks is None and numbers is None:
        raise ObjectError("RFC 6487 section 4.8.10", "The certificate has neither IP addresses nor AS numbers.")
    ipv4, ipv6 = (None, None) if blocks is None else parse_ip_blocks(blocks)
    claims = ResourceClaims(ipv4, ipv6, None if numbers is None else parse_as_identifiers(numbers))
    if role is Role.ROUTER and not isinstance(claims.asn, tuple):
        raise ObjectError("RFC 8209 section 3.1.3.5", "The router certificate inherits its AS numbers.")
    if role is Role.TRUST_ANCHOR and claims.inherits:
        raise ObjectError("RFC 8630 section 2.3", "The trust anchor inherits resources, but has no issuer.")
    return claims
