"""The BBN conformance suite where the fault lies between an object and its issuer, or the present."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rpkival.errors import ObjectError
from rpkival.objects import oids
from rpkival.objects.certificate import Certificate, Role, parse_certificate
from rpkival.objects.cms import parse_signed_object
from rpkival.objects.crl import parse_crl
from rpkival.objects.resources import Resources
from rpkival.objects.tal import Tal
from rpkival.validation.issuer import Issuer, Judge
from rpkival.validation.walk import validate

NOW = 1_773_648_000
"""The suite is valid from 2011 to 2046."""


@pytest.fixture(scope="module")
def suite(unpacked: Callable[[str], Path]) -> Path:
    """The directory of root.cer."""
    return unpacked("conformance/rpki-commons.tar.xz") / "rpki-commons" / "conformance"


@pytest.fixture(scope="module")
def root(suite: Path) -> Certificate:
    """The suite's trust anchor."""
    return parse_certificate((suite / "root.cer").read_bytes(), Role.TRUST_ANCHOR)


def judge(certificate: Certificate) -> Judge:
    """A judge for what the suite's root, or a CA with resources of its own, has signed."""
    claims = certificate.resources
    resources = Resources(
        *(claim if isinstance(claim, tuple) else () for claim in (claims.ipv4, claims.ipv6, claims.asn))
    )
    return Judge(Issuer.of(certificate, "rsync://rpki.bbn.com/x.cer", "bbn", resources), NOW)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("badCertBadSig.cer", "signature does not verify"),
        ("badCertAKIHash.cer", "authority key identifier is not the CA's"),
        ("badCertValFromFuture.cer", "is not valid before"),
    ],
)
def test_bad_certificates_are_refused_by_their_issuer(suite: Path, root: Certificate, name: str, sentence: str) -> None:
    """By themselves they are as the profile wants them."""
    certificate = parse_certificate((suite / "root" / name).read_bytes(), Role.CA)
    with pytest.raises(ObjectError, match=sentence):
        judge(root).certificate(certificate)


def test_good_certificates_are_accepted_by_their_issuer(suite: Path, root: Certificate) -> None:
    """Every one, and the CAs of all cases too, but for one whose extension the profile does not allow."""
    accepted = 0
    for path in sorted((suite / "root").glob("*.cer")):
        if path.name.startswith("bad") or path.name == "goodCertCRLDP2DistPt.cer":
            continue
        judge(root).certificate(parse_certificate(path.read_bytes(), Role.CA))
        accepted += 1
    assert accepted > 60


def test_the_bad_signature_of_an_end_entity_is_noticed(suite: Path, root: Certificate) -> None:
    """The CMS signature is right, the certificate's is not."""
    data = (suite / "root" / "badEEBadSig.roa").read_bytes()
    signed = parse_signed_object(data, oids.ROUTE_ORIGIN_AUTHZ, require_signing_time=False)
    with pytest.raises(ObjectError, match="signature does not verify"):
        judge(root).certificate(signed.certificate)


def test_crls_are_judged_by_their_issuer(suite: Path) -> None:
    """All good ones hold, and the stale one does not."""
    good = 0
    for path in sorted((suite / "root").glob("CRL*/*.crl")):
        issuer = parse_certificate((suite / "root" / f"{path.parent.name}.cer").read_bytes(), Role.CA)
        if path.name == "badCRLNextUpdatePast.crl":
            with pytest.raises(ObjectError, match="is stale"):
                judge(issuer).crl(parse_crl(path.read_bytes()))
        elif not path.name.startswith("bad"):
            judge(issuer).crl(parse_crl(path.read_bytes()))
            good += 1
    assert good >= 3


def test_a_root_with_a_bad_signature_is_refused(suite: Path, memory: Any) -> None:
    """Though the locator names its key."""
    data = (suite / "badRootBadSig.cer").read_bytes()
    key_info = parse_certificate(data, Role.TRUST_ANCHOR).key_info
    run = validate(
        [Tal("bbn", ("rsync://rpki.bbn.com/m/root.cer",), key_info)],
        memory({"rsync://rpki.bbn.com/m/root.cer": data}),
        clock=lambda: NOW,
    )
    assert [rejection.section for rejection in run.rejections] == ["RFC 8630 section 3"]
    assert "signature" in run.rejections[0].sentence
