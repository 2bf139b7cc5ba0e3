"""One publication point, judged: a pure function of its issuer, its files and the time (RFC 9286 section 6).

A manifest that is missing, invalid or stale, a listed file that is missing or differs, or a CRL that cannot be used
fail the whole point (section 6.6, "failed fetch"). An object that is listed and intact, yet invalid, costs only itself
and what hangs below it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from rpkival.errors import LimitError, ObjectError, RpkivalError
from rpkival.limits import MAX_POINT_BYTES, MAX_POINT_VRPS, MAX_ROUTER_ASNS
from rpkival.objects.aspa import parse_aspa
from rpkival.objects.certificate import Certificate, Role, is_router_certificate, parse_certificate
from rpkival.objects.crl import Crl, parse_crl
from rpkival.objects.ghostbusters import parse_ghostbusters
from rpkival.objects.manifest import Manifest, parse_manifest
from rpkival.objects.place import Accepted
from rpkival.objects.prefix_list import parse_prefix_list
from rpkival.objects.record import Record
from rpkival.objects.resources import Ranges, Resources, first_outside
from rpkival.objects.roa import RoaContent, check_roa_within, parse_roa
from rpkival.objects.signatures import CheckSignature, SignatureBatch
from rpkival.objects.times import format_time
from rpkival.objects.trust_anchor_key import TakContent, parse_tak
from rpkival.validation.issuer import Issuer, Judge, check_revocation
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

_Good = tuple[RoaContent, int] | ValidatedAspa | ValidatedRouterKey | Issuer | TakContent | None
"""What a file came to that may be used; of a ROA, content and end. None where it is good and nothing else counts."""

_TOGETHER: Final = 128
"""Files whose signatures are checked together: what is parsed of them meanwhile lies in memory."""

Read = Callable[[str, bytes], bytes | None]
"""The object of a file name and a SHA-256 in the CA's directory, or None; what has another digest counts as changed."""


@dataclass(frozen=True, slots=True)
class PublicationPoint(Record):
    """What one publication point came to. Of one that failed there are only rejections and counts.

    What is in it expires as it says itself, or when the chain above the point ends.
    """

    uri: str
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


@dataclass(frozen=True, slots=True)
class _Opened:
    """A point whose manifest, listed files and CRL are all as they must be."""

    files: dict[str, bytes]
    digests: dict[str, bytes]
    crl: Crl
    crl_uri: str
    expires: int
    accepted: Accepted


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
        RoaPacker(issuer.trust_anchor, issuer.repository).block(),
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
    found = _Found(RoaPacker(issuer.trust_anchor, issuer.repository))
    names = list(opened.files)
    for start in range(0, len(names), _TOGETHER):
        _judge_files(judge, opened, names[start : start + _TOGETHER], tally, found)
        if found.roas.vrps > MAX_POINT_VRPS:
            return lost_point(issuer, LimitError(f"The CA has more than {MAX_POINT_VRPS} VRPs; none is used."))
    tally.count("vrps", found.roas.vrps)
    return PublicationPoint(
        issuer.manifest,
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
    expires = min(manifest.certificate.not_after, manifest.content.next_update, crl.next_update)
    assert data is not None
    content = manifest.content
    accepted = Accepted(hashlib.sha256(data).digest(), content.number, content.this_update)
    return _Opened(files, content.files, crl, crl_uri, expires, accepted)


def _judge_manifest(judge: Judge, data: bytes | None) -> Manifest:
    if data is None:
        raise ObjectError("RFC 9286 section 6.2", "The manifest is missing, so nothing of this CA can be used.")
    manifest = parse_manifest(data, strict=judge.strict)
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


@dataclass(frozen=True, slots=True)
class _Found:
    """What is good of a point, while it is judged."""

    roas: RoaPacker
    aspas: list[ValidatedAspa] = field(default_factory=list)
    router_keys: list[ValidatedRouterKey] = field(default_factory=list)
    children: list[Issuer] = field(default_factory=list)
    anchor_keys: list[TakContent] = field(default_factory=list)

    def add(self, name: str, digest: bytes, good: _Good) -> None:
        if isinstance(good, tuple):
            self.roas.add(name, digest, *good)
        elif isinstance(good, ValidatedAspa):
            self.aspas.append(good)
        elif isinstance(good, ValidatedRouterKey):
            self.router_keys.append(good)
        elif isinstance(good, TakContent):
            self.anchor_keys.append(good)
        elif good is not None:
            self.children.append(good)


def _judge_files(judge: Judge, opened: _Opened, names: Sequence[str], tally: Tally, found: _Found) -> None:
    """Judge so many of the files, with all their signatures checked together."""
    signatures: SignatureBatch[str] = SignatureBatch("")
    judged: dict[str, _Good | ObjectError | LimitError] = {}
    for name in names:
        signatures.of = name
        judge_file = _JUDGES.get(name[-4:])
        if judge_file is not None:
            try:
                judged[name] = judge_file(judge, opened, name, signatures.check)
            except (ObjectError, LimitError) as error:
                judged[name] = error
        elif not name.endswith(".crl"):
            tally.count("other_files_ignored")
    faults = signatures.faults()
    for name, good in judged.items():
        outcome = faults.get(name, good)
        kind = _kind(name, opened.files[name], good)
        if isinstance(outcome, Exception):
            tally.count(f"{kind}_rejected")
            tally.reject(judge.issuer.repository + name, opened.files[name], outcome)
        else:
            tally.count(f"{kind}_valid")
            found.add(name, opened.digests[name], outcome)


def _kind(name: str, data: bytes, judged: object) -> str:
    """What a file counts as."""
    if not name.endswith(".cer"):
        return _KINDS[name[-4:]]
    is_for_router = isinstance(judged, ValidatedRouterKey) or (
        not isinstance(judged, Issuer) and is_router_certificate(data)
    )
    return "router_certificates" if is_for_router else "certificates"


def _judge_roa(judge: Judge, opened: _Opened, name: str, check: CheckSignature) -> tuple[RoaContent, int]:
    roa = parse_roa(opened.files[name], check=check, strict=judge.strict)
    check_revocation(roa.certificate, opened.crl, opened.crl_uri)
    resources = judge.certificate(roa.certificate, check)
    if roa.certificate.reconsidered:
        check_roa_within(roa.content, resources)
    return roa.content, min(opened.expires, roa.certificate.not_after)


def _judge_aspa(judge: Judge, opened: _Opened, name: str, check: CheckSignature) -> ValidatedAspa:
    aspa = parse_aspa(opened.files[name], check=check, strict=judge.strict)
    check_revocation(aspa.certificate, opened.crl, opened.crl_uri)
    _check_number(aspa.content.customer, judge.certificate(aspa.certificate, check))
    expires = min(opened.expires, aspa.certificate.not_after)
    uri = judge.issuer.repository + name
    return ValidatedAspa(uri, judge.issuer.trust_anchor, aspa.content.customer, aspa.content.providers, expires)


def _judge_ghostbusters(judge: Judge, opened: _Opened, name: str, check: CheckSignature) -> None:
    record = parse_ghostbusters(opened.files[name], check=check, strict=judge.strict)
    check_revocation(record.certificate, opened.crl, opened.crl_uri)
    judge.certificate(record.certificate, check)


def _judge_prefix_list(judge: Judge, opened: _Opened, name: str, check: CheckSignature) -> None:
    prefix_list = parse_prefix_list(opened.files[name], check=check, strict=judge.strict)
    check_revocation(prefix_list.certificate, opened.crl, opened.crl_uri)
    _check_number(prefix_list.content.asn, judge.certificate(prefix_list.certificate, check))


def _check_number(asn: int, resources: Resources) -> None:
    """Where claims are reconsidered, less than what a certificate claims is left of it."""
    if first_outside(resources.asn, ((asn, asn),)) is not None:
        raise ObjectError("RFC 8360 section 4.2", f"The object is about AS{asn}, which its issuer does not have.")


def _judge_tak(judge: Judge, opened: _Opened, name: str, check: CheckSignature) -> TakContent:
    tak = parse_tak(opened.files[name], check=check, strict=judge.strict)
    check_revocation(tak.certificate, opened.crl, opened.crl_uri)
    judge.certificate(tak.certificate, check)
    if len(judge.issuer.chain) != 1:
        raise ObjectError("RFC 9691 section 3.3", "A trust anchor key object is here, but this is no trust anchor.")
    return tak.content


def _judge_certificate(judge: Judge, opened: _Opened, name: str, check: CheckSignature) -> Issuer | ValidatedRouterKey:
    data = opened.files[name]
    try:
        certificate = parse_certificate(data, Role.CA)
    except (ObjectError, LimitError):
        if is_router_certificate(data):
            return _judge_router_certificate(judge, opened, name, check)
        raise
    check_revocation(certificate, opened.crl, opened.crl_uri)
    resources = judge.certificate(certificate, check)
    return judge.issuer.issued(certificate, judge.issuer.repository + name, resources, opened.expires)


def _judge_router_certificate(judge: Judge, opened: _Opened, name: str, check: CheckSignature) -> ValidatedRouterKey:
    certificate = parse_certificate(opened.files[name], Role.ROUTER)
    check_revocation(certificate, opened.crl, opened.crl_uri)
    asns = _router_asns(judge.certificate(certificate, check).asn)
    expires = min(opened.expires, certificate.not_after)
    uri = judge.issuer.repository + name
    anchor = judge.issuer.trust_anchor
    return ValidatedRouterKey(uri, anchor, asns, certificate.subject_key_id, certificate.key_info, expires)


def _router_asns(asns: Ranges) -> Ranges:
    if not asns:
        raise ObjectError("RFC 8360 section 4.2", "The router certificate has no AS number that its issuer has.")
    number = sum(last - first + 1 for first, last in asns)
    if number > MAX_ROUTER_ASNS:
        raise LimitError(f"The router certificate is for {number} ASes; {MAX_ROUTER_ASNS} are allowed.")
    return asns


_JUDGES: Final[dict[str, Callable[[Judge, _Opened, str, CheckSignature], _Good]]] = {
    ".roa": _judge_roa,
    ".asa": _judge_aspa,
    ".cer": _judge_certificate,
    ".gbr": _judge_ghostbusters,
    ".spl": _judge_prefix_list,
    ".tak": _judge_tak,
}
_KINDS: Final = {".roa": "roas", ".asa": "aspas", ".gbr": "ghostbusters", ".spl": "prefix_lists", ".tak": "taks"}
"""What files count as; it takes a look to tell certificates of CAs from those of routers."""
