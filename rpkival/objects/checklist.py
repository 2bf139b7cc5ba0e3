"""Signed checklists (RFC 9323): files of any kind, vouched for by the holder of resources."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from rpkival.errors import LimitError, ObjectError
from rpkival.limits import MAX_CHECKLIST_BYTES, MAX_CHECKLIST_ENTRIES, MAX_FILE_NAME_LENGTH
from rpkival.objects import oids
from rpkival.objects.asn1 import checklist as asn1
from rpkival.objects.asn1.der import decode
from rpkival.objects.bounds import check_size, shown
from rpkival.objects.certificate import Certificate, Role
from rpkival.objects.cms import parse_signed_object
from rpkival.objects.resources import Claim, Ranges, Resources, as_ranges, first_outside, format_ranges, ip_claims
from rpkival.objects.signatures import CheckSignature, check_signature
from rpkival.objects.wrapper import check_digest_algorithm

__all__ = ["Checklist", "ChecklistContent", "parse_checklist", "parse_checklist_content"]

_SECTION: Final = "RFC 9323 section 4"
_FILE_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")
_SHA256_SIZE: Final = 32


@dataclass(frozen=True, slots=True)
class ChecklistContent:
    """The eContent: what the signer speaks for, and name ("" where it is left open) and SHA-256 of each file."""

    resources: Resources
    files: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Checklist:
    """One checklist with the certificate that signed it."""

    certificate: Certificate
    signing_time: int | None
    content: ChecklistContent


def parse_checklist(
    data: bytes,
    *,
    require_signing_time: bool = True,
    check: CheckSignature = check_signature,
    strict: bool = False,
) -> Checklist:
    """A checklist, judged as far as it can be alone. Raises `ObjectError`, `LimitError`."""
    check_size(data, MAX_CHECKLIST_BYTES, "checklist")
    signed = parse_signed_object(
        data,
        oids.CHECKLIST,
        require_signing_time=require_signing_time,
        check=check,
        strict=strict,
        role=Role.DETACHED,
    )
    content = parse_checklist_content(signed.content)
    claims = signed.certificate.resources
    if claims.inherits:
        raise ObjectError("RFC 9323 section 5", "The checklist's certificate inherits resources.")
    _check_within(content.resources.asn, claims.asn, 0)
    _check_within(content.resources.ipv4, claims.ipv4, 4)
    _check_within(content.resources.ipv6, claims.ipv6, 6)
    return Checklist(signed.certificate, signed.signing_time, content)


def parse_checklist_content(data: bytes) -> ChecklistContent:
    """The eContent of a checklist. Raises `ObjectError`, `LimitError`."""
    decoded = decode(asn1.RpkiSignedChecklist, data, _SECTION, "checklist's content")
    if decoded.version != 0:
        raise ObjectError(f"{_SECTION}.1", f"The checklist has version {shown(decoded.version)}; only 0 exists.")
    check_digest_algorithm(decoded.digest_algorithm, f"{_SECTION}.3")
    return ChecklistContent(_resources(decoded.resources), _files(decoded.check_list))


def _resources(block: asn1.ResourceBlock) -> Resources:
    if block.as_id is None and block.ip_addr_blocks is None:
        raise ObjectError(f"{_SECTION}.2", "The checklist has neither IP addresses nor AS numbers.")
    claims = (None, None) if block.ip_addr_blocks is None else ip_claims(block.ip_addr_blocks)
    ipv4, ipv6 = map(_listed, claims)
    return Resources(ipv4, ipv6, () if block.as_id is None else as_ranges(block.as_id))


def _listed(claim: Claim) -> Ranges:
    if claim is None:
        return ()
    if not isinstance(claim, tuple):
        raise ObjectError(f"{_SECTION}.2", "The checklist inherits addresses instead of listing them.")
    return claim


def _files(entries: list[asn1.FileNameAndHash]) -> tuple[tuple[str, bytes], ...]:
    section = f"{_SECTION}.4.1"
    if not entries:
        raise ObjectError(section, "The checklist has no file.")
    if len(entries) > MAX_CHECKLIST_ENTRIES:
        raise LimitError(f"The checklist has {len(entries)} files; {MAX_CHECKLIST_ENTRIES} are allowed.")
    files = []
    for entry in entries:
        name = "" if entry.file_name is None else entry.file_name.as_str()
        if entry.file_name is not None and (len(name) > MAX_FILE_NAME_LENGTH or not _FILE_NAME.fullmatch(name)):
            raise ObjectError(section, f"The checklist has the file name {name[:64]!r}, which is not portable.")
        if len(entry.hash) != _SHA256_SIZE:
            raise ObjectError(section, "The checklist has a hash that is not 32 octets.")
        files.append((name, entry.hash))
    names = [name for name, _ in files if name]
    nameless = [digest for name, digest in files if not name]
    if len(set(names)) != len(names) or len(set(nameless)) != len(nameless):
        raise ObjectError(section, "The checklist has a file name twice, or a hash twice without a name.")
    return tuple(files)


def _check_within(ranges: Ranges, claim: Claim, family: int) -> None:
    outside = first_outside(claim if isinstance(claim, tuple) else (), ranges)
    if outside is not None:
        text = format_ranges((outside,), family)[0]  # type: ignore[arg-type]
        raise ObjectError("RFC 9323 section 5", f"The checklist has {text}, which its certificate does not have.")
