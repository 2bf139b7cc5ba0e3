"""Tests for rpkival.validation.current_manifests: what a canonical cache representation says of manifests."""

from __future__ import annotations

import hashlib
from typing import Any

from rpkival.lab.ca import CertificateAuthority
from rpkival.objects.ccr import CachedManifest
from rpkival.validation.current_manifests import CurrentManifests
from rpkival.validation.walk import validate


def current(lab: Any, source: Any, now: int = 0, tals: Any = None) -> dict[str, CachedManifest]:
    """The manifests of a run, by URI."""
    found = CurrentManifests(source)
    validate(tals or [lab.tal], source, clock=lambda: now or lab.now, on_settled=found.add)
    return {each.locations[0]: each for each in found.manifests}


def uri(authority: CertificateAuthority) -> str:
    return authority.repository + authority.manifest


def test_every_manifest_that_counts(lab: Any, memory: Any) -> None:
    """With what its object says, and the keys of the CAs below."""
    files = lab.files
    found = current(lab, memory(files))
    authorities = (lab.anchor, lab.alpha, lab.beta, lab.customer)
    assert found.keys() == {uri(each) for each in authorities}
    data = files[uri(lab.alpha)]
    alpha = found[uri(lab.alpha)]
    assert (alpha.sha256, alpha.size) == (hashlib.sha256(data).digest(), len(data))
    assert (alpha.number, alpha.this_update) == (1, lab.day.not_before)
    key_ids = [each.key.identifier for each in authorities]
    assert [found[uri(each)].authority_key_id for each in authorities] == key_ids
    assert found[uri(lab.anchor)].subordinates == tuple(sorted(key_ids[1:3]))
    assert (alpha.subordinates, found[uri(lab.beta)].subordinates) == ((key_ids[3],), ())


def test_a_registry(real_tree: Any, memory: Any) -> None:
    """All of TWNIC's 422 CAs, each but the first below another."""
    found = current(real_tree, memory(real_tree.files))
    assert len(found) == 422
    assert sum(len(each.subordinates) for each in found.values()) == 421
    assert {each.size for each in found.values()} == {len(real_tree.files[location]) for location in found}


def test_what_is_lost_is_left_out(lab: Any, memory: Any) -> None:
    """With all below it; its CA's certificate was valid all the same, and stays among those of the issuer."""
    files = lab.files
    whole = current(lab, memory(files))
    del files[uri(lab.alpha)]
    found = current(lab, memory(files))
    assert found.keys() == {uri(lab.anchor), uri(lab.beta)}
    assert found[uri(lab.anchor)] == whole[uri(lab.anchor)]


def test_the_last_good_version_is_the_one_that_counts(lab: Any, memory: Any) -> None:
    """As long as it holds by itself."""
    source = memory(lab.files)
    before = current(lab, source)
    lab.beta.withdraw(lab.beta_roa)
    files = lab.files
    del files[f"{lab.beta.repository}beta.crl"]
    source.files = files
    assert current(lab, source)[uri(lab.beta)] == before[uri(lab.beta)]
    assert current(lab, source)[uri(lab.alpha)].number == 2


def test_a_manifest_of_two_trust_anchors_is_one(lab: Any, memory: Any) -> None:
    """Two locators of one trust anchor lead to the same."""
    source = memory(lab.files)
    once = current(lab, source)
    other = lab.tal.__class__("again", lab.tal.uris, lab.tal.key_info)
    assert current(lab, source, tals=[lab.tal, other]) == once
