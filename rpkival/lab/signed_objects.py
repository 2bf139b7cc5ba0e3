"""Signed objects (RFC 6488), and the content of those that all have: manifests (RFC 9286) and ROAs (RFC 9582)."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable, Mapping, Sequence

from rpkival.lab import der
from rpkival.lab.certificates import Validity
from rpkival.lab.keys import SigningKey
from rpkival.lab.number_resources import AFI, address_bits

__all__ = [
    "MANIFEST",
    "ROA",
    "manifest_content",
    "manifest_of_entries",
    "roa_content",
    "signed_attributes",
    "signed_object",
]

MANIFEST = "1.2.840.113549.1.9.16.1.26"
ROA = "1.2.840.113549.1.9.16.1.24"

_SIGNED_DATA = der.object_identifier("1.2.840.113549.1.7.2")
_SHA256 = der.object_identifier("2.16.840.1.101.3.4.2.1")
_RSA = der.sequence(der.object_identifier("1.2.840.113549.1.1.1"), der.NULL)
_CONTENT_TYPE = der.object_identifier("1.2.840.113549.1.9.3")
_MESSAGE_DIGEST = der.object_identifier("1.2.840.113549.1.9.4")
_SIGNING_TIME = der.object_identifier("1.2.840.113549.1.9.5")


def signed_object(
    content_type: str,
    content: bytes,
    certificate: bytes,
    key: SigningKey,
    signed_at: int,
    *,
    encapsulated: bytes | None = None,
    attributes: bytes | None = None,
) -> bytes:
    """CMS SignedData as RFC 6488 section 2.1 restricts it, with the signing time that RFC 9589 demands.

    `certificate` is the end-entity certificate of `key`. `encapsulated` and `attributes` are DER to have in place of
    the eContent with its tag and of the SET of signed attributes; the signature is over the latter.
    """
    kind = der.object_identifier(content_type)
    if encapsulated is None:
        encapsulated = der.explicit(0, der.octet_string(content))
    if attributes is None:
        attributes = der.set_of(*signed_attributes(content_type, content, signed_at))
    signer = der.sequence(
        der.integer(3),
        der.implicit(0, der.octet_string(key.identifier)),
        der.sequence(_SHA256),
        der.implicit(0, attributes),
        _RSA,
        # The signature covers the attributes under their own tag, not the [0] they travel under (RFC 5652 section 5.4).
        der.octet_string(key.sign(attributes)),
    )
    signed_data = der.sequence(
        der.integer(3),
        der.set_of(der.sequence(_SHA256)),
        der.sequence(kind, encapsulated),
        der.implicit(0, der.set_of(certificate)),
        der.set_of(signer),
    )
    return der.sequence(_SIGNED_DATA, der.explicit(0, signed_data))


def signed_attributes(content_type: str, content: bytes, signed_at: int) -> tuple[bytes, ...]:
    """The attributes of a signed object, each as DER (RFC 6488 section 2.1.6.4, RFC 9589)."""
    digest = der.octet_string(hashlib.sha256(content).digest())
    return (
        der.sequence(_CONTENT_TYPE, der.set_of(der.object_identifier(content_type))),
        der.sequence(_MESSAGE_DIGEST, der.set_of(digest)),
        der.sequence(_SIGNING_TIME, der.set_of(der.time(signed_at))),
    )


def roa_content(asn: int, prefixes: Sequence[tuple[str, int]]) -> bytes:
    """RouteOriginAttestation (RFC 9582 section 4) of prefixes and their max_length, in canonical order."""
    networks = sorted(
        {(ipaddress.ip_network(prefix), max_length) for prefix, max_length in prefixes},
        key=lambda entry: (int(entry[0].network_address), entry[0].prefixlen, entry[1]),
    )
    families = []
    for version, afi in AFI.items():
        addresses = []
        for network, max_length in networks:
            if network.version != version:
                continue
            bits = address_bits(int(network.network_address), network.prefixlen, network.max_prefixlen)
            # A max_length that says nothing new is left out (RFC 9582 section 4.3.2.2).
            own_length = [] if max_length == network.prefixlen else [der.integer(max_length)]
            addresses.append(der.sequence(bits, *own_length))
        if addresses:
            families.append(der.sequence(der.octet_string(afi), der.sequence(*addresses)))
    return der.sequence(der.integer(asn), der.sequence(*families))


def manifest_content(number: int, current: Validity, files: Mapping[str, bytes]) -> bytes:
    """Manifest (RFC 9286 section 4.2) of `files`, by name with their content."""
    return manifest_of_entries(
        number,
        current,
        [(der.ia5_string(name), hashlib.sha256(content).digest()) for name, content in sorted(files.items())],
    )


def manifest_of_entries(number: int, current: Validity, entries: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Manifest of file names, DER of whatever type, and hashes as they are given."""
    return der.sequence(
        der.integer(number),
        der.generalized_time(current.not_before),
        der.generalized_time(current.not_after),
        _SHA256,
        der.sequence(*(der.sequence(name, der.bit_string(digest)) for name, digest in entries)),
    )
