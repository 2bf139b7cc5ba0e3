"""The files of a publication point, each judged by what its name says it is, all their signatures together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from rpkival.errors import LimitError, ObjectError
from rpkival.limits import MAX_ROUTER_ASNS
from rpkival.objects.aspa import parse_aspa
from rpkival.objects.certificate import Role, is_router_certificate, parse_certificate
from rpkival.objects.crl import Crl
from rpkival.objects.ghostbusters import parse_ghostbusters
from rpkival.objects.place import Accepted
from rpkival.objects.prefix_list import parse_prefix_list
from rpkival.objects.resources import Claim, Ranges, Resources, first_outside
from rpkival.objects.roa import RoaContent, check_roa_within, parse_roa
from rpkival.objects.signatures import CheckSignature, SignatureBatch
from rpkival.objects.trust_anchor_key import TakContent, parse_tak
from rpkival.validation.issuer import Issuer, Judge, check_revocation
from rpkival.validation.lifetime import Chain, Lifetime
from rpkival.validation.report import (
    Tally,
    ValidatedAspa,
    ValidatedRouterKey,
)
from rpkival.validation.roas import RoaPacker

__all__ = ["TOGETHER", "Found", "Opened", "judge_files"]

_Good = tuple[RoaContent, int, int] | ValidatedAspa | ValidatedRouterKey | Issuer | TakContent | None
"""What a file came to that may be used; of a ROA, content and times of its certificate. None where it is good and
nothing else counts."""

TOGETHER: Final = 128
"""Files whose signatures are checked together: what is parsed of them meanwhile lies in memory."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A point whose manifest, listed files and CRL are all as they must be."""

    files: dict[str, bytes]
    digests: dict[str, bytes]
    crl: Crl
    crl_uri: str
    chain: Chain
    accepted: Accepted


@dataclass(frozen=True, slots=True)
class Found:
    """What is good of a point, while it is judged."""

    roas: RoaPacker
    aspas: list[ValidatedAspa] = field(default_factory=list)
    router_keys: list[ValidatedRouterKey] = field(default_factory=list)
    children: list[Issuer] = field(default_factory=list)
    anchor_keys: list[TakContent] = field(default_factory=list)

    def add(self, name: str, digest: bytes, good: _Good) -> None:
        """One file more: what its judge made of it."""
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


def judge_files(judge: Judge, opened: Opened, names: Sequence[str], tally: Tally, found: Found) -> None:
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


def _judge_roa(judge: Judge, opened: Opened, name: str, check: CheckSignature) -> tuple[RoaContent, int, int]:
    roa = parse_roa(opened.files[name], check=check, strict=judge.strict)
    check_revocation(roa.certificate, opened.crl, opened.crl_uri)
    resources = judge.certificate(roa.certificate, check)
    if roa.certificate.reconsidered:
        check_roa_within(roa.content, resources)
    return roa.content, roa.certificate.not_before, roa.certificate.not_after


def _judge_aspa(judge: Judge, opened: Opened, name: str, check: CheckSignature) -> ValidatedAspa:
    aspa = parse_aspa(opened.files[name], check=check, strict=judge.strict)
    check_revocation(aspa.certificate, opened.crl, opened.crl_uri)
    _check_number(aspa.content.customer, judge.certificate(aspa.certificate, check))
    lifetime = Lifetime.of(aspa.certificate.not_before, aspa.certificate.not_after, opened.chain)
    uri = judge.issuer.repository + name
    return ValidatedAspa(uri, judge.issuer.trust_anchor, aspa.content.customer, aspa.content.providers, lifetime)


def _judge_ghostbusters(judge: Judge, opened: Opened, name: str, check: CheckSignature) -> None:
    record = parse_ghostbusters(opened.files[name], check=check, strict=judge.strict)
    check_revocation(record.certificate, opened.crl, opened.crl_uri)
    judge.certificate(record.certificate, check)


def _judge_prefix_list(judge: Judge, opened: Opened, name: str, check: CheckSignature) -> None:
    prefix_list = parse_prefix_list(opened.files[name], check=check, strict=judge.strict)
    check_revocation(prefix_list.certificate, opened.crl, opened.crl_uri)
    _check_number(prefix_list.content.asn, judge.certificate(prefix_list.certificate, check))


def _check_number(asn: int, resources: Resources) -> None:
    """Where claims are reconsidered, less than what a certificate claims is left of it."""
    if first_outside(resources.asn, ((asn, asn),)) is not None:
        raise ObjectError("RFC 8360 section 4.2.4.4", f"The object is about AS{asn}, which its issuer does not have.")


def _judge_tak(judge: Judge, opened: Opened, name: str, check: CheckSignature) -> TakContent:
    tak = parse_tak(opened.files[name], check=check, strict=judge.strict)
    check_revocation(tak.certificate, opened.crl, opened.crl_uri)
    judge.certificate(tak.certificate, check)
    section = "RFC 9691 section 2.3"
    if len(judge.issuer.chain) != 1:
        raise ObjectError(section, "A trust anchor key object is here, but this is no trust anchor.")
    if sum(each.endswith(".tak") for each in opened.files) != 1:
        raise ObjectError(section, "The manifest lists several trust anchor key objects, of which none counts then.")
    if tak.content.current.key_info != judge.issuer.key_info:
        raise ObjectError(section, "The current key is not the trust anchor's.")
    return tak.content


def _judge_certificate(judge: Judge, opened: Opened, name: str, check: CheckSignature) -> Issuer | ValidatedRouterKey:
    data = opened.files[name]
    try:
        certificate = parse_certificate(data, Role.CA)
    except (ObjectError, LimitError):
        if is_router_certificate(data):
            return _judge_router_certificate(judge, opened, name, check)
        raise
    check_revocation(certificate, opened.crl, opened.crl_uri)
    resources = judge.certificate(certificate, check)
    return judge.issuer.issued(certificate, judge.issuer.repository + name, resources, opened.chain)


def _judge_router_certificate(judge: Judge, opened: Opened, name: str, check: CheckSignature) -> ValidatedRouterKey:
    certificate = parse_certificate(opened.files[name], Role.ROUTER)
    check_revocation(certificate, opened.crl, opened.crl_uri)
    asns = _router_asns(judge.certificate(certificate, check).asn, certificate.resources.asn)
    lifetime = Lifetime.of(certificate.not_before, certificate.not_after, opened.chain)
    uri = judge.issuer.repository + name
    anchor = judge.issuer.trust_anchor
    return ValidatedRouterKey(uri, anchor, asns, certificate.subject_key_id, certificate.key_info, lifetime)


def _router_asns(asns: Ranges, claim: Claim) -> Ranges:
    if asns != claim:
        raise ObjectError(
            "RFC 8360 section 4.2.6", "The router certificate has AS numbers that its issuer does not have."
        )
    number = sum(last - first + 1 for first, last in asns)
    if number > MAX_ROUTER_ASNS:
        raise LimitError(f"The router certificate is for {number} ASes; {MAX_ROUTER_ASNS} are allowed.")
    return asns


_JUDGES: Final[dict[str, Callable[[Judge, Opened, str, CheckSignature], _Good]]] = {
    ".roa": _judge_roa,
    ".asa": _judge_aspa,
    ".cer": _judge_certificate,
    ".gbr": _judge_ghostbusters,
    ".spl": _judge_prefix_list,
    ".tak": _judge_tak,
}
_KINDS: Final = {".roa": "roas", ".asa": "aspas", ".gbr": "ghostbusters", ".spl": "prefix_lists", ".tak": "taks"}
"""What files count as; it takes a look to tell certificates of CAs from those of routers."""
