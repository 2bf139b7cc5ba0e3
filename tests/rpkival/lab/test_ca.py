"""Tests for rpkival.lab.ca: what it signs, read by cryptography and asn1crypto; whole trees are judged in interop."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest
from asn1crypto import cms, core
from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtensionOID

from rpkival.lab.ca import CertificateAuthority, trust_anchor
from rpkival.lab.certificates import Validity
from rpkival.lab.keys import KeyRing
from rpkival.lab.number_resources import Resources

YEAR = Validity(1_767_225_600, 1_798_761_600)
DAY = Validity(1_773_648_000, 1_773_734_400)
BASE = "rsync://rpki.lab.example/repository/"


@pytest.fixture
def anchor(lab_keys: KeyRing) -> CertificateAuthority:
    """A trust anchor with one member that has one ROA."""
    anchor = trust_anchor("lab", Resources(["10.0.0.0/8", "2001:db8::/32"], [(64496, 64511)]), YEAR, lab_keys)
    member = anchor.issue_ca("alpha", Resources(["10.1.0.0/16"], [64500]))
    member.issue_roa(64500, [("10.1.0.0/16", 24)])
    return anchor


def signed_data(content: bytes) -> cms.SignedData:
    """The SignedData of a signed object."""
    return cms.ContentInfo.load(content, strict=True)["content"]


def manifest_entries(content: bytes) -> dict[str, bytes]:
    """The files that a manifest lists, by name with their hash."""
    fields = core.Sequence.load(signed_data(content)["encap_content_info"]["content"].native, strict=True)
    return {entry["0"]: to_octets(entry["1"]) for entry in fields.native["4"].values()}


def to_octets(bits: tuple[int, ...]) -> bytes:
    """Bits of a BIT STRING as octets."""
    return int("".join(map(str, bits)), 2).to_bytes(len(bits) // 8, "big")


def test_a_tree_has_every_file_under_its_uri(anchor: CertificateAuthority) -> None:
    """The trust anchor's certificate, and for each authority its directory."""
    assert set(anchor.tree(DAY)) == {
        f"{BASE}lab.cer",
        f"{BASE}lab/lab.crl",
        f"{BASE}lab/lab.mft",
        f"{BASE}lab/alpha.cer",
        f"{BASE}alpha/alpha.crl",
        f"{BASE}alpha/alpha.mft",
        f"{BASE}alpha/AS64500-1.roa",
    }


def test_certificates_chain(anchor: CertificateAuthority) -> None:
    """Names and signatures lead from the member to the anchor, and from the anchor to itself."""
    own = x509.load_der_x509_certificate(anchor.certificate)
    member = x509.load_der_x509_certificate(anchor.children[0].certificate)

    own.verify_directly_issued_by(own)
    member.verify_directly_issued_by(own)
    assert member.not_valid_after_utc == datetime.fromtimestamp(YEAR.not_after, UTC)


def test_a_member_points_to_its_repository_and_its_issuer(anchor: CertificateAuthority) -> None:
    """Where its products, its manifest, its issuer's certificate and its CRL are; the anchor has only the first two."""
    member = x509.load_der_x509_certificate(anchor.children[0].certificate).extensions
    own = x509.load_der_x509_certificate(anchor.certificate).extensions
    about = member.get_extension_for_class(x509.SubjectInformationAccess).value
    issuer = member.get_extension_for_class(x509.AuthorityInformationAccess).value
    points = member.get_extension_for_class(x509.CRLDistributionPoints).value

    assert [access.access_location.value for access in about] == [f"{BASE}alpha/", f"{BASE}alpha/alpha.mft"]
    assert [(access.access_method, access.access_location.value) for access in issuer] == [
        (AuthorityInformationAccessOID.CA_ISSUERS, f"{BASE}lab.cer")
    ]
    assert [name.value for point in points for name in point.full_name or []] == [f"{BASE}lab/lab.crl"]
    assert {extension.oid for extension in member} - {extension.oid for extension in own} == {
        ExtensionOID.AUTHORITY_INFORMATION_ACCESS,
        ExtensionOID.CRL_DISTRIBUTION_POINTS,
    }


def test_extensions_are_critical_as_the_profile_says(anchor: CertificateAuthority) -> None:
    """RFC 6487 section 4.8."""
    member = x509.load_der_x509_certificate(anchor.children[0].certificate).extensions

    assert {extension.oid.dotted_string for extension in member if extension.critical} == {
        "2.5.29.19",  # basic constraints
        "2.5.29.15",  # key usage
        "2.5.29.32",  # certificate policies
        "1.3.6.1.5.5.7.1.7",  # IP addresses
        "1.3.6.1.5.5.7.1.8",  # AS numbers
    }


def test_a_signed_object_carries_its_signer(anchor: CertificateAuthority) -> None:
    """One certificate, named by its key, with the times and the place of the object."""
    data = signed_data(anchor.tree(DAY)[f"{BASE}alpha/AS64500-1.roa"])
    signer = x509.load_der_x509_certificate(data["certificates"][0].dump())
    about = signer.extensions.get_extension_for_class(x509.SubjectInformationAccess).value

    signer.verify_directly_issued_by(x509.load_der_x509_certificate(anchor.children[0].certificate))
    assert [access.access_location.value for access in about] == [f"{BASE}alpha/AS64500-1.roa"]
    assert (
        data["signer_infos"][0]["sid"].native
        == signer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    )


def test_manifests_list_what_is_published(anchor: CertificateAuthority) -> None:
    """Every file but the manifest itself, with its hash."""
    files = anchor.children[0].publication_point(DAY)
    manifest = files.pop("alpha.mft")

    assert manifest_entries(manifest) == {name: hashlib.sha256(data).digest() for name, data in files.items()}


def test_manifests_and_crls_count_upwards(anchor: CertificateAuthority) -> None:
    """Each time anew (RFC 9286 section 4.2.1, RFC 6487 section 5)."""
    lists = [x509.load_der_x509_crl(anchor.publication_point(DAY)["lab.crl"]) for _ in range(2)]

    assert [each.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number for each in lists] == [1, 2]
    assert lists[0].is_signature_valid(anchor.key.private.public_key())
    assert lists[0].next_update_utc == datetime.fromtimestamp(DAY.not_after, UTC)


def test_revoking_puts_the_serial_number_on_the_list(anchor: CertificateAuthority) -> None:
    """The file stays where it is until withdrawn."""
    member = anchor.children[0]
    serial = member.products["AS64500-1.roa"].serial

    member.revoke("AS64500-1.roa", DAY.not_before)
    files = member.publication_point(DAY)
    revoked = x509.load_der_x509_crl(files["alpha.crl"])

    assert [entry.serial_number for entry in revoked] == [serial]
    assert "AS64500-1.roa" in files
    member.withdraw("AS64500-1.roa")
    assert "AS64500-1.roa" not in member.publication_point(DAY)


def test_a_member_may_publish_elsewhere(anchor: CertificateAuthority) -> None:
    """Its certificate stays with its issuer, its products go where it says."""
    far = anchor.issue_ca("beta", Resources(["10.2.0.0/16"]), repository="rsync://far.lab.example/m/beta/")

    assert "rsync://far.lab.example/m/beta/beta.mft" in anchor.tree(DAY)
    assert far.certificate_uri == f"{BASE}lab/beta.cer"
    assert far.issue_ca("gamma", Resources(["10.2.1.0/24"])).repository == "rsync://far.lab.example/m/gamma/"


def test_an_authority_signs_every_kind(anchor: CertificateAuthority) -> None:
    """Each is published, under the extension that its document gives it; a checklist is only handed out."""
    member = anchor.children[0]
    member.issue_aspa(64500, [64501])
    member.issue_router_key(64500)
    member.issue_ghostbusters("The Lab", "lab@lab.example")
    member.issue_prefix_list(64500, ["10.1.0.0/16"])
    anchor.issue_trust_anchor_key(successor=member)
    checklist = member.checklist(Resources(["10.1.0.0/16"]), {"letter.pdf": b"dear customer"})

    assert sorted(name.rpartition(".")[2] for name in member.products) == ["asa", "cer", "gbr", "roa", "spl"]
    assert "key-2.tak" in anchor.products
    assert all(product.content != checklist for product in member.products.values())
    signer = x509.load_der_x509_certificate(signed_data(checklist)["certificates"][0].dump())
    with pytest.raises(x509.ExtensionNotFound):
        signer.extensions.get_extension_for_class(x509.SubjectInformationAccess)


def test_a_member_may_have_rrdp(anchor: CertificateAuthority) -> None:
    """The notification file is the third URI of the subject information access (RFC 8182 section 3.2)."""
    uri = "https://rrdp.lab.example/notification.xml"
    member = x509.load_der_x509_certificate(anchor.issue_ca("beta", Resources(["10.2.0.0/16"]), notify=uri).certificate)
    about = member.extensions.get_extension_for_class(x509.SubjectInformationAccess).value

    last = list(about)[-1]
    assert last.access_method.dotted_string == "1.3.6.1.5.5.7.48.13"
    assert last.access_location.value == uri


def test_numbers_go_on_where_they_are_told_to(anchor: CertificateAuthority) -> None:
    """So an authority whose keys are all that is left of it can publish its next version."""
    anchor.count_from(7)

    revocations = x509.load_der_x509_crl(anchor.publication_point(DAY)["lab.crl"])

    assert revocations.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 7
