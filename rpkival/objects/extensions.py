"""Values of certificate and CRL extensions, each as RFC 6487 section 4.8 allows it and no wider.

DER has one encoding of a value, so the values that nearly all certificates have are compared as bytes; only what
differs is taken apart, to find out whether it is another allowed form and otherwise to say what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from cryptography.hazmat.asn1 import TLV
from cryptography.x509 import ObjectIdentifier

from rpkival.errors import ObjectError
from rpkival.limits import MAX_LOCATIONS_BYTES
from rpkival.objects import oids
from rpkival.objects.asn1 import pkix
from rpkival.objects.asn1.der import content_at, decode, encode, header
from rpkival.objects.bounds import check_size
from rpkival.objects.uris import is_https_uri, is_rsync_uri

__all__ = [
    "Extensions",
    "authority_key_identifier",
    "ca_issuers",
    "check_basic_constraints",
    "check_certificate_policies",
    "check_key_usage",
    "collect_extensions",
    "crl_uris",
    "subject_key_identifier",
    "subject_locations",
]

Extensions = dict[ObjectIdentifier, bytes]

CRITICAL: Final = frozenset(
    {
        oids.BASIC_CONSTRAINTS,
        oids.KEY_USAGE,
        oids.CERTIFICATE_POLICIES,
        oids.IP_ADDR_BLOCKS,
        oids.AUTONOMOUS_SYS_IDS,
        oids.IP_ADDR_BLOCKS_V2,
        oids.AUTONOMOUS_SYS_IDS_V2,
    }
)
"""RFC 6487 section 4.8, RFC 8360 section 4.2.4: these MUST be marked critical, all others of the profile MUST NOT."""

SECTIONS: Final[dict[ObjectIdentifier, str]] = {
    oids.BASIC_CONSTRAINTS: "RFC 6487 section 4.8.1",
    oids.SUBJECT_KEY_IDENTIFIER: "RFC 6487 section 4.8.2",
    oids.AUTHORITY_KEY_IDENTIFIER: "RFC 6487 section 4.8.3",
    oids.KEY_USAGE: "RFC 6487 section 4.8.4",
    oids.EXTENDED_KEY_USAGE: "RFC 6487 section 4.8.5",
    oids.CRL_DISTRIBUTION_POINTS: "RFC 6487 section 4.8.6",
    oids.AUTHORITY_INFO_ACCESS: "RFC 6487 section 4.8.7",
    oids.SUBJECT_INFO_ACCESS: "RFC 6487 section 4.8.8",
    oids.CERTIFICATE_POLICIES: "RFC 6487 section 4.8.9",
    oids.IP_ADDR_BLOCKS: "RFC 6487 section 4.8.10",
    oids.AUTONOMOUS_SYS_IDS: "RFC 6487 section 4.8.11",
    oids.IP_ADDR_BLOCKS_V2: "RFC 8360 section 4.2.4.2",
    oids.AUTONOMOUS_SYS_IDS_V2: "RFC 8360 section 4.2.4.3",
}
"""The extensions of the profile and where it speaks of them."""

KEY_CERT_SIGN_AND_CRL_SIGN: Final = bytes.fromhex("03020106")
DIGITAL_SIGNATURE: Final = bytes.fromhex("03020780")
_IS_CA: Final = bytes.fromhex("30030101ff")
_POLICY: Final = bytes.fromhex("300c300a06082b06010505070e02")
_KEY_ID_START: Final = bytes.fromhex("0414")
_AUTHORITY_KEY_ID_START: Final = bytes.fromhex("30168014")
_RECONSIDERED_POLICY: Final = bytes.fromhex("300c300a06082b06010505070e03")
_URI_TAG: Final = b"\x86"
_SIGNED_OBJECT_START: Final = bytes.fromhex("06082b0601050507300b")
"""The access method of a signed object."""


class SubjectLocations(NamedTuple):
    """The URIs of a subject information access extension, "" where there is none; a signed object may have several."""

    repository: str = ""
    manifest: str = ""
    notify: str = ""
    signed_objects: tuple[str, ...] = ()


def collect_extensions(extensions: list[pkix.Extension] | None) -> Extensions:
    """Values by object identifier. Raises `ObjectError` for a repeated or unknown one, or a wrong criticality."""
    found: Extensions = {}
    for extension in extensions or ():
        oid = extension.extn_id
        if oid not in SECTIONS:
            raise _unknown_extension(oid, critical=extension.critical)
        if oid in found:
            raise ObjectError("RFC 5280 section 4.2", f"The {oids.name(oid)} extension appears twice.")
        if extension.critical != (oid in CRITICAL):
            must = "must be" if oid in CRITICAL else "must not be"
            raise ObjectError(SECTIONS[oid], f"The {oids.name(oid)} extension {must} marked critical.")
        found[oid] = extension.extn_value
    return found


def required(extensions: Extensions, oid: ObjectIdentifier) -> bytes:
    """The value of an extension. Raises `ObjectError` where it is missing."""
    value = extensions.get(oid)
    if value is None:
        raise ObjectError(SECTIONS[oid], f"The {oids.name(oid)} extension is missing.")
    return value


def forbidden(extensions: Extensions, oid: ObjectIdentifier, where: str) -> None:
    """Raise `ObjectError` where an extension is there."""
    if oid in extensions:
        raise ObjectError(SECTIONS[oid], f"The {oids.name(oid)} extension must not be in {where}.")


def check_basic_constraints(value: bytes) -> None:
    """Raise `ObjectError` unless this says "a CA" and gives no path length."""
    if value == _IS_CA:
        return
    section = SECTIONS[oids.BASIC_CONSTRAINTS]
    constraints = decode(pkix.BasicConstraints, value, section, "basic constraints")
    if constraints.path_len_constraint is not None:
        raise ObjectError(section, "The basic constraints have a path length.")
    raise ObjectError(section, "The basic constraints do not say that this is a CA.")


def check_key_usage(value: bytes, wanted: bytes) -> None:
    """Raise `ObjectError` unless the bits are exactly those of a CA, or of an end entity."""
    if value != wanted:
        bits = "keyCertSign and cRLSign" if wanted == KEY_CERT_SIGN_AND_CRL_SIGN else "digitalSignature"
        raise ObjectError(SECTIONS[oids.KEY_USAGE], f"The key usage is not exactly {bits}.")


def check_certificate_policies(value: bytes) -> bool:
    """Whether this is the policy of RFC 8360, else that of RFC 6484.

    Raises `ObjectError` unless it is one of them alone, perhaps with a CPS pointer (RFC 7318).
    """
    if value in (_POLICY, _RECONSIDERED_POLICY):
        return value == _RECONSIDERED_POLICY
    section = SECTIONS[oids.CERTIFICATE_POLICIES]
    decoded = decode(pkix.PolicyInformations, header(0x30, len(value)) + value, section, "certificate policies")
    policy = decoded.policies[0].policy_identifier if len(decoded.policies) == 1 else None
    if policy not in (oids.CP_IP_ADDR_ASN, oids.CP_IP_ADDR_ASN_V2):
        raise ObjectError(section, "The certificate policies are not exactly the RPKI's (id-cp-ipAddr-asNumber).")
    qualifiers = decoded.policies[0].policy_qualifiers or []
    if len(qualifiers) > 1 or any(each.policy_qualifier_id != oids.QUALIFIER_CPS for each in qualifiers):
        raise ObjectError("RFC 7318 section 2", "The certificate policy has a qualifier other than one CPS pointer.")
    return policy == oids.CP_IP_ADDR_ASN_V2


def subject_key_identifier(value: bytes) -> bytes:
    """The 20 octets of the identifier. Raises `ObjectError`."""
    if len(value) != 22 or not value.startswith(_KEY_ID_START):
        section = SECTIONS[oids.SUBJECT_KEY_IDENTIFIER]
        raise ObjectError(section, "The subject key identifier is not 20 octets.")
    return value[2:]


def authority_key_identifier(value: bytes) -> bytes:
    """The 20 octets of the identifier. Raises `ObjectError`."""
    if len(value) == 24 and value.startswith(_AUTHORITY_KEY_ID_START):
        return value[4:]
    section = SECTIONS[oids.AUTHORITY_KEY_IDENTIFIER]
    identifier = decode(pkix.AuthorityKeyIdentifier, value, section, "authority key identifier")
    if identifier.key_identifier is None or len(identifier.key_identifier) != 20:
        raise ObjectError(section, "The authority key identifier does not have a key identifier of 20 octets.")
    raise ObjectError(section, "The authority key identifier names the issuer or its serial number.")


def crl_uris(value: bytes) -> tuple[str, ...]:
    """The rsync URIs of the CRL distribution point, at least one. Raises `ObjectError`, `LimitError`."""
    check_size(value, MAX_LOCATIONS_BYTES, "CRL distribution points extension")
    return _crl_uris(value)


@lru_cache(maxsize=256)
def _crl_uris(value: bytes) -> tuple[str, ...]:
    """All certificates of an issuer name the same CRL, and come one after the other: hence the cache."""
    section = SECTIONS[oids.CRL_DISTRIBUTION_POINTS]
    decoded = decode(pkix.DistributionPoints, header(0x30, len(value)) + value, section, "CRL distribution points")
    if len(decoded.points) != 1:
        raise ObjectError(section, "There is not exactly one CRL distribution point.")
    point = decoded.points[0]
    if point.reasons is not None or point.crl_issuer is not None:
        raise ObjectError(section, "The CRL distribution point has reasons or a CRL issuer.")
    if point.distribution_point is None:
        raise ObjectError(section, "The CRL distribution point has no name.")
    uris = tuple(filter(is_rsync_uri, map(_uri, point.distribution_point.full_name)))
    if not uris:
        raise ObjectError(section, "The CRL distribution point has no rsync URI.")
    return uris


def ca_issuers(value: bytes) -> str:
    """The first rsync URI of the issuer's certificate. Raises `ObjectError`, `LimitError`."""
    check_size(value, MAX_LOCATIONS_BYTES, "authority information access extension")
    return _ca_issuers(value)


@lru_cache(maxsize=256)
def _ca_issuers(value: bytes) -> str:
    """Cached as `_crl_uris` is."""
    section = SECTIONS[oids.AUTHORITY_INFO_ACCESS]
    uris = []
    for description in _descriptions(value, section, "authority information access"):
        if description.access_method != oids.CA_ISSUERS:
            raise ObjectError(section, "The authority information access has a method other than id-ad-caIssuers.")
        uris.append(_uri(description.access_location))
    for uri in uris:
        if is_rsync_uri(uri):
            return uri
    raise ObjectError(section, "The authority information access has no rsync URI.")


def subject_locations(value: bytes) -> SubjectLocations:
    """The usable URIs of a subject information access extension, of most kinds the first.

    Which kinds must and must not be there is for the caller to say: it differs between CAs and end entities. Raises
    `ObjectError`, `LimitError`.
    """
    check_size(value, MAX_LOCATIONS_BYTES, "subject information access extension")
    start = _signed_object_start(len(value))
    if start is not None and value.startswith(start):
        uri = value[len(start) :].decode("ascii", "replace")
        return SubjectLocations(signed_objects=(uri,) if is_rsync_uri(uri) else ())
    found: dict[str, str] = {}
    signed_objects = []
    for kind, uri in _usual_descriptions(value) or _subject_descriptions(value):
        usable = is_https_uri(uri) if kind == "notify" else is_rsync_uri(uri)
        if usable and kind == "signed_objects":
            signed_objects.append(uri)
        elif usable:
            found.setdefault(kind, uri)
    return SubjectLocations(**found, signed_objects=tuple(signed_objects))


def _subject_descriptions(value: bytes) -> Iterator[tuple[str, str]]:
    """Which field of `SubjectLocations` it is for, and the URI, in any form that they can have."""
    section = SECTIONS[oids.SUBJECT_INFO_ACCESS]
    for description in _descriptions(value, section, "subject information access"):
        method = description.access_method
        if method not in _SUBJECT_METHODS:
            raise ObjectError(section, f"The subject information access has the method {method.dotted_string}.")
        yield _SUBJECT_METHODS[method], _uri(description.access_location)


def _usual_descriptions(value: bytes) -> list[tuple[str, str]] | None:
    """The same of the usual form, several times as quickly; None of any other, be it right or wrong.

    That form is DER of known access methods with URIs.
    """
    found = []
    try:
        at, end = content_at(value, 0, 0x30)
        while at < end:
            at, stop = content_at(value, at, 0x30)
            kind = _METHODS_IN_DER[value[at : at + _METHOD_SIZE]]
            start, at = content_at(value, at + _METHOD_SIZE, _URI_TAG[0])
            if at != stop:
                return None
            found.append((kind, value[start:stop].decode("ascii", "replace")))
    except (IndexError, KeyError):
        return None
    return found if at == end == len(value) else None


@lru_cache(maxsize=1024)
def _signed_object_start(size: int) -> bytes | None:
    """How DER starts if it is a subject information access of this size with the URI of one signed object, as nearly
    all are; None where there is none of this size.
    """
    for uri_size in range(max(size - 25, 0), size):
        name = _SIGNED_OBJECT_START + header(_URI_TAG[0], uri_size)
        description = header(0x30, len(name) + uri_size) + name
        start = header(0x30, len(description) + uri_size) + description
        if len(start) + uri_size == size:
            return start
    return None


_SUBJECT_METHODS: Final = {
    oids.CA_REPOSITORY: "repository",
    oids.RPKI_MANIFEST_ACCESS: "manifest",
    oids.RPKI_NOTIFY: "notify",
    oids.SIGNED_OBJECT: "signed_objects",
}
"""Which field of `SubjectLocations` is for the URIs of an access method."""
_METHODS_IN_DER: Final = {encode(method): kind for method, kind in _SUBJECT_METHODS.items()}
_METHOD_SIZE: Final = 10


def _descriptions(value: bytes, section: str, what: str) -> list[pkix.AccessDescription]:
    return decode(pkix.AccessDescriptions, header(0x30, len(value)) + value, section, what).descriptions


def _uri(general_name: TLV) -> str:
    """The text of a GeneralName that is a URI, "" of any other kind."""
    if general_name.tag_bytes != _URI_TAG:
        return ""
    return bytes(general_name.data).decode("ascii", "replace")


def _unknown_extension(oid: ObjectIdentifier, *, critical: bool) -> ObjectError:
    kind = "critical extension" if critical else "extension"
    # "This profile does not permit the use of any other critical or non-critical extensions."
    return ObjectError("RFC 6487 section 8", f"The {kind} {oid.dotted_string} is not part of the profile.")
