"""Tests for rpkival.objects.inspection: named samples, and objects broken in one part."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from rpkival.lab.ca import trust_anchor
from rpkival.lab.certificates import Validity
from rpkival.lab.keys import KeyRing
from rpkival.lab.number_resources import Resources
from rpkival.objects.inspection import Inspection, inspect_object

ASPA_3 = "draft-ietf-sidrops-aspa-profile section 3"

SAMPLES = {
    "krill/repo/rsync/current/1B73D6E56F851983B02CD2ED642B6A94BF368AEF.cer": ("CA certificate", []),
    "krill/repo/rsync/current/7B5FE8F755E6B83E280D0865A45EC2EAE3AD64BE.crl": ("CRL", []),
    "krill/repo/rsync/current/7B5FE8F755E6B83E280D0865A45EC2EAE3AD64BE.mft": ("manifest", []),
    "krill/repo/rsync/current/NLnetLabs/0/3138352e34392e3134302e302f32332d3332203d3e2038353837.roa": ("ROA", []),
    "krill/repo/rsync/current/NLnetLabs/0/326130343a623930303a3a2f33302d3330203d3e2038353837.roa": ("ROA", []),
    "krill/repo/rsync/current/NLnetLabs/0/326130343a623930343a3a2f34382d3438203d3e20323131333231.roa": ("ROA", []),
    "krill/repo/rsync/current/NLnetLabs/0/326130343a623930353a3a2f33322d313238203d3e20323131333231.roa": ("ROA", []),
    "krill/repo/rsync/current/NLnetLabs/0/B2F9D7A5A5A9D791BE2BB641C9AF19505D100C2F.crl": ("CRL", []),
    "krill/repo/rsync/current/NLnetLabs/0/B2F9D7A5A5A9D791BE2BB641C9AF19505D100C2F.mft": ("manifest", []),
    "krill/repo/rsync/current/ca_teste1682870430456/0/3139322e3136382e3232342e302f32302d3232203d3e203635343332.roa": (
        "ROA",
        [],
    ),
    "krill/repo/rsync/current/ca_teste1682870430456/0/7DC1E81BCB69BE275046D337AB3FBEF76A62354C.crl": ("CRL", []),
    "krill/repo/rsync/current/ca_teste1682870430456/0/7DC1E81BCB69BE275046D337AB3FBEF76A62354C.mft": ("manifest", []),
    "krill/repo/rsync/current/testbed/0/1B73D6E56F851983B02CD2ED642B6A94BF368AEF.crl": ("CRL", []),
    "krill/repo/rsync/current/testbed/0/1B73D6E56F851983B02CD2ED642B6A94BF368AEF.mft": ("manifest", []),
    "krill/repo/rsync/current/testbed/0/7DC1E81BCB69BE275046D337AB3FBEF76A62354C.cer": ("CA certificate", []),
    "krill/repo/rsync/current/testbed/0/B2F9D7A5A5A9D791BE2BB641C9AF19505D100C2F.cer": ("CA certificate", []),
    "rpki-client-regress/rpki-client/aspa/5m80fwYws_3FiFD7JiQjAqZ1RYQ.asa": ("ASPA", []),
    "rpki-client-regress/rpki-client/aspa/AS1000.asa": ("ASPA", []),
    "rpki-client-regress/rpki-client/cer/2a7dd1d787d793e4c8af56e197d4eed92af6ba13.cer": ("CA certificate", []),
    "rpki-client-regress/rpki-client/cer/Vr46VDCUfrRNL9yZAy4mxfEAspQ.cer": ("router certificate", []),
    "rpki-client-regress/rpki-client/cer/aaI5ikDRYL7nJH9kwrv4b80iIAI.cer": ("CA certificate", []),
    "rpki-client-regress/rpki-client/cer/arin-to-afrinic.cer": ("CA certificate", []),
    "rpki-client-regress/rpki-client/mft/Kn3R14fXk-TIr1bhl9Tu2Sr2uhM.mft": ("manifest", []),
    "rpki-client-regress/rpki-client/mft/RjQZ5pSL7riIcFGhdm4iFtIalko.mft": ("manifest", []),
    "rpki-client-regress/rpki-client/mft/ripe-ncc-ta.mft": ("manifest", []),
    "rpki-client-regress/rpki-client/roa/4DAr1VXnjh69GoQkxjmIQdkRVtQ.roa": ("ROA", []),
    "rpki-client-regress/rpki-client/roa/Hf1ZR31W9DN5QSF6xJEO5qgH4ac.roa": ("ROA", []),
    "rpki-client-regress/rpki-client/roa/Zs_svFDVb-_DZnjgkN8DLKk_IRI.roa": ("ROA", []),
    "rpki-client-regress/rpki-client/roa/xZEe_HUX98kANKreh2ZIpdaDnAI.roa": ("ROA", []),
    "rpki-client-regress/rpki-client/rsc/rsc-deployment-test-3.sig": ("signed checklist", []),
    "rpki-client-regress/rpki-client/spl/9X0AhXWTJDl8lJhfOwvnac-42CA.spl": ("signed prefix list", []),
    "rpki-client-regress/rpki-client/ta/AfriNIC.cer": ("trust anchor", []),
    "rpki-client-regress/rpki-client/ta/apnic-rpki-root-iana-origin.cer": ("trust anchor", []),
    "rpki-client-regress/rpki-client/ta/ripe-ncc-ta.cer": ("trust anchor", []),
    "rpki-client-regress/rpki-client/tak/05F53BCE4DAA11EDB9AC0C5B9E174E93.tak": ("trust anchor key", []),
    "rpki-client-regress/rpki-client/tak/42AE70A64DA711EDB37796549E174E93.tak": ("trust anchor key", []),
    "rpki-client-regress/rpki-client/tak/B7C2334E4DA911EDAF862D5A9E174E93.tak": ("trust anchor key", []),
    "rpki-client-regress/rpki-client/tal/afrinic.tal": ("trust anchor locator", []),
    "rpki-client-regress/rpki-client/tal/apnic.tal": ("trust anchor locator", []),
    "rpki-client-regress/rpki-client/tal/ripe.tal": ("trust anchor locator", []),
    "rpki-client-regress/rpki-client/tal/test.tal": ("trust anchor locator", []),
    "rpki-prover/9X0AhXWTJDl8lJhfOwvnac-42CA.spl": ("signed prefix list", []),
    "rpki-prover/AS204325.asa": ("ASPA", []),
    "rpki-prover/ClF4YOBviAEnwFokhNG1NXBZjEA.gbr": ("Ghostbusters record", []),
    "rpki-prover/VZgMGXDlMc_DQX3QkQKbaQ0K8vM.gbr": ("Ghostbusters record", []),
    "rpki-prover/afrinic_mft1.mft": ("manifest", []),
    "rpki-prover/afrinic_mft2.mft": ("manifest", []),
    "rpki-prover/aspa.1.asa": ("ASPA", [ASPA_3]),
    "rpki-prover/bgp_cert.cer": ("router certificate", []),
    "rpki-prover/bgp_router_cert.cer": ("router certificate", []),
    "rpki-prover/big_cert.cer": ("CA certificate", []),
    "rpki-prover/checklist.sig": ("signed checklist", []),
    "rpki-prover/checklist.sig.1": ("signed checklist", ["RFC 6487 section 4.2", "RFC 9323 section 4"]),
    "rpki-prover/extra_extensions.cer": ("CA certificate", ["RFC 6487 section 8"]),
    "rpki-prover/overcleaiming/2R93viIBHX4dV12fmttfjhYOX9k.cer": ("CA certificate", []),
    "rpki-prover/overcleaiming/EBA158C223CE11EBA804DD64C4F9AE02.roa": ("ROA", []),
    "rpki-prover/smaller.cer": ("CA certificate", []),
    "rpki-rs/ca/id_afrinic.cer": ("CA certificate", ["RFC 6487 section 4.4"]),
    "rpki-rs/ca/id_ta.cer": ("trust anchor", ["RFC 6487 section 4.8.9"]),
    "rpki-rs/ca/sigmsg/cms_ta.cer": ("trust anchor", ["RFC 6487 section 4.8.9"]),
    "rpki-rs/repository/aspa-bm.asa": ("ASPA", ["RFC 6488 section 2.1.6.5", ASPA_3]),
    "rpki-rs/repository/ca1.cer": ("CA certificate", []),
    "rpki-rs/repository/ca1.crl": ("CRL", []),
    "rpki-rs/repository/ca1.mft": ("manifest", []),
    "rpki-rs/repository/example-ripe.roa": ("ROA", []),
    "rpki-rs/repository/maxlen-overflow.roa": ("ROA", ["RFC 9589 section 4", "RFC 9582 section 4.3.2.2"]),
    "rpki-rs/repository/maxlen-underflow.roa": ("ROA", ["RFC 9589 section 4", "RFC 9582 section 4.3.2.2"]),
    "rpki-rs/repository/prefix-len-overflow.roa": ("ROA", ["RFC 3779 section 2.2.3.8", "RFC 9582 section 4.3.2.1"]),
    "rpki-rs/repository/ripe.tal": ("trust anchor locator", []),
    "rpki-rs/repository/router.cer": ("router certificate", []),
    "rpki-rs/repository/signature-alg-mismatch.mft": ("manifest", ["RFC 6487 section 4.3"]),
    "rpki-rs/repository/ta.cer": ("trust anchor", []),
    "rpki-rs/repository/ta.crl": ("CRL", []),
    "rpki-rs/repository/ta.mft": ("manifest", []),
    "rpki-rs/repository/ta.mft.bad-filename": ("manifest", ["RFC 6488 section 2.1.6.4.2", "RFC 9286 section 4.2"]),
    "rpki-validator-3/557B4C46969B11E681906146C4F9AE02.roa": ("ROA", []),
    "rpki-validator-3/empty-file.cer": ("certificate", ["RFC 6487 section 4", "X.690 section 8.1"]),
    "rpki-validator-3/g11HohjaKcA9vAJV9LrYPq1bKZQ.roa": ("ROA", []),
    "rpki-validator-3/ripe-ncc-ta.cer": ("trust anchor", []),
    "rpki-validator-3/tals/rfc8630/afrinic-https-rsync.tal": ("trust anchor locator", []),
    "rpki-validator-3/tals/rfc8630/afrinic-reversed-rsync-https.tal": ("trust anchor locator", []),
    "rpki-validator-3/tals/rfc8630/example-tal-with-http-and-rsync.tal": (
        "trust anchor locator",
        ["RFC 8630 section 2.2"],
    ),
    "rpki-validator-3/tals/rfc8630/ripe-ncc-rsync-only.tal": ("trust anchor locator", []),
    "rpki-validator-3/tals/ripeextended/afrinic-https_rsync.tal": ("trust anchor locator", ["RFC 8630 section 2.2"]),
    "rpki-validator-3/tals/ripeextended/afrinic-rsync_https.tal": ("trust anchor locator", ["RFC 8630 section 2.2"]),
    "rpki-validator-3/tals/ripeextended/example-tal-with-http-and-rsync.tal": (
        "trust anchor locator",
        ["RFC 8630 section 2.2"],
    ),
    "rpki-validator-3/tals/ripeextended/ripe-ncc-rsync-only.tal": ("trust anchor locator", ["RFC 8630 section 2.2"]),
    "rpkitouch/5EjPZ8Kw2_h5hRqKpwmjdnq7Tq8.roa": ("ROA", []),
    "rpkitouch/9X0AhXWTJDl8lJhfOwvnac-42CA.spl": ("signed prefix list", []),
    "rpkitouch/FjSf5hX1GmGhKMu9AG7WVIl8m1M.asa": ("ASPA", [ASPA_3]),
    "rpkitouch/t7xg6ZtXdcYhy-YGTMk_ONTD31E.cer": ("CA certificate", []),
    "rpkitouch/test.ccr": ("canonical cache representation", []),
    "rpkitouch/yqgF26w2R0m5sRVZCrbvD5cM29g.crl": ("CRL", []),
    "rpkitouch/yqgF26w2R0m5sRVZCrbvD5cM29g.mft": ("manifest", []),
    "rrdp-tools/AS203635.asa": ("signed object", ["RFC 6488 section 2.1", "X.690 section 8.1"]),
    "rrdp-tools/FnzdKKjxPmamPX_NCy-vbob58nw.roa": ("ROA", []),
    "rrdp-tools/GOOD-profile-15-draft-ietf-sidrops-profile-15-sample.asa": ("ASPA", []),
    "rrdp-tools/NKcuY5DvQmG0vwsI6MT4nqcBcoI.gbr": ("Ghostbusters record", []),
    "rrdp-tools/ripe-ncc-ta.cer": ("trust anchor", []),
    "rrdp-tools/ripe-ncc-ta.crl": ("CRL", []),
    "rrdp-tools/ripe-ncc-ta.mft": ("manifest", []),
}
"""Type and sections of what is wrong, for each object of the archive.

`NLnetLabs` and `ca_teste` have CRLs with an empty list, `aspa-bm`, `aspa.1` and `FjSf5h` ASPAs of an old profile,
`AS203635` went through an editor for text, `checklist.sig.1` has serial number 0, `id_` and `cms_ta` are certificates
of RFC 6492, and `ripeextended` locators of a proposal that was not taken up.
"""

INTEROP = {
    "apnic-interop/A971C.1": ("signed object", ["RFC 7935 section 3"]),
    "interop/aspa/BAD-profile-13-AS211321-profile-13.asa": ("ASPA", [ASPA_3]),
    "interop/aspa/BAD-profile-13-no-signingtime-aspa-rpkimancer.asa": ("ASPA", ["RFC 6488 section 2.1.6.5", ASPA_3]),
    "interop/aspa/BAD-profile-15-APNIC-rpki-aspa-demo-AS1000.asa": ("ASPA", [f"{ASPA_3}.1"]),
    "interop/aspa/BAD-profile-15-rpki-commons-propertytest-sample-implicit-tag.asa": (
        "ASPA",
        ["RFC 6487 section 4.8.6", ASPA_3],
    ),
    "interop/aspa/GOOD-profile-15-APNIC-rpki-aspa-demo-AS1000.asa": ("ASPA", []),
    "interop/aspa/GOOD-profile-15-draft-ietf-sidrops-profile-15-sample.asa": ("ASPA", []),
    "interop/aspa/GOOD-profile-15-rpki-commons-propertytest-sample.asa": ("ASPA", ["RFC 6487 section 4.8.6"]),
    "interop/misc-objects/6C76EDB2225D11E286C4BD8F7A2F2747.roa": ("ROA", ["RFC 6488 section 2.1.6.4"]),
    "interop/openbsd-regress/05F53BCE4DAA11EDB9AC0C5B9E174E93.tak": ("trust anchor key", []),
    "interop/openbsd-regress/42AE70A64DA711EDB37796549E174E93.tak": ("trust anchor key", []),
    "interop/openbsd-regress/B7C2334E4DA911EDAF862D5A9E174E93.tak": ("trust anchor key", []),
    "interop/openbsd-regress/c6938fc00af6496d9d4e6e2d876e4b4811887b60f4f1bc9cd0b3cdb7c57c6d5e.sig": (
        "signed checklist",
        ["RFC 6488 section 2.1.6.5"],
    ),
    "interop/openbsd-regress/checklist-08.sig": ("signed checklist", []),
    "interop/rpkid-objects/nI2bsx18I5mlex8lBpY0WSJUYio.roa": ("ROA", []),
    "resourcecertificate/apnic-rpki-root-iana-origin-includes-policy-with-cps.cer": ("trust anchor", []),
    "router/router_certificate.cer": ("router certificate", []),
}
"""Of the conformance archive's other parts. `A971C` is a request of RFC 6492, `6C76EDB2` has S/MIME capabilities."""

IN_BER = {
    "rpki-client-regress/rpki-client/mft/Kn3R14fXk-TIr1bhl9Tu2Sr2uhM.mft",
    "rpki-client-regress/rpki-client/mft/ripe-ncc-ta.mft",
    "rpki-rs/repository/ca1.mft",
    "rpki-rs/repository/example-ripe.roa",
    "rpki-rs/repository/ta.mft",
    "rpki-rs/repository/ta.mft.bad-filename",
    "rpki-validator-3/g11HohjaKcA9vAJV9LrYPq1bKZQ.roa",
}
"""Good for all that, unless strictly."""


def sections(found: Inspection) -> list[str]:
    """The sections of all problems; what only tells where one of them is does not count."""
    return [problem.section for problem in found.problems if problem.part != "field"]


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_named_samples_are_judged_as_their_names_say(unpacked: Callable[[str], Path], name: str) -> None:
    """Real and broken objects from the tests of other validators."""
    path = unpacked("objects/misc-objects.tar.xz") / name
    found = inspect_object(path.read_bytes(), path.name)
    assert (found.kind, sections(found)) == SAMPLES[name]


@pytest.mark.parametrize("name", sorted(INTEROP))
def test_samples_of_interoperability_are_judged_as_their_names_say(unpacked: Callable[[str], Path], name: str) -> None:
    """Of ASPAs the names themselves tell the verdict."""
    path = unpacked("conformance/rpki-commons.tar.xz") / "rpki-commons" / name
    found = inspect_object(path.read_bytes(), path.name)
    assert (found.kind, sections(found)) == INTEROP[name]


def test_no_sample_is_left_out(unpacked: Callable[[str], Path]) -> None:
    """All files of the archive that are objects are in the table."""
    root = unpacked("objects/misc-objects.tar.xz")
    endings = {".cer", ".crl", ".mft", ".roa", ".asa", ".gbr", ".tak", ".sig", ".spl", ".ccr", ".tal"}
    assert {str(path.relative_to(root)) for path in root.rglob("*") if path.suffix in endings} <= SAMPLES.keys()


@pytest.mark.parametrize("name", sorted(IN_BER))
def test_ber_is_told_and_bad_only_if_strict(unpacked: Callable[[str], Path], name: str) -> None:
    """What it says is shown all the same."""
    path = unpacked("objects/misc-objects.tar.xz") / name
    found = inspect_object(path.read_bytes(), path.name)
    assert found.fields["encoding"] == "BER"
    strictly = inspect_object(path.read_bytes(), path.name, strict=True)
    assert sections(strictly)[0] == "RFC 6488 section 2.1"
    assert strictly.fields["content"] == found.fields["content"]
    assert strictly.fields["certificate"] == found.fields["certificate"]


def test_every_sample_can_be_taken_apart_and_told(unpacked: Callable[[str], Path]) -> None:
    """Whatever it is: no exception, and JSON that can be written."""
    paths = [path for path in unpacked("objects/misc-objects.tar.xz").rglob("*") if path.is_file()]
    assert len(paths) > 100
    for path in paths:
        if path.stat().st_size < 1_000_000:
            assert msgspec.json.encode(inspect_object(path.read_bytes(), path.name).fields)


def test_a_roa_is_told(real_objects: Callable[[str], list[bytes]]) -> None:
    """Its AS number, its prefixes, its times."""
    found = inspect_object(real_objects("roa")[0], "x.roa")
    assert found.problems == []
    assert found.fields["content"]["asn"].startswith("AS")
    assert found.fields["content"]["prefixes"][0]["max_length"] >= 8
    assert found.valid_from is not None
    assert found.valid_until is not None
    assert found.valid_from < found.valid_until


def test_a_broken_signature_hides_nothing(real_objects: Callable[[str], list[bytes]]) -> None:
    """Content and certificate are still told."""
    data = real_objects("roa")[0]
    found = inspect_object(data[:-1] + bytes([data[-1] ^ 1]), "x.roa")
    assert sections(found) == ["RFC 6488 section 3"]
    assert found.fields["content"]["prefixes"]
    assert found.fields["certificate"]["serial"]


def test_faults_in_different_parts_are_all_told(real_objects: Callable[[str], list[bytes]]) -> None:
    """A certificate with another version, and a content with another AS number than was signed."""
    data = bytearray(real_objects("roa")[0])
    version = data.index(bytes.fromhex("a003020102"))
    data[version + 4] = 1
    asn = data.index(bytes.fromhex("0202"))
    data[asn + 2] ^= 1
    found = inspect_object(bytes(data), "x.roa")
    assert "RFC 6487 section 4.1" in sections(found)
    assert found.fields["content"]["asn"].startswith("AS")


@pytest.mark.parametrize(
    ("name", "kind"),
    [("x.roa", "signed object"), ("x.cer", "certificate"), ("x.crl", "CRL"), ("x.tal", "trust anchor locator")],
)
def test_what_cannot_be_decoded_is_named_by_its_extension(name: str, kind: str) -> None:
    """The content says nothing."""
    found = inspect_object(b"\x00", name)
    assert found.kind == kind
    assert found.problems


def test_anything_else_is_unknown() -> None:
    """A picture, say."""
    found = inspect_object(b"\x89PNG", "x.png")
    assert found.kind == "unknown"
    assert len(found.problems) == 1


@pytest.mark.parametrize("extension", ["roa", "mft"])
def test_what_was_cut_off_is_told_as_far_as_it_goes(real_objects: Callable[[str], list[bytes]], extension: str) -> None:
    """Anywhere; and never is it good."""
    data = real_objects(extension)[0]
    told = set()
    for size in range(0, len(data), 7):
        found = inspect_object(data[:size], f"x.{extension}")
        assert found.problems
        assert msgspec.json.encode(found.fields)
        told |= {(name, type(found.fields[name])) for name in found.fields}
    assert ("content", dict) in told
    assert ("certificate", dict) in told
    found = inspect_object(data[:-100], f"x.{extension}")
    assert "says that it has 256 octets, but" in found.problems[1].sentence
    assert found.fields["content"] == inspect_object(data, f"x.{extension}").fields["content"]


def test_a_crl_out_of_profile_is_told(unpacked: Callable[[str], Path]) -> None:
    """Times and what it revokes."""
    root = unpacked("objects/misc-objects.tar.xz")
    path = root / "krill/repo/rsync/current/NLnetLabs/0/B2F9D7A5A5A9D791BE2BB641C9AF19505D100C2F.crl"
    found = inspect_object(path.read_bytes(), path.name)
    assert found.fields["this_update"].startswith("2023-")
    assert found.fields["revoked"] == []


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("rpki-prover/aspa.1.asa", "providers[0] at octet 9 is of type SEQUENCE, but must be INTEGER."),
        ("rpki-rs/repository/ta.mft.bad-filename", "fileList[0].file at octet 56 holds no value of type IA5String."),
    ],
)
def test_the_field_that_is_wrong_is_named(unpacked: Callable[[str], Path], name: str, told: str) -> None:
    """Beside the part: the decoder only knows that something in it is of another type."""
    path = unpacked("objects/misc-objects.tar.xz") / name
    assert told in [problem.sentence for problem in inspect_object(path.read_bytes(), path.name).problems]


def test_a_field_of_a_certificate_and_of_a_crl_is_named(lab_keys: KeyRing) -> None:
    """Each with the other's octets where its serial number, and its moment, should be."""
    anchor = trust_anchor("anchor", Resources(["10.0.0.0/8"]), Validity(1_767_225_600, 1_798_761_600), lab_keys)
    crl = anchor.publication_point(Validity(1_773_648_000, 1_773_734_400))["anchor.crl"]
    told = [problem.sentence for problem in inspect_object(crl.replace(b"\x17\r26", b"\x04\r26", 1), "x.crl").problems]
    assert "Decoding the CRL as DER of its type failed: an element has another type." in told
    assert any(each.startswith("tbsCertList.thisUpdate at octet ") for each in told)
    certificate = anchor.certificate.replace(b"\x17\r26", b"\x04\r26", 1)
    told = [problem.sentence for problem in inspect_object(certificate, "x.cer").problems]
    assert any(each.startswith("tbsCertificate.validity.notBefore at octet ") for each in told)


def test_content_that_breaks_its_profile_is_shown_by_its_elements(unpacked: Callable[[str], Path]) -> None:
    """One sees the 124 where a length of at most 32 has to be."""
    path = unpacked("objects/misc-objects.tar.xz") / "rpki-rs/repository/maxlen-overflow.roa"
    elements = inspect_object(path.read_bytes(), path.name).fields["content"]["elements"]
    assert elements[-1].strip() == "25: INTEGER, 1 octets 7c"


def test_a_representation_of_a_cache_is_told(unpacked: Callable[[str], Path]) -> None:
    """All its parts."""
    data = (unpacked("objects/misc-objects.tar.xz") / "rpkitouch/test.ccr").read_bytes()
    fields = inspect_object(data, "x").fields
    assert [len(fields[name]) for name in ("manifests", "vrps", "aspas", "trust_anchors", "router_keys")] == [
        9, 3, 5, 2, 1,
    ]  # fmt: skip
    broken = inspect_object(data[:-1] + bytes([data[-1] ^ 1]), "x.ccr")
    assert sections(broken) == ["draft-ietf-sidrops-rpki-ccr section 4"]
    assert broken.fields["elements"][-1] == "..."


def test_a_certificate_of_rfc_8360_is_told(lab_keys: KeyRing) -> None:
    """With what it claims, which may be more than it has."""
    anchor = trust_anchor(
        "anchor", Resources(["10.0.0.0/8"], [64500]), Validity(1_767_225_600, 1_798_761_600), lab_keys
    )
    anchor.is_reconsidered = True
    found = inspect_object(anchor.issue_ca("ca", Resources(["192.0.2.0/24"], [64501])).certificate, "ca.cer")
    assert found.problems == []
    assert found.fields["reconsidered"] is True
    assert (found.fields["ipv4"], found.fields["asn"]) == (["192.0.2.0/24"], ["AS64501"])
