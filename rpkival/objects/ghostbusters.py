"""Ghostbusters records (RFC 6493): whom to call about a CA."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from rpkival.errors import LimitError, ObjectError
from rpkival.limits import MAX_GHOSTBUSTERS_BYTES
from rpkival.objects import oids
from rpkival.objects.bounds import check_size
from rpkival.objects.certificate import Certificate
from rpkival.objects.cms import parse_signed_object
from rpkival.objects.signatures import CheckSignature, check_signature

__all__ = ["Ghostbusters", "parse_ghostbusters", "parse_vcard"]

_SECTION: Final = "RFC 6493 section 5"
_PROPERTY: Final = re.compile(
    r"(?:[A-Za-z0-9-]+\.)?([A-Za-z0-9-]+)((?:;[^:\"]*(?:\"[^\"]*\"[^:\"]*)*)*):(.*)", re.DOTALL
)
_FOLDED: Final = re.compile(r"\r?\n[ \t]")
_CONTACTS: Final = frozenset({"ADR", "TEL", "EMAIL"})
_ALLOWED: Final = _CONTACTS | {"FN", "ORG", "N"}
"""N is none of RFC 6493's, but vCard 3.0 demands it, and published records have it in either version."""
_MOST_LINES: Final = 100
_VERSIONS: Final = ("4.0", "3.0")
"""RFC 6493 has 4.0; records in 3.0 have been published since before RFC 6350."""


@dataclass(frozen=True, slots=True)
class Ghostbusters:
    """One record with the certificate that signed it. `properties`: name and value of each line, as they are there."""

    certificate: Certificate
    signing_time: int | None
    properties: tuple[tuple[str, str], ...]


def parse_ghostbusters(
    data: bytes,
    *,
    require_signing_time: bool = True,
    check: CheckSignature = check_signature,
    strict: bool = False,
) -> Ghostbusters:
    """A record, judged as far as it can be alone. Raises `ObjectError`, `LimitError`."""
    check_size(data, MAX_GHOSTBUSTERS_BYTES, "Ghostbusters record")
    signed = parse_signed_object(
        data, oids.GHOSTBUSTERS, require_signing_time=require_signing_time, check=check, strict=strict
    )
    if not signed.certificate.resources.only_inherits:
        raise ObjectError("RFC 6493 section 6", "The record's certificate lists resources instead of inheriting.")
    return Ghostbusters(signed.certificate, signed.signing_time, parse_vcard(signed.content))


def parse_vcard(data: bytes) -> tuple[tuple[str, str], ...]:
    """Name and value of each property, but for BEGIN, VERSION and END. Raises `ObjectError`, `LimitError`."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise ObjectError(_SECTION, "The record is not text in UTF-8, so it is no vCard.") from None
    lines = _FOLDED.sub("", text).replace("\r\n", "\n").strip("\n").split("\n")
    if len(lines) < 3 or lines[0].upper() != "BEGIN:VCARD" or lines[-1].upper() != "END:VCARD":
        raise ObjectError(_SECTION, "The record is not one vCard from BEGIN to END.")
    if lines[1].upper() not in {f"VERSION:{version}" for version in _VERSIONS}:
        raise ObjectError(_SECTION, "The second line of the vCard is not VERSION:4.0.")
    if len(lines) > _MOST_LINES:
        raise LimitError(f"The vCard has {len(lines)} lines; {_MOST_LINES} are allowed.")
    properties = tuple(map(_property, lines[2:-1]))
    names = {name for name, _ in properties}
    if "FN" not in names:
        raise ObjectError(_SECTION, "The vCard has no FN, the name of whom to call.")
    if not names & _CONTACTS:
        raise ObjectError(_SECTION, "The vCard has neither ADR nor TEL nor EMAIL.")
    return properties


def _property(line: str) -> tuple[str, str]:
    match = _PROPERTY.fullmatch(line)
    if match is None:
        raise ObjectError(_SECTION, "The vCard has a line that is no property.")
    name = match[1].upper()
    if name not in _ALLOWED:
        raise ObjectError(_SECTION, f"The vCard has the property {name[:32]}, which is none of a Ghostbusters record.")
    return name, match[3]
