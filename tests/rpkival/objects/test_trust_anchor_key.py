"""Tests for rpkival.objects.trust_anchor_key: those of a registry's testbed, and of the lab."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rpkival.errors import LimitError, ObjectError
from rpkival.lab.attestations import TRUST_ANCHOR_KEY, trust_anchor_key_content
from rpkival.lab.ca import CertificateAuthority, trust_anchor
from rpkival.lab.certificates import Validity
from rpkival.lab.keys import KeyRing
from rpkival.lab.number_resources import INHERIT, Resources
from rpkival.objects.trust_anchor_key import parse_tak, parse_tak_content

SAMPLES = "rpki-client-regress/rpki-client/tak"


@pytest.fixture
def anchors(lab_keys: KeyRing) -> tuple[CertificateAuthority, CertificateAuthority]:
    """Two trust anchors, of which the second is to follow the first."""
    valid = Validity(0, 2_000_000_000)
    first, second = (trust_anchor(name, Resources(["10.0.0.0/8"]), valid, lab_keys) for name in ("anchor", "beta"))
    return first, second


@pytest.mark.parametrize(
    ("name", "predecessor", "successor"),
    [
        ("05F53BCE4DAA11EDB9AC0C5B9E174E93", False, True),
        ("42AE70A64DA711EDB37796549E174E93", False, False),
        ("B7C2334E4DA911EDAF862D5A9E174E93", False, True),
    ],
)
def test_real_ones_are_read(unpacked: Callable[[str], Path], name: str, predecessor: bool, successor: bool) -> None:
    """One alone, and two with a successor."""
    content = parse_tak((unpacked("objects/misc-objects.tar.xz") / SAMPLES / f"{name}.tak").read_bytes()).content
    assert content.current.uris[0].startswith("rsync://rpki-testbed.apnic.net/")
    assert (content.predecessor is not None, content.successor is not None) == (predecessor, successor)


def test_the_labs_is_read(anchors: tuple[CertificateAuthority, CertificateAuthority]) -> None:
    """What it says of both keys."""
    first, second = anchors
    content = parse_tak(first.products[first.issue_trust_anchor_key(successor=second)].content).content
    assert content.current.key_info == first.key.public_key_info
    assert content.successor is not None
    assert content.successor.uris == (second.certificate_uri,)
    assert content.successor.key_info == second.key.public_key_info


def test_one_for_another_key_is_refused(anchors: tuple[CertificateAuthority, CertificateAuthority]) -> None:
    """RFC 9691 section 2.3: the current key must have issued the certificate of the object that says so."""
    first, second = anchors
    content = trust_anchor_key_content(((second.certificate_uri,), second.key.public_key_info))
    name = first.issue("key", "tak", TRUST_ANCHOR_KEY, content, INHERIT)
    with pytest.raises(ObjectError, match="issued the object's certificate"):
        parse_tak(first.products[name].content)
    content = trust_anchor_key_content(((first.certificate_uri,), first.key.public_key_info))
    name = first.issue("key", "tak", TRUST_ANCHOR_KEY, content, Resources(["10.0.0.0/8"]))
    with pytest.raises(ObjectError, match="instead of inheriting"):
        parse_tak(first.products[name].content)


def test_what_it_says_must_be_of_use(anchors: tuple[CertificateAuthority, CertificateAuthority]) -> None:
    """A key that is none, no URI, another kind of URI, too many."""
    first, _ = anchors
    key, uri = first.key.public_key_info, first.certificate_uri
    for current, sentence in (
        (((uri,), b"\x30\0"), "key"),
        (((), key), "no URI"),
        ((("http://lab.example/ta.cer",), key), "must be"),
    ):
        with pytest.raises(ObjectError, match=sentence):
            parse_tak_content(trust_anchor_key_content(current))
    with pytest.raises(LimitError, match="URIs"):
        parse_tak_content(trust_anchor_key_content(((uri,) * 21, key)))
