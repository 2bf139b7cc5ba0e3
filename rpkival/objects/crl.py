"""Certificate revocation lists (RFC 6487 section 5, RFC 9829)."""

from __future__ import annotations

from dataclasses import dataclass

from rpkival.errors import LimitError, ObjectError
from rpkival.limits import MAX_CRL_BYTES, MAX_REVOKED_CERTIFICATES
from rpkival.objects import oids
from rpkival.objects.asn1 import pkix
from rpkival.objects.asn1.der import decode, parts_of, tlv_bytes
from rpkival.objects.bounds import check_number, check_size
from rpkival.objects.certificate import check_algorithm
from rpkival.objects.extensions import authority_key_identifier
from rpkival.objects.names import check_name
from rpkival.objects.times import seconds

__all__ = ["Crl", "parse_crl"]

_SECTION = "RFC 6487 section 5"
_VERSION_2 = 1


@dataclass(frozen=True, slots=True)
class Crl:
    """One CRL. Times are unix seconds; `issuer` is a DER Name; `revoked` holds serial numbers."""

    issuer: bytes
    this_update: int
    next_update: int
    number: int
    authority_key_id: bytes
    revoked: frozenset[int]
    signed: bytes
    """The TBSCertList, which the issuer's signature is over."""
    signature: bytes


def parse_crl(data: bytes) -> Crl:
    """A CRL, judged as far as it can be alone. Raises `ObjectError`, `LimitError`."""
    check_size(data, MAX_CRL_BYTES, "CRL")
    outer = decode(pkix.CertificateList, data, _SECTION, "CRL")
    inner = outer.tbs_cert_list
    if inner.version != _VERSION_2:
        raise ObjectError(_SECTION, "The CRL's version is not 2.")
    check_algorithm(tlv_bytes(inner.signature), _SECTION, "inside the CRL")
    check_algorithm(tlv_bytes(outer.signature_algorithm), _SECTION, "of the CRL")
    issuer = tlv_bytes(inner.issuer)
    check_name(issuer, _SECTION, "issuer")
    this_update = seconds(inner.this_update, "RFC 5280 section 5.1.2.4", "thisUpdate")
    if inner.next_update is None:
        raise ObjectError("RFC 5280 section 5.1.2.5", "The CRL has no nextUpdate.")
    next_update = seconds(inner.next_update, "RFC 5280 section 5.1.2.5", "nextUpdate")
    if this_update >= next_update:
        raise ObjectError("RFC 5280 section 5.1.2.5", "The CRL's nextUpdate is not later than its thisUpdate.")
    number, authority_key_id = _extensions(inner.crl_extensions or [])
    return Crl(
        issuer,
        this_update,
        next_update,
        number,
        authority_key_id,
        _revoked(inner.revoked_certificates),
        parts_of(data, _SECTION, "CRL")[0],
        outer.signature.as_bytes(),
    )


def _extensions(extensions: list[pkix.Extension]) -> tuple[int, bytes]:
    """The CRL number and the authority key identifier; exactly these two MUST be there, and no other."""
    found = {extension.extn_id: extension.extn_value for extension in extensions}
    if len(found) != len(extensions):
        raise ObjectError(_SECTION, "The CRL has an extension twice.")
    if set(found) != {oids.CRL_NUMBER, oids.AUTHORITY_KEY_IDENTIFIER}:
        raise ObjectError(_SECTION, "The CRL's extensions are not exactly authority key identifier and CRL number.")
    if any(extension.critical for extension in extensions):
        raise ObjectError(_SECTION, "The CRL has an extension that is marked critical.")
    number = decode(int, found[oids.CRL_NUMBER], "RFC 5280 section 5.2.3", "CRL number")
    check_number(number, 0, "RFC 5280 section 5.2.3", "CRL number")
    return number, authority_key_identifier(found[oids.AUTHORITY_KEY_IDENTIFIER])


def _revoked(entries: list[pkix.RevokedCertificate] | None) -> frozenset[int]:
    if not entries:
        # RFC 5280 section 5.1.2.6 wants an empty list left out, yet widely used software has published some. Whoever
        # lists nobody has revoked nobody; to refuse the CRL would cost all of its CA's objects.
        return frozenset()
    if len(entries) > MAX_REVOKED_CERTIFICATES:
        raise LimitError(f"The CRL has {len(entries)} entries; {MAX_REVOKED_CERTIFICATES} are allowed.")
    for entry in entries:
        check_number(entry.user_certificate, 1, "RFC 5280 section 5.1.2.6", "serial number of a CRL entry")
        if entry.crl_entry_extensions is not None:
            raise ObjectError(_SECTION, "A CRL entry has extensions.")
    return frozenset(entry.user_certificate for entry in entries)
