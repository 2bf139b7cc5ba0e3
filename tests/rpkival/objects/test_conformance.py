"""The BBN conformance suite: every object that one file alone can be judged by.

`bad…` must be refused and `good…` accepted. The exceptions are listed with their reasons; a list that is out of date
fails as well. Objects here were made before RFC 9589, so the signing time is not asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rpkival.errors import ObjectError
from rpkival.objects.certificate import Role, parse_certificate
from rpkival.objects.crl import parse_crl
from rpkival.objects.ghostbusters import parse_ghostbusters
from rpkival.objects.manifest import parse_manifest
from rpkival.objects.roa import parse_roa

Verdicts = list[tuple[str, ObjectError | None]]

PARSERS: dict[str, Callable[[bytes], object]] = {
    ".cer": lambda data: parse_certificate(data, Role.CA),
    ".crl": parse_crl,
    ".mft": lambda data: parse_manifest(data, require_signing_time=False),
    ".roa": lambda data: parse_roa(data, require_signing_time=False),
    ".gbr": lambda data: parse_ghostbusters(data, require_signing_time=False),
}
STRICTLY: dict[str, Callable[[bytes], object]] = PARSERS | {
    ".mft": lambda data: parse_manifest(data, require_signing_time=False, strict=True),
    ".roa": lambda data: parse_roa(data, require_signing_time=False, strict=True),
    ".gbr": lambda data: parse_ghostbusters(data, require_signing_time=False, strict=True),
}

NEEDS_ISSUER = {
    "badRootBadSig.cer",
    "badCertBadSig.cer",
    "badCertAKIHash.cer",
}
"""The fault is in the relation to the issuer, which `rpkival.validation` judges."""

NEEDS_TIME = {
    "badCRLNextUpdatePast.crl",
    "badMFTNextUpdPast.mft",
    "badMFTThisUpdFuture.mft",
    "badCertValFromFuture.cer",
}
"""The fault is in the relation to the present, which `rpkival.validation` judges."""

UTF8_NAMES = {
    "badCRLIssuerUTF.crl",
    "badCertIssuerUtf.cer",
    "badCertSubjectUtf.cer",
}
"""RFC 6487 wants PrintableString, but a registry has issued UTF8String, and other validators take it."""

NOT_A_REASON = {
    "badMFTStartCrossed.mft",
    "badMFTEndCrossed.mft",
}
"""RFC 9286 section 5.1 asks CAs to let both validities match; a validator checks each by itself."""

BOTH_ALGORITHMS = {"badCMSSigInfoWrongSigAlg.roa"}
"""RFC 7935 section 2 lets CMS have rsaEncryption or sha256WithRSAEncryption; the suite only the former."""

TWO_POINTS = {"goodCertCRLDP2DistPt.cer"}
"""RFC 6487 section 4.8.6: "MUST contain only a single DistributionPoint"; the suite calls two of them good."""

ACCEPTED_BAD = NEEDS_ISSUER | NEEDS_TIME | UTF8_NAMES | NOT_A_REASON
AS_NUMBERS = "The ROA's certificate has AS numbers."
"""The last check of a ROA; all ROAs of the suite fail it, for RFC 6482 allowed what RFC 9582 section 5 forbids."""


@pytest.fixture(scope="session", params=[PARSERS, STRICTLY], ids=["lenient", "strict"])
def suite(unpacked: Callable[[str], Path], request: pytest.FixtureRequest) -> Verdicts:
    """The verdict on each file: its name, and an error or None; the suite is all DER."""
    found: Verdicts = []
    for path in sorted((unpacked("conformance/rpki-commons.tar.xz") / "rpki-commons" / "conformance").rglob("*.*")):
        parse = request.param.get(path.suffix)
        if parse is None:
            continue
        data = path.read_bytes()
        try:
            if "Root" in path.name or path.name == "root.cer":
                parse_certificate(data, Role.TRUST_ANCHOR)
            else:
                parse(data)
            found.append((path.name, None))
        except ObjectError as error:
            found.append((path.name, error))
    return found


def test_the_suite_is_whole(suite: Verdicts) -> None:
    """As many objects as there were when the exceptions were written down."""
    assert len(suite) == 483
    assert sum(name.startswith("bad") for name, _ in suite) == 284
    assert sum(name.startswith("good") for name, _ in suite) == 73


def test_bad_objects_are_refused(suite: Verdicts) -> None:
    """All but the listed ones."""
    assert {name for name, error in suite if name.startswith("bad") and error is None} == ACCEPTED_BAD


def test_bad_roas_are_refused_for_their_own_fault(suite: Verdicts) -> None:
    """Not for the AS numbers that all have; but the signature of a certificate is its issuer's matter."""
    only_numbers = {
        name for name, error in suite if name.startswith("bad") and error is not None and error.sentence == AS_NUMBERS
    }
    assert only_numbers == {"badEEBadSig.roa", *BOTH_ALGORITHMS}


def test_good_objects_are_accepted(suite: Verdicts) -> None:
    """All but the listed ones; good ROAs fail for the AS numbers and nothing else."""
    refused = {
        name for name, error in suite if name.startswith("good") and error is not None and error.sentence != AS_NUMBERS
    }
    assert refused == TWO_POINTS


def test_other_objects_are_accepted(suite: Verdicts) -> None:
    """What the suite needs around its cases: CAs, CRLs, manifests."""
    assert [name for name, error in suite if not name.startswith(("good", "bad")) and error is not None] == []


def test_every_refusal_names_its_section(suite: Verdicts) -> None:
    """A sentence, and where an RFC says so."""
    for name, error in suite:
        if error is not None:
            assert error.section.startswith("RFC "), name
            assert error.sentence.endswith("."), name
