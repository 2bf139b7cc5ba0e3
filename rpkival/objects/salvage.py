"""What can still be had of a signed object or a certificate that does not decode: cut off, or broken in one place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from cryptography.x509 import ObjectIdentifier

from rpkival.errors import LimitError, ObjectError
from rpkival.objects.asn1 import cms, pkix
from rpkival.objects.asn1.ber import ber_to_der
from rpkival.objects.asn1.der import decode, tlv_bytes
from rpkival.objects.asn1.outline import Element, outline

__all__ = ["SignedParts", "extensions_of", "signed_parts"]

T = TypeVar("T")

_CERTIFICATES: Final = 0xA0
_EXTENSIONS: Final = 0xA3


@dataclass(frozen=True, slots=True)
class SignedParts:
    """Parts of a signed object, each None where it is not there as a whole; octets are DER."""

    content_type: ObjectIdentifier | None = None
    content: bytes | None = None
    certificate: bytes | None = None

    @classmethod
    def of(cls, wrapper: cms.ContentInfo) -> SignedParts:
        """Those of one that has been decoded."""
        inner = wrapper.content.encap_content_info
        certificates = wrapper.content.certificates.as_list() if wrapper.content.certificates is not None else []
        return cls(inner.e_content_type, inner.e_content, tlv_bytes(certificates[0]) if certificates else None)


def signed_parts(data: bytes) -> SignedParts:
    """The parts of a signed object (RFC 5652 sections 3 and 5.1) that lie where they should. Raises nothing."""
    signed = _down(outline(data).root, 1, 0)
    encapsulated = _down(signed, 2)
    kind, content = _down(encapsulated, 0), _down(encapsulated, 1, 0)
    certificates = next((part for part in _parts(signed)[3:] if part.tag == _CERTIFICATES), None)
    return SignedParts(
        _decoded(ObjectIdentifier, _octets(data, kind)),
        _decoded(bytes, _octets(data, content)),
        _octets(data, _down(certificates, 0)),
    )


def extensions_of(data: bytes) -> Iterator[pkix.Extension]:
    """The extensions of a certificate that are whole. Raises nothing."""
    inner = _parts(_down(outline(data).root, 0))
    listed = next((part for part in inner if part.tag == _EXTENSIONS), None)
    for element in _parts(_down(listed, 0)):
        extension = _decoded(pkix.Extension, _octets(data, element))
        if extension is not None:
            yield extension


def _down(element: Element | None, *path: int) -> Element | None:
    """The part of a part, by their numbers; None where the way ends."""
    for number in path:
        parts = _parts(element)
        element = parts[number] if number < len(parts) else None
    return element


def _parts(element: Element | None) -> Sequence[Element]:
    return () if element is None else element.parts


def _octets(data: bytes, element: Element | None) -> bytes | None:
    """The DER of an element that is whole."""
    if element is None or not element.whole:
        return None
    try:
        return ber_to_der(data[element.start : element.end])
    except (ObjectError, LimitError):
        return None


def _decoded(declaration: type[T], octets: bytes | None) -> T | None:
    if octets is None:
        return None
    try:
        return decode(declaration, octets, "", "")
    except ObjectError:
        return None
