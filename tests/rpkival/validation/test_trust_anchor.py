"""Which certificate of a trust anchor counts, and on which terms."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rpkival.lab.ca import trust_anchor
from rpkival.lab.certificates import Validity
from rpkival.lab.number_resources import Resources
from rpkival.objects.constraints import parse_constraints
from rpkival.objects.tal import Terms
from rpkival.validation.issuer import CONSTRAINTS_SECTION
from rpkival.validation.memo import Memo
from rpkival.validation.walk import validate

ALL = Resources(["10.0.0.0/8", "2001:db8::/32"], [(64496, 64511)])


def reissued(lab: Any, not_before: int, not_after: int) -> bytes:
    """Another certificate of the lab's trust anchor."""
    again = trust_anchor(
        "anchor", ALL, Validity(lab.year.not_before + not_before, lab.year.not_after + not_after), lab.anchor.keys
    )
    assert again.key.public_key_info == lab.tal.key_info
    return again.certificate


@pytest.mark.parametrize(
    ("fetched", "kept", "wins"),
    [
        ((10, 0), (0, 0), "fetched"),
        ((0, 0), (10, 0), "kept"),
        ((0, -10), (0, 0), "fetched"),
        ((0, 0), (0, -10), "kept"),
        ((10, 10), (0, 0), "fetched"),
        ((0, 0), (0, 0), "fetched"),
    ],
)
def test_the_certificate_issued_later_counts(
    lab: Any, memory: Any, fetched: tuple[int, int], kept: tuple[int, int], wins: str
) -> None:
    """RFC 10097: the later notBefore, then the earlier notAfter; an old one served again is recorded."""
    uri = lab.anchor.certificate_uri
    candidates = {"fetched": reissued(lab, *fetched), "kept": reissued(lab, *kept)}
    source = memory({**lab.files, uri: candidates["fetched"]}, anchors={uri: candidates["kept"]})
    run = validate([lab.tal], source, clock=lambda: lab.now)
    assert source.anchors[uri] == candidates[wins]
    assert len(run.roas) == 4
    assert [each.section for each in run.rejections] == (["RFC 10097"] if wins == "kept" else [])


def test_the_last_good_certificate_counts_while_the_fetched_one_is_bad(lab: Any, memory: Any) -> None:
    """One that has not begun, say, which is recorded."""
    uri = lab.anchor.certificate_uri
    early = reissued(lab, lab.now - lab.year.not_before + 60, 0)
    run = validate(
        [lab.tal], memory({**lab.files, uri: early}, anchors={uri: lab.anchor.certificate}), clock=lambda: lab.now
    )
    assert len(run.roas) == 4
    assert ["not valid before" in each.sentence for each in run.rejections] == [True]


OTHER = "rsync://other.example.net/ta/anchor.cer"


def test_the_next_uri_is_asked_though_a_certificate_was_kept(lab: Any, memory: Any) -> None:
    """RFC 8630 section 3: the first URI is out of reach, and the certificate has been issued anew since."""
    uri = lab.anchor.certificate_uri
    renewed = reissued(lab, 10, 0)
    files = {name: data for name, data in lab.files.items() if name != uri}
    source = memory({**files, OTHER: renewed}, anchors={uri: lab.anchor.certificate})
    run = validate([replace(lab.tal, uris=(uri, OTHER))], source, clock=lambda: lab.now)
    assert len(run.roas) == 4
    assert source.anchors[OTHER] == renewed
    assert [anchor.uri for anchor in run.trust_anchors] == [OTHER]
    assert not run.rejections


def test_what_was_accepted_from_another_uri_counts_too(lab: Any, memory: Any) -> None:
    """One of the servers has an old certificate, the other is out of reach today."""
    uri = lab.anchor.certificate_uri
    renewed = reissued(lab, 10, 0)
    source = memory({**lab.files, uri: lab.anchor.certificate}, anchors={OTHER: renewed, uri: b"long past"})
    run = validate([replace(lab.tal, uris=(uri, OTHER))], source, clock=lambda: lab.now)
    assert [anchor.uri for anchor in run.trust_anchors] == [OTHER]
    assert [(each.uri, each.section) for each in run.rejections] == [(uri, "RFC 10097")]


def test_nothing_good_is_told_of_each_certificate(lab: Any, memory: Any) -> None:
    """Of those that are there and of those that were kept; where there are none, of that."""
    uri = lab.anchor.certificate_uri
    tal = replace(lab.tal, uris=(uri, OTHER))
    run = validate([tal], memory({**lab.files, uri: b"broken"}, anchors={OTHER: b"worse"}), clock=lambda: lab.now)
    assert [each.uri for each in run.rejections] == [uri, OTHER]
    run = validate([tal], memory({}), clock=lambda: lab.now)
    assert ["could not be had" in each.sentence for each in run.rejections] == [True]


def constrained(lab: Any, text: bytes) -> Any:
    """The locator, with constraints."""
    return replace(lab.tal, terms=Terms(parse_constraints(text, "lab.constraints")))


def test_constraints_bind_what_is_signed_below(lab: Any, memory: Any) -> None:
    """Beta's ROA lies outside; its CA, and all that is inside, count."""
    run = validate(
        [constrained(lab, b"allow 10.1.0.0/16\nallow 2001:db8::/32\n")], memory(lab.files), clock=lambda: lab.now
    )
    assert len(run.roas) == 3
    assert run.counts.certificates_rejected == 0
    assert [(each.uri, each.section) for each in run.rejections] == [
        (lab.beta.repository + lab.beta_roa, CONSTRAINTS_SECTION)
    ]
    assert run.rejections[0].sentence == "The certificate has 10.2.0.0/16, which the trust anchor may not certify here."


def test_constraints_bind_as_numbers_of_aspas_and_routers(lab: Any, memory: Any) -> None:
    """Neither authorises what is denied."""
    lab.alpha.issue_aspa(64500, [64501])
    lab.alpha.issue_router_key(64500)
    files = lab.files
    assert len(validate([lab.tal], memory(files), clock=lambda: lab.now).aspas) == 1
    run = validate([constrained(lab, b"deny 64500\n")], memory(files), clock=lambda: lab.now)
    assert not run.aspas
    assert not run.router_keys
    assert len(run.roas) == 4
    assert (run.counts.aspas_rejected, run.counts.router_certificates_rejected) == (1, 1)


class Records(dict[bytes, bytes], Memo):
    """A memo in memory."""

    def put(self, key: bytes, record: bytes) -> None:
        self[key] = record

    def forget_unused(self, keys: frozenset[bytes]) -> None:
        """Keep all."""


def test_what_was_judged_on_other_terms_is_judged_again(lab: Any, memory: Any) -> None:
    """The memo must not bring back what constraints have just taken away."""
    memo = Records()
    source = memory(lab.files)
    counts = [
        len(validate([tal], source, clock=lambda: lab.now, memo=memo).roas)
        for tal in (lab.tal, constrained(lab, b"deny 10.0.0.0/8\n"), lab.tal)
    ]
    assert counts == [4, 0, 4]


def test_terms_reach_the_workers(lab: Any, memory: Any) -> None:
    """With the issuer, to whoever judges."""
    tal = constrained(lab, b"deny 10.2.0.0/16\n")
    run = validate([tal], memory(lab.files), clock=lambda: lab.now, workers=2)
    assert [each.section for each in run.rejections] == [CONSTRAINTS_SECTION]
    assert len(run.roas) == 3
