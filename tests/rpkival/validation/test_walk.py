"""From locators down: several trust anchors, wrong keys, loops, limits, progress."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace
from threading import Timer
from typing import Any

import msgspec
import pytest

from rpkival.errors import LimitError
from rpkival.lab.ca import REPOSITORY, Product, trust_anchor
from rpkival.lab.certificates import CertificateContent, Validity, certificate
from rpkival.lab.keys import KeyRing
from rpkival.lab.number_resources import Resources
from rpkival.objects.place import Place
from rpkival.objects.tal import Tal
from rpkival.validation.report import Report
from rpkival.validation.walk import validate


def test_a_locator_with_another_key_gives_nothing(lab: Any, memory: Any) -> None:
    """The record says so (RFC 8630 section 3)."""
    tal = replace(lab.tal, key_info=lab.alpha.key.public_key_info)
    run = validate([tal], memory(lab.files), clock=lambda: lab.now)
    assert not run.roas
    assert [(each.uri, each.section) for each in run.rejections] == [(tal.uris[0], "RFC 8630 section 3")]
    assert run.trust_anchors[0].uri == ""


def test_the_first_good_uri_of_a_locator_is_used(lab: Any, memory: Any) -> None:
    """One is silent, one has a certificate of another key, the third is right."""
    silent, wrong = "https://ta.example/ta.cer", "rsync://ta.example/ta/ta.cer"
    tal = Tal("lab", (silent, wrong, lab.anchor.certificate_uri), lab.tal.key_info)
    run = validate([tal], memory({**lab.files, wrong: lab.alpha.certificate}), clock=lambda: lab.now)
    assert run.trust_anchors[0].uri == lab.anchor.certificate_uri
    assert len(run.roas) == 4
    assert [each.uri for each in run.rejections] == [wrong]


def test_a_locator_that_nobody_answers_is_named(lab: Any, memory: Any) -> None:
    """Nothing to hash, so no hash."""
    run = validate([lab.tal], memory({}), clock=lambda: lab.now)
    assert [(each.uri, each.sha256) for each in run.rejections] == [(lab.tal.uris[0], "")]
    assert "could not be had" in run.rejections[0].sentence


def test_a_trust_anchor_that_did_not_sign_itself_is_refused(lab: Any, memory: Any) -> None:
    """The key is right, the signature is not."""
    forged = lab.anchor.certificate[:-1] + bytes([lab.anchor.certificate[-1] ^ 1])
    run = validate([lab.tal], memory({**lab.files, lab.anchor.certificate_uri: forged}), clock=lambda: lab.now)
    assert not run.roas
    assert "signature" in run.rejections[0].sentence


def test_trust_anchors_are_counted_apart(lab: Any, memory: Any) -> None:
    """One good and one bad locator."""
    other = Tal("other", ("rsync://nowhere.example/m/ta.cer",), lab.tal.key_info)
    run = validate([other, lab.tal], memory(lab.files), clock=lambda: lab.now)
    assert [(anchor.name, anchor.counts.roas_valid) for anchor in run.trust_anchors] == [("other", 0), ("lab", 4)]
    assert {rejection.trust_anchor for rejection in run.rejections} == {"other"}


def test_a_ca_that_certifies_its_issuers_key_is_refused(lab: Any) -> None:
    """Otherwise the walk would never end."""
    lab.customer.issue_ca("alpha", Resources(["10.1.128.0/17"]), repository="rsync://rpki.lab.example/repository/loop/")
    run = lab.validate()
    assert len(run.roas) == 4
    assert [each.sentence for each in run.rejections] == [
        "The certificate is for a key that is already in its own chain of issuers."
    ]


def test_chains_are_bounded(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit a CA is a record, not a task."""
    monkeypatch.setattr("rpkival.validation.issuer.MAX_CA_DEPTH", 2)
    run = lab.validate()
    assert {roa.asn for roa in run.roas} == {64499, 64500, 64501}
    assert [(each.uri.rpartition("/")[2], each.section) for each in run.rejections] == [
        ("customer.cer", "limit of this validator")
    ]


@pytest.mark.parametrize(
    ("limit", "number"), [("MAX_PUBLICATION_POINTS", 2), ("MAX_PUBLICATION_POINTS", 3), ("MAX_TREE_VRPS", 3)]
)
def test_trees_are_bounded(lab: Any, monkeypatch: pytest.MonkeyPatch, limit: str, number: int) -> None:
    """What was judged before stays."""
    monkeypatch.setattr(f"rpkival.validation.walk.{limit}", number)
    run = lab.validate()
    assert {roa.asn for roa in run.roas} == {64499, 64500} | ({64501} if number == 3 and "POINTS" in limit else set())
    assert not run.trust_anchors[0].complete
    assert "passed its limit" in run.rejections[-1].sentence


@pytest.mark.parametrize("first", ["hostile", "other"])
def test_a_tree_without_end_costs_its_own_trust_anchor_alone(
    lab: Any, memory: Any, monkeypatch: pytest.MonkeyPatch, lab_keys: KeyRing, first: str
) -> None:
    """Each trust anchor has a number of points of its own, whichever is walked before the other."""
    monkeypatch.setattr("rpkival.validation.walk.MAX_PUBLICATION_POINTS", 2)
    other = trust_anchor("other", Resources(["192.0.2.0/24"]), lab.year, lab_keys)
    other.issue_ca("member", Resources(["192.0.2.0/25"])).issue_roa(64999, [("192.0.2.0/25", 25)])
    tals = [
        replace(lab.tal, name="hostile"),
        Tal("other", (other.certificate_uri,), other.key.public_key_info),
    ]
    tals.sort(key=lambda tal: tal.name != first)
    run = validate(tals, memory(lab.files | other.tree(lab.day)), clock=lambda: lab.now)
    assert {(anchor.name, anchor.complete) for anchor in run.trust_anchors} == {("hostile", False), ("other", True)}
    assert [roa.asn for roa in run.roas if roa.trust_anchor == "other"] == [64999]


def test_too_many_locators_are_refused(lab: Any, memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before any work."""
    monkeypatch.setattr("rpkival.validation.walk.MAX_TRUST_ANCHORS", 1)
    with pytest.raises(LimitError, match="2 trust anchor locators; 1 are allowed"):
        validate([lab.tal, lab.tal], memory({}), clock=lambda: lab.now)


def test_progress_is_told(lab: Any, memory: Any) -> None:
    """After each publication point; at the end all known are done."""
    seen: list[tuple[int, int]] = []
    validate(
        [lab.tal],
        memory(lab.files),
        clock=lambda: lab.now,
        on_progress=lambda _, done, known: seen.append((done, known)),
    )
    assert [done for done, _ in seen] == [1, 2, 3, 4]
    assert seen[-1] == (4, 4)


def test_each_repository_is_prepared_and_problems_are_kept(lab: Any, memory: Any) -> None:
    """What there is of an unreachable repository is used all the same."""
    source = memory(lab.files, {lab.alpha.repository: "It is down.", lab.beta.repository: "It is down."})
    run = validate([lab.tal], source, clock=lambda: lab.now)
    assert source.requested == [at.repository for at in (lab.anchor, lab.alpha, lab.beta, lab.customer)]
    assert [(each.uri, each.sentence) for each in run.fetch_problems] == [(REPOSITORY, "It is down.")]
    assert len(run.roas) == 4


def test_a_run_depends_on_its_input_alone(lab: Any) -> None:
    """The same files give the same run, in the same order."""
    files = lab.files
    assert lab.validate(files) == lab.validate(files)


def test_the_report_travels_as_json(lab: Any) -> None:
    """And comes back the same."""
    lab.alpha.revoke(lab.alpha_roa, lab.now - 60)
    report = lab.validate().report
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report
    assert len(report.rejections[0].sha256) == 64


@pytest.mark.parametrize("workers", [0, 2])
def test_what_was_signed_while_the_run_was_fetching_is_valid(lab: Any, memory: Any, workers: int) -> None:
    """Each point is judged as of when its files are there; the run tells when it began."""
    time = lab.now - 10

    class Slow(memory):  # type: ignore[misc]
        """Its fetches take until after the moment at which everything was signed anew."""

        def request(self, place: Any) -> Any:
            nonlocal time
            time += 20
            return super().request(place)

    signed_now = type(lab.day)(lab.now, lab.now + 86_400)
    run = validate([lab.tal], Slow(lab.anchor.tree(signed_now)), clock=lambda: time, workers=workers)
    assert run.rejections == ()
    assert len(run.roas) == 4
    assert run.now == lab.now - 10


def certify(issuer: Any, subject: Any, name: str, resources: Resources) -> None:
    """One more certificate by `issuer` for the key and the publication point of `subject`."""
    serial = max(product.serial for product in issuer.products.values()) + 1_000
    content = CertificateContent(
        serial=serial,
        validity=Validity(1_767_225_600, 1_798_761_600),
        subject_key=subject.key,
        resources=resources,
        is_ca=True,
        subject_info=(subject.repository, f"{subject.repository}{subject.name}.mft"),
        crl_uri=f"{issuer.repository}{issuer.name}.crl",
        issuer_uri=issuer.certificate_uri,
    )
    issuer.products[name] = Product(certificate(content, issuer.key), serial)


def test_many_certificates_for_one_ca_are_one_way_to_it(lab: Any) -> None:
    """Else three levels of twenty each would be eight thousand publication points."""
    parent = lab.beta
    for level in range(3):
        child = parent.issue_ca(f"level{level}", Resources(["10.2.0.0/24"]))
        for number in range(19):
            certify(parent, child, f"again{number}.cer", Resources(["10.2.0.0/24"]))
        parent = child
    parent.issue_roa(64510, [("10.2.0.0/24", 24)])
    run = lab.validate()
    assert run.counts.publication_points_valid == 4 + 3
    assert [roa.asn for roa in run.roas].count(64510) == 1
    assert len(run.rejections) == 3 * 19
    assert {each.section for each in run.rejections} == {"limit of this validator"}


def test_a_certificate_for_a_strangers_key_does_not_hide_the_stranger(lab: Any) -> None:
    """Though the walk comes to the stranger's publication point by the wrong certificate first."""
    certify(lab.anchor, lab.customer, "aaa.cer", Resources(["10.99.0.0/16"]))
    run = lab.validate()
    assert {roa.asn for roa in run.roas} == {64499, 64500, 64501, 64502}


def test_the_records_of_a_run_are_bounded(lab: Any, memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest is counted for each trust anchor."""
    monkeypatch.setattr("rpkival.validation.findings.MAX_REJECTIONS", 4)
    for number in range(3):
        lab.alpha.products[f"bad{number}.roa"] = Product(b"", number)
        lab.beta.products[f"bad{number}.roa"] = Product(b"", number)
    again = replace(lab.tal, name="again")
    run = validate([lab.tal, again], memory(lab.files), clock=lambda: lab.now)
    assert [each.uri.rpartition("/")[2] for each in run.rejections[:4]] == [
        *(f"bad{n}.roa" for n in range(3)),
        "bad0.roa",
    ]
    assert [(each.trust_anchor, each.sentence) for each in run.rejections[4:]] == [
        ("lab", "The report is full; 2 more records of this trust anchor are not listed."),
        ("again", "The report is full; 6 more records of this trust anchor are not listed."),
    ]
    assert len(run.roas) == 8


def test_the_records_of_fetches_are_bounded(lab: Any, memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each sentence may have a URI that its CA made up."""
    monkeypatch.setattr("rpkival.validation.walk.MAX_FETCH_PROBLEMS", 2)
    problems = {at.repository: f"{at.repository} is down." for at in (lab.anchor, lab.alpha, lab.beta, lab.customer)}
    run = validate([lab.tal], memory(lab.files, problems), clock=lambda: lab.now)
    assert {each.sentence for each in run.fetch_problems} == {
        f"{at.repository} is down." for at in (lab.anchor, lab.alpha)
    }


def test_rarer_objects_are_counted_by_their_kind(lab: Any, memory: Any) -> None:
    """And a trust anchor's word on its next key is told; anybody else's is refused."""
    following = trust_anchor("following", Resources(["10.0.0.0/8"]), lab.year, lab.anchor.keys)
    lab.anchor.issue_trust_anchor_key(successor=following)
    stolen = lab.alpha.issue_trust_anchor_key(successor=following)
    lab.alpha.issue_ghostbusters("Who", "who@example.net")
    lab.alpha.issue_prefix_list(64500, ["10.1.0.0/16"])
    lab.beta.products["broken.gbr"] = Product(b"\0", 1)
    run = validate([lab.tal], memory(lab.files), clock=lambda: lab.now)

    counts = run.counts
    assert (counts.ghostbusters_valid, counts.ghostbusters_rejected) == (1, 1)
    assert (counts.taks_valid, counts.taks_rejected, counts.prefix_lists_valid) == (1, 1, 1)
    assert {each.uri.rpartition("/")[2] for each in run.rejections} == {stolen, "broken.gbr"}
    assert len(run.roas) == 4
    (anchor,) = run.trust_anchors
    assert anchor.successor is not None
    assert anchor.successor.uris == (following.certificate_uri,)


def test_a_repository_that_is_waited_for_is_told(lab: Any, memory: Any) -> None:
    """When the wait begins and when it ends, once for all its CAs."""
    told: list[tuple[str, bool]] = []
    late: Future[str | None] = Future()

    class Slow(memory):  # type: ignore[misc]
        def request(self, place: Place) -> Future[str | None]:
            if place.repository == lab.anchor.repository:
                return super().request(place)  # type: ignore[no-any-return]
            Timer(0.05, lambda: late.done() or late.set_result(None)).start()
            return late

    run = validate([lab.tal], Slow(lab.files), clock=lambda: lab.now, on_fetch=lambda *what: told.append(what))
    module = "/".join(lab.anchor.repository.split("/")[:4]) + "/"
    assert told == [(module, False), (module, True)]
    assert len(run.roas) == 4
