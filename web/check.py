"""The ISP check: from what a browser saw of the beacons to a verdict, as a pure function.

Silence proves nothing. A beacon that does not answer may be off, blocked, or slow. It counts as a dropped route only
beside a control of the same operator that answered every time and quickly, and only when it stayed silent several
times for several seconds. Whatever answers is proof; so a beacon that answers over either route is the better one.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from statistics import median
from typing import Annotated

import msgspec

from rpkival.errors import InputError
from rpkival.limits import MAX_CHECK_SAMPLES
from web.beacons import BeaconFamily, BeaconSet
from web.check_words import HEADLINE_OF_MANY, HEADLINES, words_for
from web.kinds import Kind

__all__ = ["Evidence", "FamilyVerdict", "Outcome", "Role", "Route", "Sample", "Verdict", "judge"]

SAMPLES_NEEDED = 3
"""Silent answers, and answers of the control beside them, that one verdict needs. One lost packet is no verdict."""

PATIENCE_MS = 4000.0
"""How long a beacon must have stayed silent. TCP repeats a lost SYN after 1 and 3 seconds (RFC 6298): all were lost."""

QUICK_MS = 2000.0
"""The control's median answer must be faster. A line that takes longer would lose the beacon's answer too."""


class Role(StrEnum):
    """Which kind of beacon was asked."""

    CONTROL = "control"
    INVALID = "invalid"
    COVERED = "covered"


class Outcome(StrEnum):
    """What a browser can tell: an answer of any status, none in time, or an error (refused, blocked, DNS, TLS)."""

    REACHED = "reached"
    TIMEOUT = "timeout"
    FAILED = "failed"


class Route(StrEnum):
    """Over which route a `covered` beacon says it was reached."""

    VALID = "valid"
    INVALID = "invalid"


class Sample(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One request of the browser. `ms` is the time from the request to its outcome, in milliseconds."""

    set: Annotated[str, msgspec.Meta(max_length=64)]
    role: Role
    outcome: Outcome
    ms: Annotated[float, msgspec.Meta(ge=0, le=120_000)]
    route: Route | None = None


class Evidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that one browser saw, in the order in which it asked."""

    samples: Annotated[tuple[Sample, ...], msgspec.Meta(max_length=MAX_CHECK_SAMPLES)]


class FamilyVerdict(msgspec.Struct, frozen=True):
    """The verdict of one family, in words; `because` says for each beacon what was seen of it."""

    family: BeaconFamily
    verdict: Kind
    headline: str
    means: str
    limits: str
    advice: str
    because: tuple[str, ...]
    samples: tuple[Sample, ...]


class Verdict(msgspec.Struct, frozen=True):
    """What the check found. `verdict` is the most worrying of the families'."""

    verdict: Kind
    headline: str
    families: tuple[FamilyVerdict, ...]


class _Finding(msgspec.Struct, frozen=True):
    kind: Kind
    because: tuple[str, ...]

    @classmethod
    def of(cls, kind: Kind, because: str) -> _Finding:
        return cls(kind, (because,))


def judge(evidence: Evidence, beacons: Sequence[BeaconSet]) -> Verdict:
    """What `evidence` says of each family. Raises `InputError` for a sample of a set that is not in `beacons`."""
    known = {each.name: each for each in beacons}
    for sample in evidence.samples:
        if sample.set not in known:
            raise InputError(f"There is no beacon set {sample.set!r} here; load the page again and repeat the check.")
    asked = {sample.set for sample in evidence.samples}
    families = [family for family in BeaconFamily if any(known[name].family is family for name in asked)]
    verdicts = []
    for family in families:
        sets = [each for each in beacons if each.family is family and each.name in asked]
        samples = tuple(sample for sample in evidence.samples if known[sample.set].family is family)
        elsewhere = any(_answered(sample) for sample in evidence.samples if known[sample.set].family is not family)
        verdicts.append(_judge_family(family, sets, samples, other_family_answered=elsewhere))
    kinds = {each.verdict for each in verdicts} - {Kind.INCONCLUSIVE, Kind.NO_FAMILY}
    overall = _most_worrying(kinds)
    return Verdict(overall, HEADLINE_OF_MANY if len(kinds) > 1 else HEADLINES[overall], tuple(verdicts))


def _judge_family(
    family: BeaconFamily, sets: Sequence[BeaconSet], samples: tuple[Sample, ...], *, other_family_answered: bool
) -> FamilyVerdict:
    findings = [_judge_set(each, [sample for sample in samples if sample.set == each.name]) for each in sets]
    kind = _agree({finding.kind for finding in findings})
    silent = not any(_answered(sample) for sample in samples)
    if family is not BeaconFamily.ANY and silent and other_family_answered:
        kind = Kind.NO_FAMILY
    words = words_for(kind, family)
    because = tuple(sentence for finding in findings for sentence in finding.because)
    return FamilyVerdict(family, kind, words.headline, words.means, words.limits, words.advice, because, samples)


def _judge_set(beacons: BeaconSet, samples: Sequence[Sample]) -> _Finding:
    covered = _judge_covered(beacons, samples)
    bare = _judge_bare(beacons, samples)
    if covered is None or bare is None:
        return covered or bare or _Finding.of(Kind.INCONCLUSIVE, f"{beacons.operator}: none of its beacons was asked.")
    because = (*covered.because, *bare.because)
    if covered.kind is Kind.DROPS and bare.kind is Kind.ACCEPTS:
        return _Finding(Kind.DROPS_ELSEWHERE, because)
    return _Finding(_agree({covered.kind, bare.kind}), because)


def _judge_covered(beacons: BeaconSet, samples: Sequence[Sample]) -> _Finding | None:
    """The beacon that answers either way; None where it was not asked."""
    asked = [sample for sample in samples if sample.role is Role.COVERED]
    if not asked:
        return None
    valid = sum(_answered(sample) and sample.route is Route.VALID for sample in asked)
    invalid = sum(_answered(sample) and sample.route is Route.INVALID for sample in asked)
    counts = f"{beacons.operator}: of {len(asked)} requests {valid} took the valid route and {invalid} the invalid one."
    if valid and invalid:
        return _Finding.of(Kind.MIXED, counts)
    if valid:
        return _Finding.of(Kind.DROPS, counts)
    if invalid:
        return _Finding.of(Kind.ACCEPTS, counts)
    return _Finding.of(
        Kind.INCONCLUSIVE, f"{beacons.operator}: the beacon that tells which route was taken did not say."
    )


def _judge_bare(beacons: BeaconSet, samples: Sequence[Sample]) -> _Finding | None:
    """The beacon that only an invalid route leads to, against its control; None where it was not asked."""
    control = [sample for sample in samples if sample.role is Role.CONTROL]
    invalid = [sample for sample in samples if sample.role is Role.INVALID]
    if not invalid:
        return None
    who = beacons.operator
    doubt = _doubt_in_control(control)
    reached = sum(_answered(sample) for sample in invalid)
    silent = sum(sample.outcome is Outcome.TIMEOUT and sample.ms >= PATIENCE_MS for sample in invalid)
    counts = f"{who}: the invalid address answered {reached} of {len(invalid)} times, the valid one"
    counts += f" {sum(map(_answered, control))} of {len(control)} times."
    if reached == len(invalid) or (reached and doubt):
        return _Finding.of(Kind.ACCEPTS, counts)
    if reached:
        return _Finding.of(Kind.MIXED, counts)
    if doubt:
        return _Finding.of(Kind.INCONCLUSIVE, f"{who}: {doubt}")
    if silent < len(invalid):
        return _Finding.of(
            Kind.INCONCLUSIVE,
            f"{who}: the invalid address failed at once instead of staying silent. A content blocker or a DNS filter "
            "does that as well as a network that has no route to it.",
        )
    if silent < SAMPLES_NEEDED:
        return _Finding.of(
            Kind.INCONCLUSIVE, f"{who}: {silent} unanswered requests are too few; {SAMPLES_NEEDED} are needed."
        )
    return _Finding.of(Kind.DROPS, counts)


def _doubt_in_control(control: Sequence[Sample]) -> str:
    """Why silence beside this control says nothing; empty where the control stands firm."""
    answered = [sample.ms for sample in control if _answered(sample)]
    if not answered:
        return "the valid address did not answer either, so the silence of the invalid one says nothing."
    if len(answered) < len(control):
        return "the valid address answered only sometimes, so a silence may be the line's."
    if len(answered) < SAMPLES_NEEDED:
        return f"the valid address was asked only {len(control)} times; {SAMPLES_NEEDED} answers are needed."
    if median(answered) > QUICK_MS:
        return "the valid address answered so slowly that the invalid one may just not have been waited for."
    return ""


def _answered(sample: Sample) -> bool:
    return sample.outcome is Outcome.REACHED


def _agree(kinds: set[Kind]) -> Kind:
    """One verdict from several beacons: those that say nothing are left out, those that disagree make it mixed."""
    said = kinds - {Kind.INCONCLUSIVE}
    if not said:
        return Kind.INCONCLUSIVE
    if said == {Kind.DROPS, Kind.DROPS_ELSEWHERE}:
        return Kind.DROPS_ELSEWHERE
    return said.pop() if len(said) == 1 else Kind.MIXED


def _most_worrying(kinds: set[Kind]) -> Kind:
    order = (Kind.ACCEPTS, Kind.MIXED, Kind.DROPS_ELSEWHERE, Kind.DROPS)
    return next((kind for kind in order if kind in kinds), Kind.INCONCLUSIVE)
