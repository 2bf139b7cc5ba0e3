"""Signed objects (RFC 6488, RFC 9589): the CMS wrapper, the certificate in it, and that they belong together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cryptography.x509 import ObjectIdentifier

from rpkival.errors import ObjectError
from rpkival.limits import MAX_OBJECT_BYTES
from rpkival.objects.bounds import check_size
from rpkival.objects.certificate import Certificate, Role, parse_certificate
from rpkival.objects.keys import load_key
from rpkival.objects.signatures import CheckSignature, check_signature
from rpkival.objects.signed_attributes import check_attributes
from rpkival.objects.wrapper import wrapper_of

__all__ = ["SignedObject", "parse_signed_object"]

_BAD_SIGNATURE: Final = ("RFC 6488 section 3", "The object's signature does not verify with its certificate's key.")


@dataclass(frozen=True, slots=True)
class SignedObject:
    """What the wrapper holds; the CMS signature by `certificate` has been verified.

    `signing_time` is unix seconds, None only where its absence was admitted.
    """

    content: bytes
    certificate: Certificate
    signing_time: int | None


def parse_signed_object(
    data: bytes,
    content_type: ObjectIdentifier,
    *,
    require_signing_time: bool = True,
    check: CheckSignature = check_signature,
    strict: bool = False,
    role: Role = Role.END_ENTITY,
) -> SignedObject:
    """A signed object of this type, judged as far as it can be alone. Raises `ObjectError`, `LimitError`.

    Signing times are mandatory since RFC 9589 of 2024; to judge what was made before, `require_signing_time=False`.
    With another `check` the signature is checked when that says so. Only if not `strict` may the wrapper be BER.
    """
    check_size(data, MAX_OBJECT_BYTES, "object")
    wrapper = wrapper_of(data, content_type, strict=strict)
    certificate = parse_certificate(wrapper.certificate, role)
    if wrapper.signer != certificate.subject_key_id:
        raise ObjectError("RFC 6488 section 2.1.6.2", "The signer is not named by its certificate's key identifier.")
    signing_time = check_attributes(wrapper.signed_attributes, content_type, wrapper.content)
    if signing_time is None and require_signing_time:
        raise ObjectError("RFC 9589 section 4", "The signed attributes have no signing-time.")
    check(load_key(certificate.key_info), wrapper.signature, wrapper.signed_attributes, _BAD_SIGNATURE)
    return SignedObject(wrapper.content, certificate, signing_time)
