"""The largest numbers there are, of manifests (RFC 9981) and of CRLs (RFC 9829), and what comes after them."""

from __future__ import annotations

from typing import Any

import pytest

from rpkival.lab.ca import Product
from rpkival.lab.certificates import CertificateContent, certificate, revocation_list
from rpkival.lab.number_resources import INHERIT, Resources
from rpkival.lab.signed_objects import MANIFEST, manifest_content
from rpkival.validation.report import ValidationRun
from rpkival.validation.walk import validate

LARGEST = 2**159 - 1
"""20 octets of a DER INTEGER that is not negative."""


def published(lab: Any, *, number: int, manifest: str = "beta.mft", crl_number: int = 1) -> dict[str, bytes]:
    """The lab's tree with beta's manifest of this number and name, and its CRL of that number."""
    listed = lab.beta.publication_point(lab.day)
    del listed["beta.mft"]
    listed["beta.crl"] = revocation_list(lab.beta.key, crl_number, lab.day, {})
    content = manifest_content(number, lab.day, listed)
    listed[manifest] = lab.beta.sign(manifest, MANIFEST, content, INHERIT, lab.day, 9_000 + len(manifest)).content
    others = {uri: data for uri, data in lab.files.items() if not uri.startswith(lab.beta.repository)}
    return others | {lab.beta.repository + name: data for name, data in listed.items()}


def run(lab: Any, source: Any) -> ValidationRun:
    return validate([lab.tal], source, clock=lambda: lab.now)


def test_after_the_largest_number_comes_another_name(lab: Any, memory: Any) -> None:
    """RFC 9981: a CA that has no number left gives its manifest a new name; under the old one it would be a replay."""
    source = memory(published(lab, number=LARGEST))
    assert len(run(lab, source).roas) == 4

    source.files = published(lab, number=1)
    replayed = run(lab, source)
    assert len(replayed.roas) == 4
    assert [each.section for each in replayed.rejections] == ["RFC 9286 section 4.2.1"]

    place = lab.beta.repository
    renamed = CertificateContent(
        serial=77,
        validity=lab.year,
        subject_key=lab.beta.key,
        resources=Resources(["10.2.0.0/16"], [64501]),
        is_ca=True,
        subject_info=(place, f"{place}other.mft"),
        crl_uri=lab.anchor.crl_uri,
        issuer_uri=lab.anchor.certificate_uri,
    )
    lab.anchor.products["beta.cer"] = Product(certificate(renamed, lab.anchor.key), 77)
    source.files = published(lab, number=1, manifest="other.mft")
    again = run(lab, source)
    assert again.rejections == ()
    assert len(again.roas) == 4


@pytest.mark.parametrize("number", [LARGEST + 1, -1])
def test_a_manifest_number_that_cannot_be_is_refused(lab: Any, memory: Any, number: int) -> None:
    """RFC 9286 section 4.2.1; it costs the CA's publication point."""
    found = run(lab, memory(published(lab, number=number)))
    assert len(found.roas) == 3
    assert [each.uri for each in found.rejections] == [f"{lab.beta.repository}beta.mft"]


@pytest.mark.parametrize(("crl_number", "roas"), [(0, 4), (LARGEST, 4), (LARGEST + 1, 3), (-1, 3)])
def test_crl_numbers_are_checked_for_their_size_alone(lab: Any, memory: Any, crl_number: int, roas: int) -> None:
    """RFC 9829: the manifest says which CRL counts, so its number may be lower than the one before."""
    source = memory(published(lab, number=1, crl_number=crl_number))
    assert len(run(lab, source).roas) == roas
    source.files = published(lab, number=2, crl_number=0)
    again = run(lab, source)
    assert len(again.roas) == 4
    assert again.rejections == ()
