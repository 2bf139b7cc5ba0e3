"""Tests for rpkival.lab.certificates: the corners of the profiles; whole trees are in test_ca."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from asn1crypto import crl as asn1_crl
from asn1crypto import x509 as asn1_x509
from cryptography import x509

from rpkival.lab.certificates import CertificateContent, Validity, certificate, revocation_list
from rpkival.lab.keys import KeyRing, SigningKey
from rpkival.lab.number_resources import INHERIT, Resources

DAY = Validity(1_773_648_000, 1_773_734_400)


@pytest.fixture
def key(lab_keys: KeyRing) -> SigningKey:
    """Some key."""
    return lab_keys.key("lab")


def end_entity(key: SigningKey, resources: Resources, validity: Validity = DAY) -> bytes:
    """A certificate for one signed object."""
    return certificate(
        CertificateContent(
            serial=7,
            validity=validity,
            subject_key=key,
            resources=resources,
            is_ca=False,
            subject_info=("rsync://rpki.lab.example/m/x.roa",),
            crl_uri="rsync://rpki.lab.example/m/x.crl",
            issuer_uri="rsync://rpki.lab.example/m/x.cer",
        ),
        key,
    )


def test_end_entities_sign_objects_and_nothing_else(key: SigningKey) -> None:
    """No basic constraints, and digitalSignature alone (RFC 6487 sections 4.8.1 and 4.8.4)."""
    parsed = asn1_x509.Certificate.load(end_entity(key, Resources(["10.0.0.0/8"])), strict=True)

    assert parsed.basic_constraints_value is None
    assert parsed.key_usage_value.native == {"digital_signature"}
    assert parsed.serial_number == 7


def test_only_what_is_there_is_claimed(key: SigningKey) -> None:
    """A ROA's certificate speaks for addresses, a manifest's inherits both kinds."""
    roa = asn1_x509.Certificate.load(end_entity(key, Resources(["10.0.0.0/8"])))
    manifest = asn1_x509.Certificate.load(end_entity(key, INHERIT))

    assert "1.3.6.1.5.5.7.1.8" not in oids(roa)
    assert {"1.3.6.1.5.5.7.1.7", "1.3.6.1.5.5.7.1.8"} <= oids(manifest)


def oids(parsed: asn1_x509.Certificate) -> set[str]:
    """The extensions of a certificate."""
    return {extension["extn_id"].dotted for extension in parsed["tbs_certificate"]["extensions"]}


def test_names_are_printable_strings(key: SigningKey) -> None:
    """RFC 6487 section 4.4 wants this type, and one common name."""
    subject = asn1_x509.Certificate.load(end_entity(key, INHERIT)).subject

    ((name,),) = subject.chosen
    assert name["type"].native == "common_name"
    assert name["value"].name == "printable_string"


def test_certificates_may_outlive_2050(key: SigningKey) -> None:
    """Their times change the type then (RFC 5280 section 4.1.2.5)."""
    far = Validity(DAY.not_before, int(datetime(2051, 1, 1, tzinfo=UTC).timestamp()))

    parsed = asn1_x509.Certificate.load(end_entity(key, INHERIT, far), strict=True)

    validity = parsed["tbs_certificate"]["validity"]
    assert (validity["not_before"].name, validity["not_after"].name) == ("utc_time", "general_time")
    assert validity["not_after"].native.year == 2051


def test_an_empty_revocation_list_has_no_list(key: SigningKey) -> None:
    """`revokedCertificates` is absent, not empty (RFC 5280 section 5.1.2.6)."""
    empty = asn1_crl.CertificateList.load(revocation_list(key, 1, DAY, {}), strict=True)

    assert empty["tbs_cert_list"]["revoked_certificates"].native is None
    assert empty["tbs_cert_list"]["version"].native == "v2"


def test_revoked_serial_numbers_have_their_moment(key: SigningKey) -> None:
    """In order, whatever the order they were given in."""
    parsed = x509.load_der_x509_crl(revocation_list(key, 2, DAY, {9: DAY.not_before, 3: DAY.not_before - 60}))

    assert [(entry.serial_number, entry.revocation_date_utc.timestamp()) for entry in parsed] == [
        (3, DAY.not_before - 60),
        (9, DAY.not_before),
    ]
