"""Trust anchor keys (RFC 9691): a trust anchor's own word on which key follows its present one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rpkival.errors import LimitError, ObjectError
from rpkival.limits import MAX_TAK_BYTES, MAX_TAL_URIS
from rpkival.objects import oids
from rpkival.objects.asn1 import trust_anchor_key as asn1
from rpkival.objects.asn1.der import decode, tlv_bytes
from rpkival.objects.bounds import check_size, shown
from rpkival.objects.certificate import Certificate
from rpkival.objects.cms import parse_signed_object
from rpkival.objects.keys import check_key, key_identifier
from rpkival.objects.signatures import CheckSignature, check_signature
from rpkival.objects.uris import is_https_uri, is_rsync_uri

__all__ = ["AnchorKey", "TakContent", "TrustAnchorKey", "parse_tak", "parse_tak_content"]

_SECTION: Final = "RFC 9691 section 2.2"


@dataclass(frozen=True, slots=True)
class AnchorKey:
    """What a locator says: comments, the URIs of the certificate, and its DER SubjectPublicKeyInfo."""

    comments: tuple[str, ...]
    uris: tuple[str, ...]
    key_info: bytes


@dataclass(frozen=True, slots=True)
class TakContent:
    """The eContent."""

    current: AnchorKey
    predecessor: AnchorKey | None
    successor: AnchorKey | None


@dataclass(frozen=True, slots=True)
class TrustAnchorKey:
    """One TAK with the certificate that signed it, which the current key has issued."""

    certificate: Certificate
    signing_time: int | None
    content: TakContent


def parse_tak(
    data: bytes,
    *,
    require_signing_time: bool = True,
    check: CheckSignature = check_signature,
    strict: bool = False,
) -> TrustAnchorKey:
    """A TAK, judged as far as it can be alone. Raises `ObjectError`, `LimitError`."""
    check_size(data, MAX_TAK_BYTES, "trust anchor key object")
    signed = parse_signed_object(data, oids.TAK, require_signing_time=require_signing_time, check=check, strict=strict)
    if not signed.certificate.resources.only_inherits:
        raise ObjectError("RFC 9691 section 2.3", "The certificate lists resources instead of inheriting.")
    content = parse_tak_content(signed.content)
    if key_identifier(content.current.key_info) != signed.certificate.authority_key_id:
        raise ObjectError(
            "RFC 9691 section 2.3", "The current key is not the one that issued the object's certificate."
        )
    return TrustAnchorKey(signed.certificate, signed.signing_time, content)


def parse_tak_content(data: bytes) -> TakContent:
    """The eContent of a TAK. Raises `ObjectError`, `LimitError`."""
    decoded = decode(asn1.TAK, data, _SECTION, "trust anchor key object's content")
    if decoded.version != 0:
        raise ObjectError(_SECTION, f"The trust anchor key object has version {shown(decoded.version)}; only 0 exists.")
    current, *others = (
        None if key is None else _anchor_key(key) for key in (decoded.current, decoded.predecessor, decoded.successor)
    )
    assert current is not None
    return TakContent(current, *others)


def _anchor_key(key: asn1.TAKey) -> AnchorKey:
    if max(len(key.certificate_uris), len(key.comments)) > MAX_TAL_URIS:
        raise LimitError(f"The trust anchor key has more than {MAX_TAL_URIS} URIs or comments.")
    uris = tuple(uri.as_str() for uri in key.certificate_uris)
    if not uris:
        raise ObjectError(_SECTION, "The trust anchor key has no URI of its certificate.")
    for uri in uris:
        if not (is_rsync_uri(uri) or is_https_uri(uri)):
            raise ObjectError(_SECTION, f"The trust anchor key has {uri[:80]!r} where an rsync or https URI must be.")
    key_info = tlv_bytes(key.subject_public_key_info)
    check_key(key_info)
    return AnchorKey(tuple(key.comments), uris, key_info)
