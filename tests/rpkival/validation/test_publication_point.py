"""What costs a publication point, what costs one object, and what costs a subtree."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rpkival.errors import StateError
from rpkival.lab.ca import Product, trust_anchor
from rpkival.lab.certificates import Validity, revocation_list
from rpkival.lab.number_resources import INHERIT, Resources
from rpkival.lab.signed_objects import MANIFEST, ROA, manifest_content, roa_content
from rpkival.objects.resources import Resources as Held
from rpkival.objects.roa import Roa, parse_roa
from rpkival.objects.tal import Tal
from rpkival.validation.publication_point import judge_publication_point
from rpkival.validation.report import Tally, ValidationRun
from rpkival.validation.trust_anchor import open_trust_anchor
from rpkival.validation.walk import validate

EVERYTHING = {64499, 64500, 64501, 64502}
ALPHA = {64499, 64500}
BELOW_ALPHA = {64499, 64500, 64502}


def asns(run: ValidationRun) -> set[int]:
    """The AS numbers of the ROAs that hold; each ROA of the lab has its own."""
    return {roa.asn for roa in run.roas}


def only(run: ValidationRun) -> tuple[str, str]:
    """File name and section of the one rejection."""
    assert len(run.rejections) == 1
    rejection = run.rejections[0]
    assert rejection.trust_anchor == "lab"
    return rejection.uri.rpartition("/")[2], rejection.section


def test_a_whole_tree_holds(lab: Any) -> None:
    """All ROAs, with all prefixes and maxLengths."""
    run = lab.validate()
    assert asns(run) == EVERYTHING
    assert run.rejections == ()
    alpha = next(roa for roa in run.roas if roa.asn == 64500)
    assert alpha.ipv4 == ((0x0A010000, 16, 24),)
    assert alpha.ipv6 == ((0x20010DB8000100000000000000000000, 48, 48),)
    assert alpha.expires == lab.day.not_after
    counts = run.counts
    assert (counts.roas_valid, counts.vrps, counts.certificates_valid) == (4, 5, 4)


def test_a_revoked_roa_is_lost_alone(lab: Any) -> None:
    """Its serial number is on the CRL."""
    lab.alpha.revoke(lab.alpha_roa, lab.now - 60)
    run = lab.validate()
    assert asns(run) == EVERYTHING - {64500}
    assert only(run) == (lab.alpha_roa, "RFC 6487 section 7.2")
    assert "revoked" in run.rejections[0].sentence


def test_a_revoked_ca_is_lost_with_all_below(lab: Any) -> None:
    """Nobody visits its publication point."""
    lab.anchor.revoke("alpha.cer", lab.now - 60)
    run = lab.validate()
    assert asns(run) == EVERYTHING - BELOW_ALPHA
    assert only(run) == ("alpha.cer", "RFC 6487 section 7.2")


def test_a_roa_beyond_its_ca_is_lost_alone(lab: Any) -> None:
    """Its certificate claims what alpha does not have."""
    name = lab.alpha.issue_roa(64503, [("10.3.0.0/16", 16)])
    run = lab.validate()
    assert asns(run) == EVERYTHING
    assert only(run) == (name, "RFC 6487 section 7.2")
    assert "10.3.0.0/16" in run.rejections[0].sentence


def test_a_ca_beyond_its_issuer_is_lost_with_all_below(lab: Any) -> None:
    """Strict validation (RFC 6487): even what it would rightly have."""
    greedy = lab.alpha.issue_ca("greedy", Resources(["10.1.64.0/18", "10.9.0.0/16"]))
    greedy.issue_roa(64504, [("10.1.64.0/18", 18)])
    run = lab.validate()
    assert asns(run) == EVERYTHING
    assert only(run) == ("greedy.cer", "RFC 6487 section 7.2")


def test_inherited_resources_are_the_issuers(lab: Any) -> None:
    """Down two levels."""
    heir = lab.beta.issue_ca("heir", INHERIT)
    heir.issue_roa(64505, [("10.2.7.0/24", 24)])
    heir.issue_roa(64506, [("10.1.7.0/24", 24)])
    run = lab.validate()
    assert asns(run) == EVERYTHING | {64505}
    assert "10.1.7.0/24" in run.rejections[0].sentence


def test_a_roa_beyond_its_own_certificate_is_lost_alone(lab: Any) -> None:
    """RFC 9582 section 5."""
    content = roa_content(64507, [("10.1.0.0/16", 16)])
    lab.alpha.products["wide.roa"] = lab.alpha.sign("wide.roa", ROA, content, Resources(["10.1.1.0/24"]), lab.year, 50)
    assert only(lab.validate()) == ("wide.roa", "RFC 9582 section 5")


@pytest.mark.parametrize(
    "resources", [INHERIT, Resources(["10.1.0.0/16"], [64500])], ids=["inherits", "has AS numbers"]
)
def test_a_roa_certificate_has_its_own_addresses_and_nothing_else(lab: Any, resources: Resources) -> None:
    """RFC 9582 section 5."""
    content = roa_content(64507, [("10.1.0.0/16", 16)])
    lab.alpha.products["odd.roa"] = lab.alpha.sign("odd.roa", ROA, content, resources, lab.year, 50)
    run = lab.validate()
    assert asns(run) == EVERYTHING
    assert only(run) == ("odd.roa", "RFC 9582 section 5")


@pytest.mark.parametrize(("start", "end"), [(-90_000, -10), (10, 90_000)], ids=["expired", "not yet valid"])
def test_a_roa_out_of_its_time_is_lost_alone(lab: Any, start: int, end: int) -> None:
    """The certificate's own validity."""
    name = lab.alpha.issue_roa(64503, [("10.1.0.0/16", 16)], validity=Validity(lab.now + start, lab.now + end))
    run = lab.validate()
    assert asns(run) == EVERYTHING
    assert only(run) == (name, "RFC 6487 section 7.2")


def test_validity_ends_are_inclusive(lab: Any) -> None:
    """RFC 5280 section 4.1.2.5: through notAfter."""
    lab.alpha.issue_roa(64503, [("10.1.0.0/16", 16)], validity=Validity(lab.now, lab.now))
    run = lab.validate()
    assert asns(run) == EVERYTHING | {64503}
    assert next(roa.expires for roa in run.roas if roa.asn == 64503) == lab.now


@pytest.mark.parametrize("data", [b"", b"\x00", b"not an object"])
def test_garbage_with_the_right_hash_is_lost_alone(lab: Any, data: bytes) -> None:
    """Neither a ROA nor a certificate that cannot be decoded hurts its neighbours."""
    lab.alpha.products["garbage.roa"] = Product(data, 50)
    lab.alpha.products["garbage.cer"] = Product(data, 51)
    run = lab.validate()
    assert asns(run) == EVERYTHING
    assert {rejection.uri.rpartition("/")[2] for rejection in run.rejections} == {"garbage.roa", "garbage.cer"}


def test_a_certificate_signature_that_does_not_verify_costs_the_roa(lab: Any) -> None:
    """Names, identifiers and the CMS signature are right; only the issuer never signed this."""
    product = lab.alpha.products[lab.alpha_roa]
    signature = parse_roa(product.content).certificate.signature
    forged = product.content.replace(signature, signature[:-1] + bytes([signature[-1] ^ 1]))
    lab.alpha.products[lab.alpha_roa] = Product(forged, product.serial)
    run = lab.validate()
    assert asns(run) == EVERYTHING - {64500}
    assert only(run) == (lab.alpha_roa, "RFC 6487 section 7.2")
    assert "signature" in run.rejections[0].sentence


def test_an_object_of_another_ca_is_not_taken(lab: Any) -> None:
    """Beta's ROA on alpha's manifest."""
    lab.alpha.products["moved.roa"] = lab.beta.products[lab.beta_roa]
    run = lab.validate()
    assert asns(run) == EVERYTHING
    assert len([roa for roa in run.roas if roa.asn == 64501]) == 1
    assert only(run)[0] == "moved.roa"


def test_a_missing_manifest_costs_the_point(lab: Any) -> None:
    """RFC 9286 section 6.2."""
    files = lab.files
    del files[f"{lab.alpha.repository}alpha.mft"]
    run = lab.validate(files)
    assert asns(run) == EVERYTHING - BELOW_ALPHA
    assert only(run) == ("alpha.mft", "RFC 9286 section 6.2")
    assert run.rejections[0].sha256 == ""


@pytest.mark.parametrize("shift", [-90_000, 90_000], ids=["stale", "premature"])
def test_a_manifest_out_of_its_time_costs_the_point(lab: Any, shift: int) -> None:
    """RFC 9286 section 6.3: the manifest's own dates, under a certificate that holds."""
    manifest, point = f"{lab.beta.repository}beta.mft", lab.beta.publication_point(lab.day)
    del point["beta.mft"]
    when = Validity(lab.day.not_before + shift, lab.day.not_after + shift)
    content = manifest_content(7, when, point)
    files = lab.files | {f"{lab.beta.repository}{name}": data for name, data in point.items()}
    files[manifest] = lab.beta.sign("beta.mft", MANIFEST, content, INHERIT, lab.day, 77).content
    run = lab.validate(files)
    assert asns(run) == EVERYTHING - {64501}
    assert only(run) == ("beta.mft", "RFC 9286 section 6.3")
    reason = (1, 0) if shift < 0 else (0, 1)
    assert (run.counts.manifests_stale, run.counts.manifests_premature) == reason
    assert (run.counts.manifests_rejected, run.counts.manifests_missing) == (1, 0)


def test_a_manifest_certificate_must_inherit(lab: Any) -> None:
    """RFC 9286 section 5.1."""
    files = lab.files
    point = lab.beta.publication_point(lab.day)
    del point["beta.mft"]
    files |= {f"{lab.beta.repository}{name}": data for name, data in point.items()}
    signed = lab.beta.sign(
        "beta.mft", MANIFEST, manifest_content(7, lab.day, point), Resources(["10.2.0.0/16"]), lab.day, 77
    )
    run = lab.validate(files | {f"{lab.beta.repository}beta.mft": signed.content})
    assert asns(run) == EVERYTHING - {64501}
    assert only(run) == ("beta.mft", "RFC 9286 section 5.1")


def test_a_missing_file_costs_the_point(lab: Any) -> None:
    """RFC 9286 section 6.4, for any type, known or not."""
    lab.alpha.products["something.xyz"] = Product(b"whatever", 50)
    files = lab.files
    del files[f"{lab.alpha.repository}something.xyz"]
    run = lab.validate(files)
    assert asns(run) == EVERYTHING - BELOW_ALPHA
    assert only(run) == ("something.xyz", "RFC 9286 section 6.4")


def test_every_missing_or_changed_file_is_named(lab: Any) -> None:
    """One record each."""
    files = lab.files
    del files[f"{lab.alpha.repository}{lab.alpha_roa}"]
    files[f"{lab.alpha.repository}{lab.alpha_other}"] = b"changed"
    run = lab.validate(files)
    assert {(rejection.uri.rpartition("/")[2], rejection.section) for rejection in run.rejections} == {
        (lab.alpha_roa, "RFC 9286 section 6.4"),
        (lab.alpha_other, "RFC 9286 section 6.5"),
    }


@pytest.mark.parametrize("name", ["something.xyz", "checklist.sig", "cache.ccr", "other.mft"])
def test_unknown_types_are_hashed_and_counted(lab: Any, name: str) -> None:
    """They are no reason to lose anything, and neither is what does not belong there; but they have to be there."""
    lab.alpha.products[name] = Product(b"whatever", 50)
    run = lab.validate()
    assert asns(run) == EVERYTHING
    assert run.rejections == ()
    assert run.counts.other_files_ignored == 1
    changed = lab.validate(lab.files | {f"{lab.alpha.repository}{name}": b"something else"})
    assert asns(changed) == EVERYTHING - BELOW_ALPHA
    assert only(changed) == (name, "RFC 9286 section 6.5")


def test_files_off_the_manifest_are_not_used(lab: Any) -> None:
    """RFC 9286 section 6: what is not listed is not there."""
    files = lab.files
    unlisted = lab.alpha.products[lab.alpha.issue_roa(64510, [("10.1.0.0/16", 16)])]
    run = lab.validate(files | {f"{lab.alpha.repository}extra.roa": unlisted.content})
    assert asns(run) == EVERYTHING
    assert run.rejections == ()


@pytest.mark.parametrize("changes", [{"beta.crl": None}, {"second.crl": b"x"}], ids=["none", "two"])
def test_there_is_exactly_one_crl(lab: Any, changes: dict[str, bytes | None]) -> None:
    """On every manifest."""
    run = lab.validate(lab.republish(lab.beta, changes))
    assert asns(run) == EVERYTHING - {64501}
    assert only(run) == ("beta.mft", "RFC 9286 section 2")


def test_the_crl_is_the_one_that_certificates_refer_to(lab: Any) -> None:
    """Under another name it is another CRL."""
    crl = lab.beta.publication_point(lab.day)["beta.crl"]
    run = lab.validate(lab.republish(lab.beta, {"beta.crl": None, "other.crl": crl}))
    assert only(run) == ("beta.mft", "RFC 6487 section 4.8.6")


def test_a_stale_crl_costs_the_point(lab: Any) -> None:
    """Though the manifest is current."""
    old = Validity(lab.now - 90_000, lab.now - 10)
    run = lab.validate(lab.republish(lab.beta, {"beta.crl": revocation_list(lab.beta.key, 9, old, {})}))
    assert asns(run) == EVERYTHING - {64501}
    assert only(run) == ("beta.crl", "RFC 6487 section 5")
    counts = run.counts
    assert (counts.crls_rejected, counts.crls_stale, counts.crls_premature) == (1, 1, 0)
    early = Validity(lab.now + 10, lab.now + 90_000)
    run = lab.validate(lab.republish(lab.beta, {"beta.crl": revocation_list(lab.beta.key, 9, early, {})}))
    assert (run.counts.crls_rejected, run.counts.crls_stale, run.counts.crls_premature) == (1, 0, 1)


def test_a_manifest_ends_with_its_certificate(lab: Any, memory: Any) -> None:
    """And is stale then, or premature before, like one whose own dates say so."""
    files = lab.files
    stale, early = (
        validate([lab.tal], memory(files), clock=lambda when=when: when)
        for when in (lab.day.not_after + 1, lab.day.not_before - 1)
    )
    assert (stale.counts.manifests_stale, stale.counts.manifests_rejected) == (1, 1)
    assert (early.counts.manifests_premature, early.counts.manifests_rejected) == (1, 1)


def test_what_is_certified_to_a_ca_that_is_lost_is_known(lab: Any, memory: Any, notes: Any) -> None:
    """As long as nothing of the CA can be used; from a memo as without, and not where its last good version counts."""
    memo, files = notes(), lab.files
    assert lab.validate(files).lost == Held()
    broken = {uri: data for uri, data in files.items() if not uri.endswith(("alpha.mft", "beta.crl"))}
    for _ in range(3):
        run = validate([lab.tal], memory(broken, revisions=True), clock=lambda: lab.now, memo=memo)
        assert run.lost == Held(((0x0A010000, 0x0A02FFFF),), ((0x20010DB8_0001 << 80, (0x20010DB8_0002 << 80) - 1),))
    assert (run.counts.manifests_missing, run.counts.manifests_rejected) == (1, 1)
    source = memory(files)
    validate([lab.tal], source, clock=lambda: lab.now)
    source.files = broken
    assert validate([lab.tal], source, clock=lambda: lab.now).lost == Held()


def test_a_trust_anchor_of_everything_that_is_lost_is_nobodys_addresses(lab: Any, lab_keys: Any, memory: Any) -> None:
    """All that is signed anywhere would be unsafe then."""
    anchor = trust_anchor("all", Resources(["0.0.0.0/0", "2001:db8::/32"]), lab.year, lab_keys)
    tal = Tal("all", (anchor.certificate_uri,), anchor.key.public_key_info)
    run = validate([tal], memory({anchor.certificate_uri: anchor.certificate}), clock=lambda: lab.now)
    assert run.counts.publication_points_rejected == 1
    assert run.lost == Held((), ((0x20010DB8 << 96, (0x20010DB9 << 96) - 1),))


def test_a_crl_of_another_key_costs_the_point(lab: Any) -> None:
    """Nobody else can un-revoke."""
    run = lab.validate(lab.republish(lab.beta, {"beta.crl": revocation_list(lab.alpha.key, 9, lab.day, {})}))
    assert only(run) == ("beta.crl", "RFC 6487 section 5")


def test_a_crl_whose_signature_does_not_verify_costs_the_point(lab: Any) -> None:
    """Listed with its right hash."""
    crl = revocation_list(lab.beta.key, 9, lab.day, {})
    run = lab.validate(lab.republish(lab.beta, {"beta.crl": crl[:-1] + bytes([crl[-1] ^ 1])}))
    assert only(run) == ("beta.crl", "RFC 6487 section 5")
    assert "signature" in run.rejections[0].sentence


def test_a_revoked_manifest_costs_the_point(lab: Any) -> None:
    """Its certificate is on its own CRL."""
    run = lab.validate(
        lab.republish(lab.beta, {"beta.crl": revocation_list(lab.beta.key, 9, lab.day, {9_999: lab.now})})
    )
    assert asns(run) == EVERYTHING - {64501}
    assert only(run) == ("beta.mft", "RFC 6487 section 7.2")


def test_a_manifest_that_belongs_elsewhere_costs_the_point(lab: Any) -> None:
    """RFC 9981 section 4: or an old one could be put in the place of one that has a new name."""
    files = lab.beta.publication_point(lab.day)
    content = manifest_content(99, lab.day, {name: files[name] for name in files if name != "beta.mft"})
    elsewhere = lab.beta.sign("other.mft", MANIFEST, content, INHERIT, lab.day, 9_999).content
    run = lab.validate(
        lab.files | {lab.beta.repository + name: data for name, data in {**files, "beta.mft": elsewhere}.items()}
    )
    assert asns(run) == EVERYTHING - {64501}
    assert only(run) == ("beta.mft", "RFC 9981 section 4")


def test_aspas_and_router_keys_are_part_of_it(lab: Any) -> None:
    """With expiry, as ROAs are."""
    lab.alpha.issue_aspa(64500, [64496, 64511])
    router = lab.alpha.issue_router_key(64500)
    run = lab.validate()
    assert run.rejections == ()
    (aspa,) = run.aspas
    assert (aspa.customer, aspa.providers, aspa.expires) == (64500, (64496, 64511), lab.day.not_after)
    (key,) = run.router_keys
    assert (key.uri, key.asns, key.expires) == (lab.alpha.repository + router, ((64500, 64500),), lab.day.not_after)
    assert (run.counts.aspas_valid, run.counts.router_certificates_valid) == (1, 1)


@pytest.mark.parametrize(
    ("customer", "providers", "section"),
    [
        (64501, [64496], "RFC 3779 section 2"),
        (64500, [64500], "3.3"),
        (64500, [64511, 64496], "3.3"),
        (64500, [64496, 64496], "3.3"),
        (64500, [0, 64496], "3.3"),
        (64500, [], "3.3"),
        (64500, [2**32], "3.3"),
        (0, [64496], "3.2"),
    ],
)
def test_an_aspa_that_breaks_its_profile_costs_itself(
    lab: Any, customer: int, providers: list[int], section: str
) -> None:
    """Attack Q of a hostile CA, and mistakes; nothing else is lost."""
    name = lab.alpha.issue_aspa(customer, providers)
    run = lab.validate()
    assert run.aspas == ()
    assert [each.uri for each in run.rejections] == [lab.alpha.repository + name]
    assert asns(run) == EVERYTHING


def test_an_aspa_with_more_providers_than_routers_can_be_told(lab: Any) -> None:
    """16,380 is what one PDU holds."""
    lab.alpha.issue_aspa(64500, range(70_000, 70_000 + 16_380))
    assert len(lab.validate().aspas[0].providers) == 16_380
    lab.alpha.issue_aspa(64500, range(70_000, 70_000 + 16_381))
    assert [each.section for each in lab.validate().rejections] == ["limit of this validator"]


def test_a_router_certificate_of_somebody_else_is_refused(lab: Any, unpacked: Callable[[str], Path]) -> None:
    """A real one, from elsewhere."""
    router = unpacked("objects/misc-objects.tar.xz") / "rpki-rs" / "repository" / "router.cer"
    lab.alpha.products["router.cer"] = Product(router.read_bytes(), 50)
    run = lab.validate()
    assert only(run)[0] == "router.cer"
    assert run.counts.router_certificates_rejected == 1
    assert asns(run) == EVERYTHING


def test_rejections_of_one_point_are_bounded(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest is a number."""
    monkeypatch.setattr("rpkival.validation.report.MAX_REJECTIONS_PER_POINT", 3)
    for number in range(5):
        lab.alpha.products[f"bad{number}.roa"] = Product(b"bad", 50)
    run = lab.validate()
    assert len(run.rejections) == 4
    assert run.rejections[-1].sentence.startswith("2 more objects")
    assert run.counts.roas_rejected == 5


def test_publication_points_are_bounded_in_octets(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is too large is not held in memory, and costs only itself."""
    lab.alpha.products["large.xyz"] = Product(bytes(100_000), 50)
    monkeypatch.setattr("rpkival.validation.publication_point.MAX_POINT_BYTES", 100_000)
    run = lab.validate()
    assert asns(run) == EVERYTHING - BELOW_ALPHA
    assert [rejection.section for rejection in run.rejections] == ["limit of this validator"]


class Panic(BaseException):
    """As a fault in the decoder's Rust comes to Python."""


@pytest.mark.parametrize(
    "fault", [ZeroDivisionError("ours"), Panic("ours"), MemoryError()], ids=["bug", "panic", "memory"]
)
def test_a_fault_of_ours_costs_one_point(lab: Any, monkeypatch: pytest.MonkeyPatch, fault: BaseException) -> None:
    """No CA can end the validation of all others."""
    victim = lab.beta.products[lab.beta_roa].content

    def fail(data: bytes, **options: Any) -> Roa:
        if data == victim:
            raise fault
        return parse_roa(data, **options)

    monkeypatch.setattr("rpkival.validation.judged_files.parse_roa", fail)
    run = lab.validate()
    assert asns(run) == EVERYTHING - {64501}
    assert only(run) == ("beta.mft", "fault of this validator")
    assert type(fault).__name__ in run.rejections[0].sentence
    assert run.counts.publication_points_rejected == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt(), StateError("The disk is gone.")], ids=["interrupt", "state"])
def test_interrupts_and_errors_of_the_source_go_through(lab: Any, memory: Any, error: BaseException) -> None:
    """These are not about an object."""

    def read(name: str, sha256: bytes) -> bytes | None:
        raise error

    issuer = open_trust_anchor(lab.tal, memory(lab.files), lambda: lab.now, Tally("lab"))
    with pytest.raises(type(error)):
        judge_publication_point(issuer, lab.files[issuer.manifest], read, lab.now)


def test_a_ca_with_too_many_vrps_costs_only_itself(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Together with what hangs below it; neither its siblings nor the whole tree."""
    monkeypatch.setattr("rpkival.validation.publication_point.MAX_POINT_VRPS", 2)
    run = lab.validate()
    assert asns(run) == {64501}
    assert [(each.uri, each.section) for each in run.rejections] == [
        (f"{lab.alpha.repository}alpha.mft", "limit of this validator")
    ]
    assert run.trust_anchors[0].complete
    assert run.counts.publication_points_rejected == 1
    assert run.counts.vrps == 1


def test_a_ca_that_grows_too_large_keeps_what_it_had(
    lab: Any, memory: Any, notes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 9286 section 6.6: its last good version is used, in every run until it shrinks; it is judged in each."""
    monkeypatch.setattr("rpkival.validation.publication_point.MAX_POINT_VRPS", 3)
    source, memo = memory(lab.files), notes()
    before = validate([lab.tal], source, clock=lambda: lab.now, memo=memo)
    assert not before.rejections
    lab.alpha.issue_roa(64503, [("10.1.64.0/20", 20)])
    source.files = lab.files
    for _ in range(2):
        run = validate([lab.tal], source, clock=lambda: lab.now, memo=memo)
        assert asns(run) == asns(before)
        assert [each.section for each in run.rejections] == ["limit of this validator"]
