"""Trust anchor locators (RFC 8630)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from textwrap import wrap
from typing import Final

from rpkival.errors import ObjectError
from rpkival.limits import MAX_TAL_BYTES
from rpkival.objects.constraints import Constraints
from rpkival.objects.keys import check_key
from rpkival.objects.record import Record
from rpkival.objects.uris import is_https_uri, is_rsync_uri

__all__ = ["USUAL_TERMS", "Tal", "Terms", "format_tal", "parse_tal"]

_SECTION = "RFC 8630 section 2.2"


@dataclass(frozen=True, slots=True)
class Terms(Record):
    """On which terms whoever runs the validator takes the word of a trust anchor."""

    constraints: Constraints | None = None
    reconsidered: bool = False
    """Whether certificates of RFC 8360 are taken."""


USUAL_TERMS: Final = Terms()
"""Those of the RFCs."""


@dataclass(frozen=True, slots=True)
class Tal:
    """Where a trust anchor's certificate is, and the DER SubjectPublicKeyInfo it must have; `terms` are our own."""

    name: str
    uris: tuple[str, ...]
    key_info: bytes
    terms: Terms = USUAL_TERMS


def parse_tal(data: bytes, name: str) -> Tal:
    """Read a locator: comments, URIs, an empty line, a key. Raises `ObjectError`."""
    if len(data) > MAX_TAL_BYTES:
        raise ObjectError(_SECTION, f"{name} has {len(data)} octets, far too many for one.")
    try:
        lines = [line.strip() for line in data.decode("utf-8").splitlines()]
    except UnicodeDecodeError:
        raise ObjectError(_SECTION, f"{name} is not text.") from None
    while lines and lines[0].startswith("#"):
        lines.pop(0)
    if "" not in lines:
        raise ObjectError(_SECTION, f"{name} has no empty line between its URIs and its key.")
    gap = lines.index("")
    uris, key_lines = lines[:gap], lines[gap:]
    if not uris:
        raise ObjectError(_SECTION, f"{name} has no URI.")
    for uri in uris:
        if not (is_rsync_uri(uri) or is_https_uri(uri)):
            raise ObjectError(_SECTION, f"{name} has {uri[:80]!r} where an rsync or https URI must be.")
    try:
        key_info = base64.b64decode("".join(key_lines), validate=True)
    except (binascii.Error, ValueError):
        raise ObjectError(_SECTION, f"{name} has a key that is not base64.") from None
    if not key_info:
        raise ObjectError(_SECTION, f"{name} has no key.")
    check_key(key_info)
    return Tal(name, tuple(uris), key_info)


def format_tal(uris: Iterable[str], key_info: bytes, comments: Iterable[str] = ()) -> str:
    """The text of a locator, as `parse_tal` reads it. Each comment, a stranger's words, becomes one line."""
    told = (f"# {_one_line(comment)}".rstrip() for comment in comments)
    return "\n".join((*told, *uris, "", *wrap(base64.b64encode(key_info).decode(), 64), ""))


def _one_line(text: str) -> str:
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())
