"""The validation of RFC 8360: of what a certificate claims, it has what its issuer has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rpkival.lab.ca import CertificateAuthority, Product
from rpkival.lab.certificates import certificate
from rpkival.lab.der import object_identifier, sequence
from rpkival.lab.number_resources import Resources
from rpkival.lab.signed_objects import ROA, roa_content, signed_object
from rpkival.objects.tal import Terms
from rpkival.validation.report import ValidationRun
from rpkival.validation.walk import validate

TOO_MUCH = Resources(["10.3.0.0/16", "192.0.2.0/24"], [(64502, 64503), 65000])
"""Of which the trust anchor has the first prefix and the first range."""


def run(lab: Any, memory: Any, *, reconsidered: bool = True) -> ValidationRun:
    """Validate the lab with the switch on or off."""
    tal = replace(lab.tal, terms=Terms(reconsidered=reconsidered))
    return validate([tal], memory(lab.files), clock=lambda: lab.now)


@pytest.fixture
def gamma(lab: Any) -> CertificateAuthority:
    """A CA of RFC 8360 that claims more than its issuer has, and signs all its objects so."""
    lab.anchor.is_reconsidered = True
    authority: CertificateAuthority = lab.anchor.issue_ca("gamma", TOO_MUCH)
    lab.anchor.is_reconsidered = False
    authority.is_reconsidered = True
    return authority


def test_what_the_issuer_does_not_have_falls_away_alone(lab: Any, memory: Any, gamma: CertificateAuthority) -> None:
    """ROAs, ASPAs, lists and router keys for what is left are good, the others are not (RFC 8360 section 4.2)."""
    gamma.issue_roa(64502, [("10.3.0.0/16", 16)])
    gamma.issue_aspa(64502, [64503])
    gamma.issue_prefix_list(64502, ["10.3.0.0/16"])
    gamma.issue_router_key(64502)
    bad = [
        gamma.issue_roa(64502, [("192.0.2.0/24", 24)]),
        gamma.issue_aspa(65000, [64503]),
        gamma.issue_prefix_list(65000, ["10.3.0.0/16"]),
    ]
    beyond = gamma.issue_router_key((64503, 64504))
    empty = gamma.issue_router_key(65000)
    found = run(lab, memory)
    assert {each.uri.rpartition("/")[2] for each in found.rejections} == {*bad, beyond, empty}
    routers = [each.section for each in found.rejections if each.uri.endswith((beyond, empty))]
    assert routers == ["RFC 8360 section 4.2.6"] * 2
    assert len(found.roas) == 5
    assert [aspa.customer for aspa in found.aspas] == [64502]
    assert [key.asns for key in found.router_keys] == [((64502, 64502),)]
    assert found.counts.prefix_lists_valid == 1


def test_it_goes_on_down_the_chain(lab: Any, memory: Any, gamma: CertificateAuthority) -> None:
    """A CA below has no more than is left above it, whatever it claims."""
    below = gamma.issue_ca("below", Resources(["10.3.0.0/16", "192.0.2.0/24"]))
    below.is_reconsidered = True
    below.issue_roa(64502, [("10.3.128.0/17", 17)])
    lost = below.issue_roa(64502, [("192.0.2.0/24", 24)])
    found = run(lab, memory)
    assert [each.uri for each in found.rejections] == [below.repository + lost]
    assert len(found.roas) == 5


def test_a_certificate_of_rfc_6487_below_is_judged_by_rfc_6487(
    lab: Any, memory: Any, gamma: CertificateAuthority
) -> None:
    """One address too many costs the certificate, for its policy asks for no more."""
    gamma.is_reconsidered = False
    strict = gamma.issue_ca("below", Resources(["10.3.0.0/16", "192.0.2.0/24"]))
    gamma.is_reconsidered = True
    strict.issue_roa(64502, [("10.3.128.0/17", 17)])
    found = run(lab, memory)
    assert [(each.uri, each.section) for each in found.rejections] == [
        (gamma.repository + "below.cer", "RFC 6487 section 7.2")
    ]


def test_the_switch_is_off_unless_set(lab: Any, memory: Any, gamma: CertificateAuthority) -> None:
    """The record says what the certificate asks for, and nothing else is lost."""
    gamma.issue_roa(64502, [("10.3.0.0/16", 16)])
    found = run(lab, memory, reconsidered=False)
    assert [(each.uri, each.section) for each in found.rejections] == [
        (lab.anchor.repository + "gamma.cer", "RFC 8360 section 4.2.4.1")
    ]
    assert len(found.roas) == 4


def test_policy_and_delegations_go_together(lab: Any, memory: Any, gamma: CertificateAuthority) -> None:
    """The policy of RFC 8360 with the delegations of RFC 3779 is neither the one nor the other."""
    mixed = sequence(sequence(object_identifier("1.3.6.1.5.5.7.14.3")))
    name = gamma.issue_roa(64502, [("10.3.0.0/16", 16)])
    content = replace(
        gamma.signer(name, Resources(["10.3.0.0/16"]), gamma.validity, 77),
        is_reconsidered=False,
        replaced={"2.5.29.32": mixed},
    )
    signed = signed_object(
        ROA,
        roa_content(64502, [("10.3.0.0/16", 16)]),
        certificate(content, gamma.key),
        gamma.signer_key,
        gamma.validity.not_before,
    )
    gamma.products[name] = Product(signed, 77)
    found = run(lab, memory)
    assert ["not of the version" in each.sentence for each in found.rejections] == [True]
