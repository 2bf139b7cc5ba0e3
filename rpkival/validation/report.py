"""What a validation found, in words and numbers; every class can be written as JSON by `msgspec`."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from operator import attrgetter

from rpkival.errors import LimitError, ObjectError
from rpkival.limits import MAX_REJECTIONS_PER_POINT
from rpkival.objects.record import Record
from rpkival.objects.resources import Ranges, Resources
from rpkival.validation.lifetime import Lifetime
from rpkival.validation.roas import ValidatedRoas

__all__ = [
    "LIMIT_SECTION",
    "Counts",
    "FetchProblem",
    "Rejection",
    "RenamedManifest",
    "Report",
    "RepositoryReport",
    "Share",
    "Successor",
    "Tally",
    "TrustAnchorReport",
    "ValidatedAspa",
    "ValidatedRouterKey",
    "ValidationRun",
]

LIMIT_SECTION = "limit of this validator"
"""In place of an RFC section where a bound of `rpkival.limits` was passed."""

FAULT_SECTION = "fault of this validator"
"""In place of an RFC section where we could not judge."""


@dataclass(frozen=True, slots=True)
class Rejection(Record):
    """One object that was not used, and why. `sha256` is hex, "" where there was no object."""

    uri: str
    sha256: str
    section: str
    sentence: str
    trust_anchor: str

    @property
    def fails_its_point(self) -> bool:
        """Whether all of its publication point went with it: by its manifest or CRL, or by RFC 9286, which has a point
        not be used where any file on the manifest is missing (section 6.4) or another (section 6.5).
        """
        return self.uri.endswith((".mft", ".crl")) or self.section.startswith("RFC 9286")

    @property
    def breaks_a_ca(self) -> bool:
        """Whether all below a CA may have gone with it: by its publication point, or by its certificate."""
        return self.uri.endswith(".cer") or self.fails_its_point


@dataclass(frozen=True, slots=True)
class FetchProblem:
    """A repository that could not be fetched; what was there of it was used."""

    uri: str
    sentence: str


@dataclass(frozen=True, slots=True)
class RenamedManifest:
    """A CA that publishes its manifest under another name than in the last run. URIs; `trust_anchor` is a name."""

    trust_anchor: str
    before: str
    now: str

    @property
    def sentence(self) -> str:
        """For people."""
        return (
            f"A CA under {self.trust_anchor} publishes its manifest at {self.now} and no longer at {self.before}: by "
            "this it may begin to count its manifests anew (RFC 9981)."
        )


@dataclass(frozen=True, slots=True)
class Counts(Record):
    """How many of each; `certificates` are those of CAs, the trust anchor's own among them.

    Of manifests and CRLs that were rejected, it is told how many were not there, or not yet or no longer valid.
    """

    publication_points_valid: int = 0
    publication_points_rejected: int = 0
    certificates_valid: int = 0
    certificates_rejected: int = 0
    manifests_valid: int = 0
    manifests_rejected: int = 0
    manifests_missing: int = 0
    manifests_premature: int = 0
    manifests_stale: int = 0
    crls_valid: int = 0
    crls_rejected: int = 0
    crls_premature: int = 0
    crls_stale: int = 0
    roas_valid: int = 0
    roas_rejected: int = 0
    aspas_valid: int = 0
    aspas_rejected: int = 0
    router_certificates_valid: int = 0
    router_certificates_rejected: int = 0
    ghostbusters_valid: int = 0
    ghostbusters_rejected: int = 0
    prefix_lists_valid: int = 0
    prefix_lists_rejected: int = 0
    taks_valid: int = 0
    taks_rejected: int = 0
    other_files_ignored: int = 0
    vrps: int = 0

    @classmethod
    def sum(cls, parts: Iterable[Counts]) -> Counts:
        """All parts together."""
        columns = zip(*map(_numbers, parts), strict=True)
        return cls(**dict(zip(_COUNT_NAMES, map(sum, columns), strict=False)))


_COUNT_NAMES = tuple(field.name for field in fields(Counts))
_numbers = attrgetter(*_COUNT_NAMES)


@dataclass(frozen=True, slots=True)
class ValidatedAspa(Record):
    """One ASPA that may be used; `providers` ascending and unique."""

    uri: str
    trust_anchor: str
    customer: int
    providers: tuple[int, ...]
    lifetime: Lifetime

    @property
    def expires(self) -> int:
        """When the first signature of its chain ends, in unix seconds."""
        return self.lifetime.expires


@dataclass(frozen=True, slots=True)
class ValidatedRouterKey(Record):
    """One router certificate that may be used: a key, for each of its ASes given as ranges (RFC 8209)."""

    uri: str
    trust_anchor: str
    asns: Ranges
    key_id: bytes
    key_info: bytes
    lifetime: Lifetime

    @property
    def expires(self) -> int:
        """When the first signature of its chain ends, in unix seconds."""
        return self.lifetime.expires


@dataclass(frozen=True, slots=True)
class Successor:
    """A trust anchor's next locator; `key` is its SubjectPublicKeyInfo in base64, as locators have it."""

    uris: tuple[str, ...]
    key: str


@dataclass(frozen=True, slots=True)
class Share:
    """What valid objects say of one `kind`: VRPs of `ipv4` and of `ipv6`, `aspas`, `router_keys` (one for each AS).

    `valid` counts each as often as it is said. Of equal ones the payload has one: `unique` are those that it has from
    here, and `duplicates` the rest. `unsafe` are the valid VRPs that overlap with what a CA holds of which nothing can
    be used: what that CA would say of the same addresses is not known, and a route that it would allow may be invalid.
    """

    kind: str
    valid: int
    unique: int
    duplicates: int
    unsafe: int = 0


@dataclass(frozen=True, slots=True)
class TrustAnchorReport:
    """One trust anchor. `uri` is where its certificate came from, "" where none could be used.

    `complete` is False where the tree passed a limit: what was not read of it has not been withdrawn by anybody.
    `successor` is the key that the trust anchor says will follow its own (RFC 9691), None where it says nothing so.
    `manifest_gaps` and `shares` are as in `RepositoryReport`.
    """

    name: str
    uri: str
    counts: Counts
    complete: bool = True
    successor: Successor | None = None
    manifest_gaps: int = 0
    shares: tuple[Share, ...] = ()


@dataclass(frozen=True, slots=True)
class RepositoryReport:
    """What one repository served under one trust anchor. `uri` is its notification file's or its rsync module's.

    `manifest_gaps` counts the CAs whose manifest this run accepted in place of one whose number is not the one before.
    `shares` are those in the payload, () as long as it has not been collected.
    """

    trust_anchor: str
    uri: str
    counts: Counts
    manifest_gaps: int = 0
    shares: tuple[Share, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A run without its payload, for `--report` and the page."""

    now: int
    trust_anchors: tuple[TrustAnchorReport, ...]
    rejections: tuple[Rejection, ...]
    fetch_problems: tuple[FetchProblem, ...]
    repositories: tuple[RepositoryReport, ...] = ()
    renamed_manifests: tuple[RenamedManifest, ...] = ()


@dataclass(frozen=True, slots=True)
class ValidationRun:
    """The result of one validation that began at `now` (unix seconds).

    `servers`: which repository serves those ASPAs and router keys, by their trust anchor and directory. `lost`: what is
    certified to CAs of which nothing can be used.
    """

    now: int
    trust_anchors: tuple[TrustAnchorReport, ...]
    roas: ValidatedRoas
    rejections: tuple[Rejection, ...]
    fetch_problems: tuple[FetchProblem, ...]
    aspas: tuple[ValidatedAspa, ...] = ()
    router_keys: tuple[ValidatedRouterKey, ...] = ()
    repositories: tuple[RepositoryReport, ...] = ()
    renamed_manifests: tuple[RenamedManifest, ...] = ()
    servers: Mapping[tuple[str, str], str] = field(default_factory=dict)
    lost: Resources = field(default_factory=Resources)

    @property
    def counts(self) -> Counts:
        """All trust anchors together."""
        return Counts.sum(anchor.counts for anchor in self.trust_anchors)

    @property
    def report(self) -> Report:
        """All but the payload."""
        return Report(
            self.now,
            self.trust_anchors,
            self.rejections,
            self.fetch_problems,
            self.repositories,
            self.renamed_manifests,
        )


class Tally:
    """Counts and rejections while they come in."""

    def __init__(self, trust_anchor: str) -> None:
        self._trust_anchor = trust_anchor
        self._counts: Counter[str] = Counter()
        self._rejections: list[Rejection] = []
        self._unrecorded = 0

    def count(self, name: str, number: int = 1) -> None:
        """Add to a field of `Counts`."""
        self._counts[name] += number

    def reject(self, uri: str, data: bytes | None, error: ObjectError | LimitError) -> None:
        """Record an object that is not used; beyond `MAX_REJECTIONS_PER_POINT` only how many there were."""
        if len(self._rejections) >= MAX_REJECTIONS_PER_POINT:
            self._unrecorded += 1
            return
        section, sentence = (
            (LIMIT_SECTION, str(error)) if isinstance(error, LimitError) else (error.section, error.sentence)
        )
        sha256 = "" if data is None else hashlib.sha256(data).hexdigest()
        self._rejections.append(Rejection(uri, sha256, section, sentence, self._trust_anchor))

    @property
    def counts(self) -> Counts:
        """What has been counted."""
        return Counts(**self._counts)

    def rejections(self, uri: str) -> tuple[Rejection, ...]:
        """The records; where some were left out, one more for `uri` says how many."""
        if not self._unrecorded:
            return tuple(self._rejections)
        sentence = f"{self._unrecorded} more objects here were rejected and are not listed."
        return (*self._rejections, Rejection(uri, "", LIMIT_SECTION, sentence, self._trust_anchor))
