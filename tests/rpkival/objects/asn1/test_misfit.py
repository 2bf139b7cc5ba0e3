"""Tests for rpkival.objects.asn1.misfit: the first field that is not as declared."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.errors import ObjectError
from rpkival.objects.asn1.aspa import ASProviderAttestation
from rpkival.objects.asn1.checklist import RpkiSignedChecklist
from rpkival.objects.asn1.cms import ContentInfo
from rpkival.objects.asn1.der import decode, header
from rpkival.objects.asn1.ip_resources import ASIdentifiers, IPAddressFamily
from rpkival.objects.asn1.misfit import misfit
from rpkival.objects.asn1.outline import outline
from rpkival.objects.asn1.pkix import Certificate, CertificateList, Validity
from rpkival.objects.asn1.roa import RouteOriginAttestation

VERSION, CUSTOMER = bytes.fromhex("a003020101"), bytes.fromhex("02010a")


def tagged(tag: int, content: bytes) -> bytes:
    return header(tag, len(content)) + content


def sequence(*parts: bytes) -> bytes:
    return tagged(0x30, b"".join(parts))


@pytest.mark.parametrize(
    ("declaration", "data", "told"),
    [
        (ASProviderAttestation, sequence(VERSION, CUSTOMER, sequence(b"\2\1\1")), ""),
        (ASProviderAttestation, b"\4\0", "the whole at octet 0 is of type OCTET STRING, but must be SEQUENCE."),
        (ASProviderAttestation, sequence(VERSION), "customerAsid is missing at octet 7."),
        (
            ASProviderAttestation,
            sequence(b"\x80\1\1", CUSTOMER, sequence()),
            "customerAsid at octet 2 is of type [0], but must be INTEGER.",
        ),
        (ASProviderAttestation, sequence(b"\xa0\0", CUSTOMER, sequence()), "version at octet 2 is empty."),
        (
            ASProviderAttestation,
            sequence(VERSION, CUSTOMER, sequence(b"\2\1\1", sequence(b"\2\1\2"))),
            "providers[1] at octet 15 is of type SEQUENCE, but must be INTEGER.",
        ),
        (
            ASProviderAttestation,
            sequence(VERSION, b"\2\2\0\1", sequence()),
            "customerAsid at octet 7 holds no value of type INTEGER.",
        ),
        (
            ASProviderAttestation,
            sequence(VERSION, CUSTOMER, sequence(), b"\5\0"),
            "A further NULL at octet 12 is none of the whole.",
        ),
        (
            Validity,
            sequence(b"\x17\x0d240101000000Z", b"\4\0"),
            "notAfter at octet 17 is of type OCTET STRING, but must be UTCTime or GeneralizedTime.",
        ),
        (ASIdentifiers, sequence(tagged(0xA0, sequence(b"\2\1\1", sequence(b"\2\1\1", b"\2\1\2")))), ""),
        (
            ASIdentifiers,
            sequence(tagged(0xA0, sequence(b"\2\1\1", sequence(b"\2\1\1")))),
            "asnum[1].max is missing at octet 14.",
        ),
        (IPAddressFamily, sequence(b"\4\2\0\1", sequence(b"\3\2\0\x0a", sequence(b"\3\1\0", b"\3\1\0"))), ""),
        (
            RpkiSignedChecklist,
            sequence(sequence(), sequence(b"\6\1\1"), sequence(sequence(b"\x16\1a"))),
            "checkList[0].hash is missing at octet 16.",
        ),
    ],
)
def test_the_field_is_named(declaration: type, data: bytes, told: str) -> None:
    """As the RFC's ASN.1 has it, with its place and what it should be."""
    assert misfit(declaration, data) == told
    assert not outline(data).fault


def test_all_samples_that_decode_fit_and_the_others_do_not(unpacked: Callable[[str], Path]) -> None:
    """Where their encoding as such has no fault, there is always a field to blame."""
    seen = set()
    for path in sorted(unpacked("objects/misc-objects.tar.xz").rglob("*")):
        declaration = {".cer": Certificate, ".crl": CertificateList, ".roa": ContentInfo}.get(path.suffix)
        data = path.read_bytes() if declaration is not None and path.is_file() else b""
        if declaration is None or outline(data).fault:
            continue
        try:
            decode(declaration, data, "", "")
        except ObjectError:
            assert misfit(declaration, data)
            seen.add(False)
        else:
            assert misfit(declaration, data) == ""
            seen.add(True)
    assert seen == {True, False}


@given(st.binary(max_size=80))
def test_it_takes_anything(data: bytes) -> None:
    """Raises nothing."""
    misfit(RouteOriginAttestation, sequence(VERSION, CUSTOMER, data))
    misfit(Certificate, data)
