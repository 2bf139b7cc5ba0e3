"""A CA whose certificate has been validated, and the judgement of what it issued (RFC 6487 section 7.2)."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from rpkival.errors import LimitError, ObjectError, PrematureError, StaleError
from rpkival.limits import MAX_CA_DEPTH, MAX_UNIX_TIME
from rpkival.objects.certificate import Certificate, Role
from rpkival.objects.constraints import Constraints
from rpkival.objects.crl import Crl
from rpkival.objects.keys import PublicKey, load_key, verifies
from rpkival.objects.place import Place
from rpkival.objects.record import Record
from rpkival.objects.resources import Resources
from rpkival.objects.signatures import CheckSignature, check_signature
from rpkival.objects.tal import USUAL_TERMS, Terms
from rpkival.objects.times import format_time
from rpkival.validation.lifetime import Chain

__all__ = ["CONSTRAINTS_SECTION", "Issuer", "Judge"]

CONSTRAINTS_SECTION = "constraints on the trust anchor"
"""In place of an RFC section where the object breaks what whoever runs the validator has laid down."""

_SECTION = "RFC 6487 section 7.2"
_BAD_SIGNATURE = (_SECTION, "The certificate's signature does not verify with its issuer's key.")


@dataclass(frozen=True, slots=True)
class Issuer(Record):
    """What judging a CA's publication point rests on; plain values, so that it can travel and be a key of a memo.

    `signed` is how long what the issuer above has signed for it holds (certificate, manifest and CRL); how long the
    chain further up does is left to who walks it. `chain` has the key identifiers from the trust anchor down, this CA's
    own last.
    """

    trust_anchor: str
    uri: str
    subject: bytes
    subject_key_id: bytes
    key_info: bytes
    resources: Resources
    repository: str
    manifest: str
    notify: str
    signed: Chain
    chain: tuple[bytes, ...]

    decisive: bytes
    """Two CAs that are equal in this get the same from the same files.

    The key and the manifest alone are not enough: anybody can issue a certificate for a stranger's, with resources
    that leave nothing of the stranger's objects, and the stranger's own certificate must count all the same.
    """
    terms: Terms = USUAL_TERMS
    """Those on which the trust anchor above is taken."""

    @property
    def expires(self) -> int:
        """When the first of what the issuer above has signed for it ends, in unix seconds."""
        return self.signed.expires

    @property
    def place(self) -> Place:
        """Where it publishes."""
        return Place(self.repository, self.manifest, self.notify, sha256(self.key_info).digest())

    @classmethod
    def of(
        cls, certificate: Certificate, uri: str, trust_anchor: str, resources: Resources, terms: Terms = USUAL_TERMS
    ) -> Issuer:
        """A trust anchor."""
        return cls._of(certificate, uri, trust_anchor, resources, _chain(certificate), (), terms)

    def issued(self, certificate: Certificate, uri: str, resources: Resources, point: Chain) -> Issuer:
        """A CA below this one; `point` is what its certificate rests on here, beside that itself: manifest and CRL.

        Raises `ObjectError` for a loop, `LimitError` where the chain grows too long.
        """
        if certificate.subject_key_id in self.chain:
            raise ObjectError(_SECTION, "The certificate is for a key that is already in its own chain of issuers.")
        if len(self.chain) >= MAX_CA_DEPTH:
            raise LimitError(f"The chain of certificates is longer than {MAX_CA_DEPTH}.")
        signed = _chain(certificate).under(point)
        return self._of(certificate, uri, self.trust_anchor, resources, signed, self.chain, self.terms)

    @classmethod
    def _of(
        cls,
        certificate: Certificate,
        uri: str,
        trust_anchor: str,
        resources: Resources,
        signed: Chain,
        above: tuple[bytes, ...],
        terms: Terms,
    ) -> Issuer:
        repository = f"{certificate.locations.repository.removesuffix('/')}/"
        manifest = certificate.locations.manifest
        decisive = (certificate.subject, certificate.key_info, resources, repository, manifest, terms)
        return cls(
            trust_anchor,
            uri,
            certificate.subject,
            certificate.subject_key_id,
            certificate.key_info,
            resources,
            repository,
            manifest,
            certificate.locations.notify,
            signed,
            (*above, certificate.subject_key_id),
            sha256(repr(decisive).encode()).digest(),
            terms,
        )


class Judge:
    """Judges certificates and CRLs by one issuer at one time; holds the issuer's key ready, for many are to come."""

    def __init__(self, issuer: Issuer, now: int, *, strict: bool = False) -> None:
        self.issuer = issuer
        self.now = now
        self.strict = strict
        self.valid_from, self.valid_until = 0, MAX_UNIX_TIME
        self.repeatable = True
        self._key: PublicKey = load_key(issuer.key_info)

    def is_early(self, start: int, end: int) -> bool | None:
        """Whether `now` is before what holds from `start` through `end`, or after it (False); None where it is within.

        `valid_from` and `valid_until` become the times between which all that was asked so far has the same answer.
        """
        if self.now < start:
            self.valid_until = min(self.valid_until, start - 1)
            return True
        if self.now > end:
            self.valid_from = max(self.valid_from, end + 1)
            return False
        self.valid_from, self.valid_until = max(self.valid_from, start), min(self.valid_until, end)
        return None

    def crl(self, crl: Crl) -> None:
        """Raise `ObjectError` unless this is the issuer's current CRL."""
        section = "RFC 6487 section 5"
        if crl.issuer != self.issuer.subject:
            raise ObjectError(section, "The CRL's issuer is not the CA.")
        if crl.authority_key_id != self.issuer.subject_key_id:
            raise ObjectError(section, "The CRL's authority key identifier is not the CA's.")
        early = self.is_early(crl.this_update, crl.next_update)
        if early:
            raise PrematureError(section, f"The CRL is not valid before {format_time(crl.this_update)}.")
        if early is not None:
            raise StaleError(section, f"The CRL was to be replaced by {format_time(crl.next_update)} and is stale.")
        if not verifies(self._key, crl.signature, crl.signed):
            raise ObjectError(section, "The CRL's signature does not verify with the CA's key.")

    def certificate(self, certificate: Certificate, check: CheckSignature = check_signature) -> Resources:
        """The resources of a certificate of this issuer. Raises `ObjectError` unless it is valid, revocation aside.

        With another `check` the signature is checked when that says so.
        """
        if certificate.issuer != self.issuer.subject:
            raise ObjectError(_SECTION, "The certificate's issuer is not the subject of the CA that published it.")
        if certificate.authority_key_id != self.issuer.subject_key_id:
            raise ObjectError("RFC 6487 section 4.8.3", "The certificate's authority key identifier is not the CA's.")
        _check_validity(certificate, self.is_early(certificate.not_before, certificate.not_after))
        check(self._key, certificate.signature, certificate.signed, _BAD_SIGNATURE)
        check_terms(certificate, self.issuer.terms)
        claims = certificate.resources
        resources = (claims.of if certificate.reconsidered else claims.under)(self.issuer.resources)
        if self.issuer.terms.constraints is not None and certificate.role is not Role.CA:
            _check_constraints(self.issuer.terms.constraints, certificate)
        return resources


def _chain(certificate: Certificate) -> Chain:
    """The link that a CA's certificate is; what is below it is stale when it ends."""
    return Chain(certificate.not_before, certificate.not_after, certificate.not_after)


def check_terms(certificate: Certificate, terms: Terms) -> None:
    """Raise `ObjectError` where the certificate is of a kind that is not taken."""
    if certificate.reconsidered and not terms.reconsidered:
        sentence = "The certificate asks for the reconsidered validation of RFC 8360, which is not switched on."
        raise ObjectError("RFC 8360 section 4.2.4.1", sentence)


def _check_constraints(constraints: Constraints, certificate: Certificate) -> None:
    violation = constraints.violation(certificate.resources)
    if violation is not None:
        raise ObjectError(
            CONSTRAINTS_SECTION, f"The certificate has {violation}, which the trust anchor may not certify here."
        )


def check_validity(certificate: Certificate, now: int) -> None:
    """Raise `ObjectError` unless the certificate is valid at this time."""
    early = now < certificate.not_before
    _check_validity(certificate, early if early or now > certificate.not_after else None)


def _check_validity(certificate: Certificate, early: bool | None) -> None:
    if early:
        raise PrematureError(_SECTION, f"The certificate is not valid before {format_time(certificate.not_before)}.")
    if early is not None:
        raise StaleError(_SECTION, f"The certificate expired at {format_time(certificate.not_after)}.")


def check_revocation(certificate: Certificate, crl: Crl, crl_uri: str) -> None:
    """Raise `ObjectError` where the certificate is revoked, or refers to another CRL than its issuer's."""
    if crl_uri not in certificate.crl_uris:
        raise ObjectError(
            "RFC 6487 section 4.8.6", "The certificate refers to a CRL that is not its issuer's current one."
        )
    if certificate.serial in crl.revoked:
        raise ObjectError(_SECTION, f"The certificate with serial number {certificate.serial} is revoked.")
