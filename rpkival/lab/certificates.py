"""Resource certificates and CRLs, field by field as RFC 6487 lists them, with the algorithms of RFC 7935."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from rpkival.lab import der
from rpkival.lab.keys import RouterKey, SigningKey
from rpkival.lab.number_resources import Resources

__all__ = [
    "ADDRESSES_CA",
    "ADDRESSES_EE",
    "ADDRESS_BLOCKS",
    "AS_IDENTIFIERS",
    "AUTHORITY_KEY",
    "KEY_USAGE",
    "CertificateContent",
    "Validity",
    "certificate",
    "revocation_list",
]

_SHA256_WITH_RSA = der.sequence(der.object_identifier("1.2.840.113549.1.1.11"), der.NULL)
_COMMON_NAME = der.object_identifier("2.5.4.3")

ADDRESSES_CA = ("1.3.6.1.5.5.7.48.5", "1.3.6.1.5.5.7.48.10", "1.3.6.1.5.5.7.48.13")
"""id-ad-caRepository and id-ad-rpkiManifest (RFC 6487 section 4.8.8.1), id-ad-rpkiNotify (RFC 8182 section 3.2)."""

ADDRESSES_EE = ("1.3.6.1.5.5.7.48.11",)
"""id-ad-signedObject (RFC 6487 section 4.8.8.2)."""

AUTHORITY_KEY = "2.5.29.35"
KEY_USAGE = "2.5.29.15"
ADDRESS_BLOCKS = "1.3.6.1.5.5.7.1.7"
AS_IDENTIFIERS = "1.3.6.1.5.5.7.1.8"
_USUAL = der.object_identifier("1.3.6.1.5.5.7.14.2"), ADDRESS_BLOCKS, AS_IDENTIFIERS
"""Policy (id-cp-ipAddr-asNumber, RFC 6484 section 1.2) and delegations, which go together."""
_RECONSIDERED = der.object_identifier("1.3.6.1.5.5.7.14.3"), "1.3.6.1.5.5.7.1.28", "1.3.6.1.5.5.7.1.29"
"""The same of RFC 8360 section 4.2."""
_CRITICAL = {"2.5.29.19", KEY_USAGE, "2.5.29.32", *_USUAL[1:], *_RECONSIDERED[1:]}
"""RFC 6487 section 4.8: these and no others are critical."""

_CA_ISSUERS = "1.3.6.1.5.5.7.48.2"
_BGPSEC_ROUTER = "1.3.6.1.5.5.7.3.30"
"""id-kp-bgpsec-router (RFC 8209 section 3.1.3.2)."""


class Validity(NamedTuple):
    """From one moment through another, in unix seconds."""

    not_before: int
    not_after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateContent:
    """What differs from certificate to certificate.

    `subject_info`: the URIs of its subject information access, in the order of `ADDRESSES_CA` or `ADDRESSES_EE`; empty
    for a router (RFC 8209) and for a checklist (RFC 9323), which are not published by the subject.
    `crl_uri` and `issuer_uri` are None in a trust anchor, which vouches for itself (RFC 8630 section 2.3).
    """

    serial: int
    validity: Validity
    subject_key: SigningKey | RouterKey
    resources: Resources
    is_ca: bool
    subject_info: tuple[str, ...]
    crl_uri: str | None
    issuer_uri: str | None
    is_reconsidered: bool = False
    """Whether it is one of RFC 8360."""
    replaced: Mapping[str, bytes] = field(default_factory=dict)
    """Values of extensions, by object identifier, that are not what they should be."""


def certificate(content: CertificateContent, issuer_key: SigningKey) -> bytes:
    """A resource certificate (RFC 6487 section 4), signed."""
    return _signed(
        der.sequence(
            der.explicit(0, der.integer(2)),  # version 3
            der.integer(content.serial),
            _SHA256_WITH_RSA,
            _name(issuer_key),
            der.sequence(der.time(content.validity.not_before), der.time(content.validity.not_after)),
            _name(content.subject_key),
            content.subject_key.public_key_info,
            der.explicit(3, der.sequence(*_extensions(content, issuer_key))),
        ),
        issuer_key,
    )


def revocation_list(key: SigningKey, number: int, current: Validity, revoked: Mapping[int, int]) -> bytes:
    """A CRL (RFC 6487 section 5), signed; `revoked` has for each serial number the moment of its revocation."""
    entries = [der.sequence(der.integer(serial), der.time(when)) for serial, when in sorted(revoked.items())]
    extensions = (_extension(AUTHORITY_KEY, _authority_key(key)), _extension("2.5.29.20", der.integer(number)))
    return _signed(
        der.sequence(
            der.integer(1),  # version 2
            _SHA256_WITH_RSA,
            _name(key),
            der.time(current.not_before),
            der.time(current.not_after),
            *([der.sequence(*entries)] if entries else []),
            der.explicit(0, der.sequence(*extensions)),
        ),
        key,
    )


def _signed(to_be_signed: bytes, key: SigningKey) -> bytes:
    return der.sequence(to_be_signed, _SHA256_WITH_RSA, der.bit_string(key.sign(to_be_signed)))


def _name(key: SigningKey | RouterKey) -> bytes:
    """A name that is as unique as the key (RFC 6487 section 4.5)."""
    return der.sequence(der.set_of(der.sequence(_COMMON_NAME, der.printable_string(key.identifier.hex()))))


def _extensions(content: CertificateContent, issuer_key: SigningKey) -> list[bytes]:
    """RFC 6487 section 4.8, in its order."""
    values: dict[str, bytes] = {}
    if content.is_ca:
        values["2.5.29.19"] = der.sequence(der.boolean(True))
    values["2.5.29.14"] = der.octet_string(content.subject_key.identifier)
    values[AUTHORITY_KEY] = _authority_key(issuer_key)
    # keyCertSign and cRLSign, or digitalSignature alone
    values[KEY_USAGE] = der.named_bits(5, 6) if content.is_ca else der.named_bits(0)
    if content.crl_uri:
        values["2.5.29.31"] = der.sequence(der.sequence(der.explicit(0, der.explicit(0, _uri(content.crl_uri)))))
    if content.issuer_uri:
        values["1.3.6.1.5.5.7.1.1"] = _access((_CA_ISSUERS,), (content.issuer_uri,))
    if isinstance(content.subject_key, RouterKey):
        values["2.5.29.37"] = der.sequence(der.object_identifier(_BGPSEC_ROUTER))
    if content.subject_info:
        methods = ADDRESSES_CA if content.is_ca else ADDRESSES_EE
        values["1.3.6.1.5.5.7.1.11"] = _access(methods, content.subject_info)
    policy, blocks_oid, identifiers_oid = _RECONSIDERED if content.is_reconsidered else _USUAL
    values["2.5.29.32"] = der.sequence(der.sequence(policy))
    if blocks := content.resources.address_blocks():
        values[blocks_oid] = blocks
    if identifiers := content.resources.as_identifiers():
        values[identifiers_oid] = identifiers
    return [_extension(oid, value) for oid, value in {**values, **content.replaced}.items()]


def _extension(oid: str, value: bytes) -> bytes:
    flag = [der.boolean(True)] if oid in _CRITICAL else []
    return der.sequence(der.object_identifier(oid), *flag, der.octet_string(value))


def _authority_key(key: SigningKey) -> bytes:
    return der.sequence(der.implicit(0, der.octet_string(key.identifier)))


def _access(methods: tuple[str, ...], uris: tuple[str, ...]) -> bytes:
    return der.sequence(
        *(der.sequence(der.object_identifier(method), _uri(uri)) for method, uri in zip(methods, uris, strict=False))
    )


def _uri(uri: str) -> bytes:
    """uniformResourceIdentifier of GeneralName."""
    return der.implicit(6, der.ia5_string(uri))
