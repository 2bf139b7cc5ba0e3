"""Issuer and subject names as RFC 6487 sections 4.4 and 4.5 allow them: one CommonName, perhaps a serial number."""

from __future__ import annotations

from rpkival.errors import ObjectError
from rpkival.limits import MAX_NAME_BYTES
from rpkival.objects import oids
from rpkival.objects.asn1 import pkix
from rpkival.objects.asn1.der import decode, header
from rpkival.objects.bounds import check_size

__all__ = ["check_name", "format_name"]

_PRINTABLE = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?"
"""The characters of a PrintableString (X.680 section 41.4)."""

_START_SIZE = 13
_LONGEST_COMMON_NAME = 64
"""ub-common-name of RFC 5280 appendix A."""

_STARTS = {
    size: bytes((0x30, size - 2, 0x31, size - 4, 0x30, size - 6, 6, 3, 0x55, 4, 3, 0x13, size - _START_SIZE))
    for size in range(_START_SIZE + 1, _START_SIZE + _LONGEST_COMMON_NAME + 1)
}
"""How the DER of a Name of this size starts if it is one CommonName, a PrintableString, which nearly all are."""

_PRINTABLE_STRING = b"\x13"
_UTF8_STRING = b"\x0c"
"""The profile wants PrintableString, but a registry has issued UTF8String, and other validators take it."""


def check_name(name: bytes, section: str, which: str) -> None:
    """Raise `ObjectError` unless the DER Name is as the profile wants it; `which` is "issuer" or "subject".

    Raises `LimitError` where it is too long.
    """
    start = _STARTS.get(len(name))
    if start is not None and name.startswith(start) and not name[_START_SIZE:].translate(None, _PRINTABLE):
        return
    check_size(name, MAX_NAME_BYTES, f"name of the {which}")
    seen = []
    for attribute in _attributes(name, section, which):
        if attribute.type not in (oids.COMMON_NAME, oids.SERIAL_NUMBER):
            raise ObjectError(section, f"The {which} has an attribute {attribute.type.dotted_string} beside its name.")
        if attribute.value.tag_bytes not in (_PRINTABLE_STRING, _UTF8_STRING):
            raise ObjectError(section, f"The {which} is neither a PrintableString nor a UTF8String.")
        seen.append(attribute.type)
    if oids.COMMON_NAME not in seen:
        raise ObjectError(section, f"The {which} has no CommonName.")
    if len(seen) != len(set(seen)):
        raise ObjectError(section, f"The {which} has the same attribute twice.")


def format_name(name: bytes) -> str:
    """A DER Name in words, for reports: `CN=...`; as hex where it is none."""
    try:
        attributes = _attributes(name, "RFC 5280 section 4.1.2.4", "name")
    except ObjectError:
        return name.hex()
    labels = {oids.COMMON_NAME: "CN", oids.SERIAL_NUMBER: "serialNumber"}
    return ",".join(
        f"{labels.get(each.type, each.type.dotted_string)}={bytes(each.value.data).decode('utf-8', 'replace')}"
        for each in attributes
    )


def _attributes(name: bytes, section: str, which: str) -> list[pkix.AttributeTypeAndValue]:
    decoded = decode(pkix.Name, header(0x30, len(name)) + name, section, f"{which} name")
    return [attribute for rdn in decoded.rdns for attribute in rdn.as_list()]
