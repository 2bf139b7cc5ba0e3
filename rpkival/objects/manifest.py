"""Manifests (RFC 9286): which files a publication point consists of."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rpkival.errors import LimitError, ObjectError
from rpkival.limits import MAX_FILE_NAME_LENGTH, MAX_MANIFEST_BYTES, MAX_MANIFEST_FILES
from rpkival.objects import oids
from rpkival.objects.asn1 import manifest as asn1
from rpkival.objects.asn1.der import decode
from rpkival.objects.bounds import check_number, check_size, shown
from rpkival.objects.certificate import Certificate
from rpkival.objects.cms import parse_signed_object
from rpkival.objects.times import generalized_seconds
from rpkival.objects.wrapper import unwrapped, usual_wrapper

__all__ = ["Manifest", "ManifestContent", "listed_entries", "parse_manifest", "parse_manifest_content"]

_FILE_NAME = re.compile(r"[A-Za-z0-9_-]+\.[a-z]{3}")
"""RFC 9286 section 4.2.2: so no name can leave its directory."""
_SHA256_SIZE = 32


@dataclass(frozen=True, slots=True)
class ManifestContent:
    """The eContent. Times are unix seconds; `files` maps names to SHA-256 digests, in the manifest's order."""

    number: int
    this_update: int
    next_update: int
    files: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Manifest:
    """One manifest with the certificate that signed it."""

    certificate: Certificate
    signing_time: int | None
    content: ManifestContent


def parse_manifest(data: bytes, *, require_signing_time: bool = True, strict: bool = False) -> Manifest:
    """A manifest, judged as far as it can be alone. Raises `ObjectError`, `LimitError`."""
    signed = parse_signed_object(data, oids.RPKI_MANIFEST, require_signing_time=require_signing_time, strict=strict)
    if not signed.certificate.resources.only_inherits:
        raise ObjectError("RFC 9286 section 5.1", "The manifest's certificate lists resources instead of inheriting.")
    return Manifest(signed.certificate, signed.signing_time, parse_manifest_content(signed.content))


def listed_entries(data: bytes) -> dict[str, bytes]:
    """The file names and digests on a manifest that nobody has judged: what to read before judging it.

    Raises `ObjectError`, `LimitError` where the manifest cannot even be decoded.
    """
    usual = usual_wrapper(data, oids.RPKI_MANIFEST)
    if usual is not None:
        return parse_manifest_content(usual.content).files
    wrapper, _ = unwrapped(data, strict=False)
    return parse_manifest_content(wrapper.content.encap_content_info.e_content or b"").files


def parse_manifest_content(data: bytes) -> ManifestContent:
    """The eContent of a manifest. Raises `ObjectError`, `LimitError`."""
    section = "RFC 9286 section 4.2.1"
    check_size(data, MAX_MANIFEST_BYTES, "manifest's content")
    decoded = decode(asn1.Manifest, data, "RFC 9286 section 4.2", "manifest's content")
    if decoded.version != 0:
        raise ObjectError(section, f"The manifest has version {shown(decoded.version)}; only 0 exists.")
    check_number(decoded.manifest_number, 0, section, "manifest number")
    this_update = generalized_seconds(decoded.this_update, section, "thisUpdate")
    next_update = generalized_seconds(decoded.next_update, section, "nextUpdate")
    if this_update >= next_update:
        raise ObjectError(section, "The manifest's nextUpdate is not later than its thisUpdate.")
    if decoded.file_hash_alg != oids.SHA256:
        raise ObjectError(section, "The manifest's hash algorithm is not SHA-256.")
    return ManifestContent(decoded.manifest_number, this_update, next_update, _files(decoded.file_list))


def _files(entries: list[asn1.FileAndHash]) -> dict[str, bytes]:
    if len(entries) > MAX_MANIFEST_FILES:
        raise LimitError(f"The manifest lists {len(entries)} files; {MAX_MANIFEST_FILES} are allowed.")
    files: dict[str, bytes] = {}
    for entry in entries:
        name = entry.file.as_str()
        if len(name) > MAX_FILE_NAME_LENGTH or _FILE_NAME.fullmatch(name) is None:
            raise ObjectError(
                "RFC 9286 section 4.2.2", f"The manifest lists the file name {name[:64]!r}, which is not allowed."
            )
        digest = entry.hash.as_bytes()
        if len(digest) != _SHA256_SIZE or entry.hash.padding_bits():
            raise ObjectError("RFC 9286 section 4.2.1", f"The hash of {name} is not 32 octets.")
        files[name] = digest
    if len(files) != len(entries):
        raise ObjectError("RFC 9286 section 4.2.1", "The manifest lists a file name twice.")
    return files
