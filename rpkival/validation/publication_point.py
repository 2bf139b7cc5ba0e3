"""One publication point, judged: a pure function of its issuer, its files and the time (RFC 9286 section 6).

A manifest that is missing, invalid or stale, a listed file that is missing or differs, or a CRL that cannot be used
fail the whole point (section 6.6, "failed fetch"). An object that is listed and intact, yet invalid, costs only itself
and what hangs below it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rpkival.errors import LimitError, MissingError, ObjectError, PrematureError, RpkivalError, StaleError
from rpkival.limits import MAX_POINT_BYTES, MAX_POINT_VRPS
from rpkival.objects.certificate import Certificate
from rpkival.objects.crl import parse_crl
from rpkival.objects.manifest import Manifest, parse_manifest
from rpkival.objects.place import Accepted
from rpkival.objects.record import Record
from rpkival.objects.resources import Resources
from rpkival.objects.times import format_time
from rpkival.objects.trust_anchor_key import TakContent
from rpkival.validation.issuer import Issuer, Judge, check_revocation
from rpkival.validation.judged_files import TOGETHER, Found, Opened, judge_files
from rpkival.validation.lifetime import Chain
from rpkival.validation.report import (
    FAULT_SECTION,
    Counts,
    Rejection,
    Tally,
    ValidatedAspa,
    ValidatedRouterKey,
)
from rpkival.validation.roas import RoaBlock, RoaPacker

__all__ = ["PublicationPoint", "Read", "file_name", "judge_detached", "judge_publication_point", "lost_point"]

Read = Callable[[str, bytes], bytes | None]
"""The object of a file name and a SHA-256 in the CA's directory, or None; what has another digest counts as changed."""


@dataclass(frozen=True, slots=True)
class PublicationPoint(Record):
    """What one publication point came to. Of one that failed there are only rejections and counts.

    What is in it holds as long as it says itself, its `chain` (that of its manifest and CRL) and the chain above do.
    """

    uri: str
    chain: Chain
    roas: RoaBlock
    aspas: tuple[ValidatedAspa, ...]
    router_keys: tuple[ValidatedRouterKey, ...]
    children: tuple[Issuer, ...]
    anchor_keys: tuple[TakContent, ...]
    rejections: tuple[Rejection, ...]
    counts: Counts
    accepted: Accepted | None
    """The manifest; None where the point failed."""
    digests: bytes
    """SHA-256 of all files that the point consists of, the manifest's among them; 32 octets each."""
    valid_from: int
    valid_until: int
    """Unix seconds between which judging the same files again gives the same."""
    repeatable: bool
    """Whether it does: not where a file was missing or differed, or where the fault was ours."""


def judge_publication_point(
    issuer: Issuer, manifest: bytes | None, read: Read, now: int, *, strict: bool = False
) -> PublicationPoint:
    """Everything the issuer has published under this manifest that may be used at `now` (unix seconds).

    If `strict`, signed objects that are BER and no DER are refused.

    Raises nothing but what `read` raises of our own errors. A fault of ours that an object brings to light costs the
    point of the CA that published it: were it to end the run, any CA could keep all others' changes from our routers.
    """
    try:
        return _judge(Judge(issuer, now, strict=strict), manifest, read)
    except (RpkivalError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 - panics of the decoder, written in Rust, are no Exceptions
        sentence = (
            f"Judging this publication point failed ({type(error).__name__}: {str(error)[:200]}); please report it."
        )
        return lost_point(issuer, ObjectError(FAULT_SECTION, sentence))


def judge_detached(issuer: Issuer, certificate: Certificate, manifest: bytes | None, read: Read, now: int) -> Resources:
    """The resources of a certificate that the issuer published nowhere, under this manifest at `now` (unix seconds).

    Raises `ObjectError`, `LimitError` unless manifest and CRL are current and whole and the certificate is valid.
    """
    judge = Judge(issuer, now)
    tally = Tally(issuer.trust_anchor)
    opened = _open(judge, manifest, read, tally)
    if opened is None:
        first = tally.rejections(issuer.manifest)[0]
        raise ObjectError(first.section, f"{first.sentence} ({first.uri})")
    check_revocation(certificate, opened.crl, opened.crl_uri)
    return judge.certificate(certificate)


def lost_point(issuer: Issuer, error: ObjectError | LimitError) -> PublicationPoint:
    """A point of which nothing is used but the reason."""
    tally = Tally(issuer.trust_anchor)
    tally.reject(issuer.manifest, None, error)
    return _failed(issuer, tally)


def _failed(issuer: Issuer, tally: Tally, judge: Judge | None = None) -> PublicationPoint:
    tally.count("publication_points_rejected")
    return PublicationPoint(
        issuer.manifest,
        Chain(0, 0, 0),
        RoaPacker().block(),
        (),
        (),
        (),
        (),
        tally.rejections(issuer.manifest),
        tally.counts,
        None,
        b"",
        judge.valid_from if judge else 0,
        judge.valid_until if judge else 0,
        repeatable=judge is not None and judge.repeatable,
    )


def _judge(judge: Judge, manifest: bytes | None, read: Read) -> PublicationPoint:
    issuer = judge.issuer
    tally = Tally(issuer.trust_anchor)
    opened = _open(judge, manifest, read, tally)
    if opened is None:
        return _failed(issuer, tally, judge)
    tally.count("publication_points_valid")
    found = Found(RoaPacker())
    names = list(opened.files)
    for start in range(0, len(names), TOGETHER):
        judge_files(judge, opened, names[start : start + TOGETHER], tally, found)
        if found.roas.vrps > MAX_POINT_VRPS:
            return lost_point(issuer, LimitError(f"The CA has more than {MAX_POINT_VRPS} VRPs; none is used."))
    tally.count("vrps", found.roas.vrps)
    return PublicationPoint(
        issuer.manifest,
        opened.chain,
        found.roas.block(),
        tuple(found.aspas),
        tuple(found.router_keys),
        tuple(found.children),
        tuple(found.anchor_keys),
        tally.rejections(issuer.manifest),
        tally.counts,
        opened.accepted,
        opened.accepted.sha256 + b"".join(opened.digests.values()),
        judge.valid_from,
        judge.valid_until,
        repeatable=judge.repeatable,
    )


def file_name(uri: str) -> str:
    """Its last segment."""
    return uri.rpartition("/")[2]


def _open(judge: Judge, data: bytes | None, read: Read, tally: Tally) -> Opened | None:
    issuer = judge.issuer
    try:
        manifest = _judge_manifest(judge, data)
        crl_name = _crl_name(manifest, issuer)
    except (ObjectError, LimitError) as error:
        tally.count("manifests_rejected")
        _count_reason("manifests", error, tally)
        tally.reject(issuer.manifest, data, error)
        return None
    files = _listed_files(manifest, issuer, read, tally)
    if files is None:
        judge.repeatable = False
        tally.count("manifests_valid")
        return None
    crl_uri = issuer.repository + crl_name
    try:
        crl = parse_crl(files[crl_name])
        judge.crl(crl)
    except (ObjectError, LimitError) as error:
        tally.count("manifests_valid")
        tally.count("crls_rejected")
        _count_reason("crls", error, tally)
        tally.reject(crl_uri, files[crl_name], error)
        return None
    tally.count("crls_valid")
    try:
        check_revocation(manifest.certificate, crl, crl_uri)
    except ObjectError as error:
        tally.count("manifests_rejected")
        tally.reject(issuer.manifest, data, error)
        return None
    tally.count("manifests_valid")
    assert data is not None
    content = manifest.content
    stale = min(content.next_update, crl.next_update)
    chain = Chain(manifest.certificate.not_before, manifest.certificate.not_after, stale)
    accepted = Accepted(hashlib.sha256(data).digest(), content.number, content.this_update)
    return Opened(files, content.files, crl, crl_uri, chain, accepted)


_REASONS: Final[dict[type[Exception], str]] = {
    MissingError: "missing",
    PrematureError: "premature",
    StaleError: "stale",
}


def _count_reason(kind: str, error: Exception, tally: Tally) -> None:
    """What time or absence has cost is told apart from what is wrong: somebody's clockwork stands still."""
    reason = _REASONS.get(type(error))
    if reason is not None:
        tally.count(f"{kind}_{reason}")


def _judge_manifest(judge: Judge, data: bytes | None) -> Manifest:
    if data is None:
        raise MissingError("RFC 9286 section 6.2", "The manifest is missing, so nothing of this CA can be used.")
    manifest = parse_manifest(data, strict=judge.strict)
    judge.certificate(manifest.certificate)
    if judge.issuer.manifest not in manifest.certificate.locations.signed_objects:
        raise ObjectError("RFC 9981 section 4", "The manifest's certificate says that the manifest is somewhere else.")
    section = "RFC 9286 section 6.3"
    content = manifest.content
    early = judge.is_early(content.this_update, content.next_update)
    if early:
        raise PrematureError(section, f"The manifest is not valid before {format_time(content.this_update)}.")
    if early is not None:
        raise StaleError(
            section, f"The manifest was to be replaced by {format_time(content.next_update)} and is stale."
        )
    return manifest


def _crl_name(manifest: Manifest, issuer: Issuer) -> str:
    """The one CRL on the manifest, which must be the one the manifest's own certificate refers to."""
    names = [name for name in manifest.content.files if name.endswith(".crl")]
    if len(names) != 1:
        raise ObjectError("RFC 9286 section 2", f"The manifest lists {len(names)} CRLs instead of one.")
    if issuer.repository + names[0] not in manifest.certificate.crl_uris:
        raise ObjectError(
            "RFC 6487 section 4.8.6", "The manifest does not list the CRL that its certificate refers to."
        )
    return names[0]


def _listed_files(manifest: Manifest, issuer: Issuer, read: Read, tally: Tally) -> dict[str, bytes] | None:
    """All files of the manifest by name; None (and a record each) where some are missing or differ."""
    files: dict[str, bytes] = {}
    size = 0
    for name, digest in manifest.content.files.items():
        uri = issuer.repository + name
        data = read(name, digest)
        size += len(data or b"")
        if size > MAX_POINT_BYTES:
            error = LimitError(f"The publication point has more than {MAX_POINT_BYTES} octets; nothing of it is used.")
            tally.reject(issuer.manifest, None, error)
            return None
        if data is None:
            sentence = "The file is on the manifest, but missing, so nothing of this CA can be used."
            tally.reject(uri, None, ObjectError("RFC 9286 section 6.4", sentence))
        elif hashlib.sha256(data).digest() != digest:
            sentence = "The file's hash is not the one on the manifest, so nothing of this CA can be used."
            tally.reject(uri, data, ObjectError("RFC 9286 section 6.5", sentence))
        else:
            files[name] = data
    return files if len(files) == len(manifest.content.files) else None
