"""One publication point, judged: a pure function of its issuer, its files and the time (RFC 9286 section 6).

A manifest that is missing, invalid or stale, a listed file that is missing or differs, or a CRL that cannot be used
fail the whole point (section 6.6, "failed fetch"). An object that is listed and intact, yet invalid, costs only itself
and what hangs below it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from rpkival.errors import LimitError, ObjectError, RpkivalError
from rpkival.limits import MAX_POINT_BYTES, MAX_POINT_VRPS, MAX_ROUTER_ASNS
from rpkival.objects.aspa import parse_aspa
from rpkival.objects.certificate import Role, is_router_certificate, parse_certificate
from rpkival.objects.crl import Crl, parse_crl
from rpkival.objects.manifest import Manifest, parse_manifest
from rpkival.objects.place import Accepted
from rpkival.objects.resources import Ranges
from rpkival.objects.roa import parse_roa
from rpkival.objects.times import format_time
from rpkival.validation.issuer import Issuer, Judge, check_revocation
from rpkival.validation.report import (
    FAULT_SECTION,
    Counts,
    Rejection,
    Tally,
    ValidatedAspa,
    ValidatedRoa,
    ValidatedRouterKey,
)

__all__ = ["PublicationPoint", "Read", "file_name", "judge_publication_point", "lost_point"]

Read = Callable[[str, bytes], bytes | None]
"""The object of a file name and a SHA-256 in the CA's directory, or None; what has another digest counts as changed."""


@dataclass(frozen=True, slots=True)
class PublicationPoint:
    """What one publication point came to. Of one that failed there are only rejections and counts."""

    uri: str
    roas: tuple[ValidatedRoa, ...]
    aspas: tuple[ValidatedAspa, ...]
    router_keys: tuple[ValidatedRouterKey, ...]
    children: tuple[Issuer, ...]
    rejections: tuple[Rejection, ...]
    counts: Counts
    accepted: Accepted | None
    """The manifest; None where the point failed."""
    files: tuple[tuple[str, bytes], ...]
    """Names and digests of all that the point consists of, the manifest's among them."""
    valid_from: int
    valid_until: int
    """Unix seconds between which judging the same files again gives the same."""
    repeatable: bool
    """Whether it does: not where a file was missing or differed, or where the fault was ours."""


@dataclass(frozen=True, slots=True)
class _Opened:
    """A point whose manifest, listed files and CRL are all as they must be."""

    files: dict[str, bytes]
    digests: dict[str, bytes]
    crl: Crl
    crl_uri: str
    expires: int
    accepted: Accepted


def judge_publication_point(issuer: Issuer, manifest: bytes | None, read: Read, now: int) -> PublicationPoint:
    """Everything the issuer has published under this manifest that may be used at `now` (unix seconds).

    Raises nothing but what `read` raises of our own errors. A fault of ours that an object brings to light costs the
    point of the CA that published it: were it to end the run, any CA could keep all others' changes from our routers.
    """
    try:
        return _judge(issuer, manifest, read, now)
    except (RpkivalError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 - panics of the decoder, written in Rust, are no Exceptions
        sentence = (
            f"Judging this publication point failed ({type(error).__name__}: {str(error)[:200]}); please report it."
        )
        return lost_point(issuer, ObjectError(FAULT_SECTION, sentence))


def lost_point(issuer: Issuer, error: ObjectError | LimitError) -> PublicationPoint:
    """A point of which nothing is used but the reason."""
    tally = Tally(issuer.trust_anchor)
    tally.count("publication_points_rejected")
    tally.reject(issuer.manifest, None, error)
    return PublicationPoint(
        issuer.manifest, (), (), (), (), tally.rejections(issuer.manifest), tally.counts, None, (), 0, 0, False
    )


def _judge(issuer: Issuer, manifest: bytes | None, read: Read, now: int) -> PublicationPoint:
    tally = Tally(issuer.trust_anchor)
    judge = Judge(issuer, now)
    opened = _open(judge, manifest, read, tally)
    roas: list[ValidatedRoa] = []
    aspas: list[ValidatedAspa] = []
    router_keys: list[ValidatedRouterKey] = []
    children: list[Issuer] = []
    vrps = 0
    if opened is None:
        tally.count("publication_points_rejected")
    else:
        tally.count("publication_points_valid")
        for name, data in opened.files.items():
            uri = issuer.repository + name
            if name.endswith(".roa"):
                roa = _judge_roa(judge, opened, uri, data, opened.digests[name], tally)
                if roa is not None:
                    roas.append(roa)
                    vrps += len(roa.ipv4) + len(roa.ipv6)
                    if vrps > MAX_POINT_VRPS:
                        return lost_point(
                            issuer, LimitError(f"The CA has more than {MAX_POINT_VRPS} VRPs; none is used.")
                        )
            elif name.endswith(".cer"):
                child = _judge_certificate(judge, opened, uri, data, tally)
                if isinstance(child, Issuer):
                    children.append(child)
                elif child is not None:
                    router_keys.append(child)
            elif name.endswith(".asa"):
                aspa = _judge_aspa(judge, opened, uri, data, tally)
                if aspa is not None:
                    aspas.append(aspa)
            elif not name.endswith(".crl"):
                tally.count("other_files_ignored")
    return PublicationPoint(
        issuer.manifest,
        tuple(roas),
        tuple(aspas),
        tuple(router_keys),
        tuple(children),
        tally.rejections(issuer.manifest),
        tally.counts,
        None if opened is None else opened.accepted,
        () if opened is None else _files(issuer, opened),
        judge.valid_from,
        judge.valid_until,
        repeatable=judge.repeatable,
    )


def _files(issuer: Issuer, opened: _Opened) -> tuple[tuple[str, bytes], ...]:
    return ((file_name(issuer.manifest), opened.accepted.sha256), *opened.digests.items())


def file_name(uri: str) -> str:
    """Its last segment."""
    return uri.rpartition("/")[2]


def _open(judge: Judge, data: bytes | None, read: Read, tally: Tally) -> _Opened | None:
    issuer = judge.issuer
    try:
        manifest = _judge_manifest(judge, data)
        crl_name = _crl_name(manifest, issuer)
    except (ObjectError, LimitError) as error:
        tally.count("manifests_rejected")
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
    expires = min(issuer.expires, manifest.certificate.not_after, manifest.content.next_update, crl.next_update)
    assert data is not None
    content = manifest.content
    accepted = Accepted(hashlib.sha256(data).digest(), content.number, content.this_update)
    return _Opened(files, content.files, crl, crl_uri, expires, accepted)


def _judge_manifest(judge: Judge, data: bytes | None) -> Manifest:
    if data is None:
        raise ObjectError("RFC 9286 section 6.2", "The manifest is missing, so nothing of this CA can be used.")
    manifest = parse_manifest(data)
    judge.certificate(manifest.certificate)
    section = "RFC 9286 section 6.3"
    content = manifest.content
    early = judge.is_early(content.this_update, content.next_update)
    if early:
        raise ObjectError(section, f"The manifest is not valid before {format_time(content.this_update)}.")
    if early is not None:
        raise ObjectError(
            section, f"The manifest was to be replaced by {format_time(content.next_update)} and is stale."
        )
    return manifest


def _crl_name(manifest: Manifest, issuer: Issuer) -> str:
    """The one CRL on the manifest, which must be the one the manifest's own certificate refers to."""
    names = [name for name in manifest.content.files if name.endswith(".crl")]
    if len(names) != 1:
        raise ObjectError("RFC 9286 section 4.2.1", f"The manifest lists {len(names)} CRLs instead of one.")
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
            tally.reject(uri, None, LimitError(f"The publication point has more than {MAX_POINT_BYTES} octets."))
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


def _judge_roa(
    judge: Judge, opened: _Opened, uri: str, data: bytes, digest: bytes, tally: Tally
) -> ValidatedRoa | None:
    try:
        roa = parse_roa(data)
        check_revocation(roa.certificate, opened.crl, opened.crl_uri)
        judge.certificate(roa.certificate)
    except (ObjectError, LimitError) as error:
        tally.count("roas_rejected")
        tally.reject(uri, data, error)
        return None
    content = roa.content
    tally.count("roas_valid")
    tally.count("vrps", len(content.ipv4) + len(content.ipv6))
    expires = min(opened.expires, roa.certificate.not_after)
    return ValidatedRoa(uri, digest.hex(), judge.issuer.trust_anchor, content.asn, content.ipv4, content.ipv6, expires)


def _judge_certificate(
    judge: Judge, opened: _Opened, uri: str, data: bytes, tally: Tally
) -> Issuer | ValidatedRouterKey | None:
    try:
        certificate = parse_certificate(data, Role.CA)
        check_revocation(certificate, opened.crl, opened.crl_uri)
        resources = judge.certificate(certificate)
        child = judge.issuer.issued(certificate, uri, resources, opened.expires)
    except (ObjectError, LimitError) as error:
        if is_router_certificate(data):
            return _judge_router_certificate(judge, opened, uri, data, tally)
        tally.count("certificates_rejected")
        tally.reject(uri, data, error)
        return None
    tally.count("certificates_valid")
    return child


def _judge_aspa(judge: Judge, opened: _Opened, uri: str, data: bytes, tally: Tally) -> ValidatedAspa | None:
    try:
        aspa = parse_aspa(data)
        check_revocation(aspa.certificate, opened.crl, opened.crl_uri)
        judge.certificate(aspa.certificate)
    except (ObjectError, LimitError) as error:
        tally.count("aspas_rejected")
        tally.reject(uri, data, error)
        return None
    tally.count("aspas_valid")
    expires = min(opened.expires, aspa.certificate.not_after)
    return ValidatedAspa(uri, judge.issuer.trust_anchor, aspa.content.customer, aspa.content.providers, expires)


def _judge_router_certificate(
    judge: Judge, opened: _Opened, uri: str, data: bytes, tally: Tally
) -> ValidatedRouterKey | None:
    try:
        certificate = parse_certificate(data, Role.ROUTER)
        check_revocation(certificate, opened.crl, opened.crl_uri)
        asns = _router_asns(judge.certificate(certificate).asn)
    except (ObjectError, LimitError) as error:
        tally.count("router_certificates_rejected")
        tally.reject(uri, data, error)
        return None
    tally.count("router_certificates_valid")
    expires = min(opened.expires, certificate.not_after)
    anchor = judge.issuer.trust_anchor
    return ValidatedRouterKey(uri, anchor, asns, certificate.subject_key_id, certificate.key_info, expires)


def _router_asns(asns: Ranges) -> Ranges:
    number = sum(last - first + 1 for first, last in asns)
    if number > MAX_ROUTER_ASNS:
        raise LimitError(f"The router certificate is for {number} ASes; {MAX_ROUTER_ASNS} are allowed.")
    return asns
