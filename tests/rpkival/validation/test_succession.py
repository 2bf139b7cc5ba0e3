"""Tests for rpkival.validation.succession: the next key of a trust anchor (RFC 9691)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rpkival.lab.ca import CertificateAuthority, Product, trust_anchor
from rpkival.lab.certificates import Validity
from rpkival.lab.keys import KeyRing
from rpkival.lab.number_resources import Resources
from rpkival.limits import ACCEPTANCE_SECONDS
from rpkival.objects.tal import Tal
from rpkival.validation.anchors import look_at_anchor
from rpkival.validation.succession import (
    AcceptanceTimer,
    fingerprint,
    next_timer,
    objection_to_successor,
    successor_locator,
)

NOW = 1_773_648_000
YEAR = Validity(NOW - 86_400, NOW + 365 * 86_400)
DAY = Validity(NOW - 60, NOW + 86_400)
Sources = Callable[[dict[str, bytes]], Any]


@pytest.fixture
def anchors(lab_keys: KeyRing) -> tuple[CertificateAuthority, CertificateAuthority, CertificateAuthority]:
    """Three trust anchors that have not said anything yet."""
    one, two, three = (trust_anchor(name, Resources(["10.0.0.0/8"]), YEAR, lab_keys) for name in ("one", "two", "six"))
    return one, two, three


def objection(memory: Sources, anchor: CertificateAuthority, *others: CertificateAuthority) -> str | None:
    files = {uri: data for each in (anchor, *others) for uri, data in each.tree(DAY).items()}
    source = memory(files)
    tal = Tal("lab", (anchor.certificate_uri,), anchor.key.public_key_info)
    return objection_to_successor(look_at_anchor(tal, source, NOW), source, NOW)


def test_two_keys_that_name_each_other(memory: Sources, anchors: tuple[CertificateAuthority, ...]) -> None:
    """There is no reason then not to follow."""
    one, two, _ = anchors
    one.issue_trust_anchor_key(successor=two)
    two.issue_trust_anchor_key(predecessor=one)
    assert objection(memory, one, two) is None

    tal = Tal("lab", (one.certificate_uri,), one.key.public_key_info)
    locator = successor_locator(look_at_anchor(tal, memory(one.tree(DAY)), NOW))
    assert locator == Tal("lab", (two.certificate_uri,), two.key.public_key_info)


def test_a_successor_that_is_not_there(memory: Sources, anchors: tuple[CertificateAuthority, ...]) -> None:
    """An announcement alone may be a mistake."""
    one, two, _ = anchors
    one.issue_trust_anchor_key(successor=two)
    assert "certificate is not there" in str(objection(memory, one))


def test_a_successor_that_says_nothing(memory: Sources, anchors: tuple[CertificateAuthority, ...]) -> None:
    """It has to have an object of its own, with a key before it."""
    one, two, _ = anchors
    one.issue_trust_anchor_key(successor=two)
    assert "no trust anchor key object" in str(objection(memory, one, two))
    two.issue_trust_anchor_key()
    assert "no trust anchor key object" in str(objection(memory, one, two))


def test_a_successor_of_somebody_else(memory: Sources, anchors: tuple[CertificateAuthority, ...]) -> None:
    """Whoever holds one key cannot give a trust anchor's users to another trust anchor."""
    one, two, three = anchors
    one.issue_trust_anchor_key(successor=two)
    two.issue_trust_anchor_key(predecessor=three)
    assert "names another key" in str(objection(memory, one, two))


def test_two_objects_announce_nothing(memory: Sources, anchors: tuple[CertificateAuthority, ...]) -> None:
    """RFC 9691 section 2.3: there is one, or none that counts."""
    one, two, three = anchors
    one.issue_trust_anchor_key(successor=two)
    one.issue_trust_anchor_key(successor=three)
    two.issue_trust_anchor_key(predecessor=one)
    assert objection(memory, one, two) == "No successor is announced."
    tal = Tal("lab", (one.certificate_uri,), one.key.public_key_info)
    anchor = look_at_anchor(tal, memory(one.tree(DAY)), NOW)
    assert successor_locator(anchor) is None
    assert [each.section for each in anchor.rejections] == ["RFC 9691 section 2.3"] * 2


def test_an_object_that_is_bad_makes_two_as_well(memory: Sources, anchors: tuple[CertificateAuthority, ...]) -> None:
    """RFC 9691 section 2.3: the one that counts is the only one on the manifest."""
    one, two, _ = anchors
    one.issue_trust_anchor_key(successor=two)
    one.products["broken.tak"] = Product(b"nothing", 0)
    tal = Tal("lab", (one.certificate_uri,), one.key.public_key_info)
    assert look_at_anchor(tal, memory(one.tree(DAY)), NOW).successor is None


def test_the_timer() -> None:
    """It goes on for the same key, and starts anew for another, after a gap, and where the clock was ahead."""
    key, other = b"key", b"other"
    first = next_timer(None, key, NOW)
    assert first == AcceptanceTimer(fingerprint(key), NOW)
    assert first.ends == NOW + ACCEPTANCE_SECONDS
    assert next_timer(first, key, NOW + 600) == first
    assert next_timer(first, other, NOW + 600) == AcceptanceTimer(fingerprint(other), NOW + 600)
    assert next_timer(first, None, NOW + 600) is None
    assert next_timer(first, key, NOW - 600) == AcceptanceTimer(fingerprint(key), NOW - 600)
