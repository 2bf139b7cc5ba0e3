"""ASPAs and router certificates of others, judged by their names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rpkival.errors import ObjectError
from rpkival.objects.aspa import AspaContent, parse_aspa
from rpkival.objects.certificate import Role, is_router_certificate, parse_certificate

SAMPLES = "rpki-commons/interop/aspa"
INCOMPLETE = {"GOOD-profile-15-rpki-commons-propertytest-sample.asa"}
"""Good in its content; its certificate was made for a test and lacks extensions that RFC 6487 section 4.8 demands."""


@pytest.fixture(scope="module")
def samples(unpacked: Callable[[str], Path]) -> dict[str, bytes]:
    """The conformance suite's ASPAs by name."""
    place = unpacked("conformance/rpki-commons.tar.xz") / SAMPLES
    return {path.name: path.read_bytes() for path in sorted(place.glob("*.asa"))}


def test_the_samples_are_judged_as_they_are_named(samples: dict[str, bytes]) -> None:
    """Each good one is taken, each bad one refused."""
    taken = set()
    for name, data in samples.items():
        try:
            parse_aspa(data)
        except ObjectError:
            continue
        taken.add(name)
    assert len(samples) == 7
    assert taken == {name for name in samples if name.startswith("GOOD")} - INCOMPLETE


def test_a_real_one_says_who_its_providers_are(unpacked: Callable[[str], Path]) -> None:
    """Of a publication point of 2026."""
    path = unpacked("objects/xtom-repo.tar.xz") / "xtom-repo/rpki.roa.net/rrdp/xTom/58/AS138038.asa"
    assert parse_aspa(path.read_bytes()).content == AspaContent(138038, (4785,))


@pytest.mark.parametrize(
    ("path", "asns"),
    [
        ("rpki-prover/bgp_router_cert.cer", ((211321, 211321),)),
        ("rpki-rs/repository/router.cer", ((3000, 9001), (199664, 199664))),
    ],
)
def test_router_certificates_are_read(unpacked: Callable[[str], Path], path: str, asns: object) -> None:
    """By other implementations' tests."""
    data = (unpacked("objects/misc-objects.tar.xz") / path).read_bytes()
    assert is_router_certificate(data)
    certificate = parse_certificate(data, Role.ROUTER)
    assert certificate.resources.asn == asns
    assert len(certificate.subject_key_id) == 20
    with pytest.raises(ObjectError):
        parse_certificate(data, Role.CA)
