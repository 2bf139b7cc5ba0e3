"""Checklists under their trust anchors."""

from __future__ import annotations

from typing import Any

import pytest

from rpkival.errors import ObjectError
from rpkival.lab.ca import trust_anchor
from rpkival.lab.number_resources import Resources
from rpkival.objects.checklist import Checklist, parse_checklist
from rpkival.validation.detached import issuer_of
from rpkival.validation.issuer import Issuer

HELD = Resources(["10.1.0.0/24"], [64500])


def checklist(authority: Any, resources: Resources = HELD, **options: Any) -> Checklist:
    """One of an authority of the lab."""
    return parse_checklist(authority.checklist(resources, {"offer.txt": b"offer"}, **options))


def ask(lab: Any, source: Any, of: Checklist, now: int | None = None) -> Issuer | None:
    """Who has issued it, by the lab's trust anchor."""
    return issuer_of(of, [lab.tal], source, clock=lambda: now or lab.now)


def test_the_issuer_is_found_down_the_tree(lab: Any, memory: Any) -> None:
    """By the key that the certificate names, whatever its place."""
    held = Resources(["10.1.200.0/24"])
    found = ask(lab, memory(lab.files), checklist(lab.customer, held))
    assert found is not None
    assert found.uri == lab.customer.certificate_uri
    assert found.trust_anchor == "lab"


def test_a_stranger_is_not_found(lab: Any, memory: Any) -> None:
    """Another trust anchor's checklist is neither good nor bad here."""
    stranger = trust_anchor("stranger", HELD, lab.year, lab.anchor.keys)
    assert ask(lab, memory(lab.files), checklist(stranger)) is None
    assert ask(lab, memory({}), checklist(lab.alpha)) is None


def test_a_revoked_certificate_is_bad(lab: Any, memory: Any) -> None:
    """The issuer's CRL says so."""
    signed = checklist(lab.alpha)
    lab.alpha.revoked[signed.certificate.serial] = lab.now - 60
    with pytest.raises(ObjectError, match="revoked"):
        ask(lab, memory(lab.files), signed)


def test_an_expired_certificate_is_bad(lab: Any, memory: Any) -> None:
    """At the moment that is asked about."""
    signed = checklist(lab.alpha, validity=lab.day._replace(not_after=lab.now - 1))
    with pytest.raises(ObjectError, match="expired"):
        ask(lab, memory(lab.files), signed)


def test_resources_that_the_issuer_lacks_are_bad(lab: Any, memory: Any) -> None:
    """A checklist speaks only for what its chain holds."""
    with pytest.raises(ObjectError, match=r"10\.9\.0\.0/16"):
        ask(lab, memory(lab.files), checklist(lab.alpha, Resources(["10.9.0.0/16"])))


def test_without_a_current_crl_nothing_is_verified(lab: Any, memory: Any) -> None:
    """The issuer is valid, but whether it has revoked the certificate nobody can say."""
    files = {uri: data for uri, data in lab.files.items() if not uri.startswith(lab.alpha.repository)}
    with pytest.raises(ObjectError, match="manifest is missing"):
        ask(lab, memory(files), checklist(lab.alpha))


def test_the_manifest_accepted_last_counts_where_the_new_one_is_broken(lab: Any, memory: Any) -> None:
    """As it does for what is published (RFC 9286 section 6.6)."""
    signed = checklist(lab.alpha)
    source = memory(lab.files)
    assert ask(lab, source, signed) is not None
    source.files = {**source.files, f"{lab.alpha.repository}alpha.mft": b"broken"}
    assert ask(lab, source, signed) is not None
