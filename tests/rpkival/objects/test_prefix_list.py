"""Tests for rpkival.objects.prefix_list: a real one, and the lab's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rpkival.errors import LimitError, ObjectError
from rpkival.lab import der
from rpkival.lab.attestations import PREFIX_LIST, prefix_list_content
from rpkival.lab.ca import trust_anchor
from rpkival.lab.certificates import Validity
from rpkival.lab.keys import KeyRing
from rpkival.lab.number_resources import INHERIT, Resources, address_bits
from rpkival.objects.prefix_list import parse_prefix_list, parse_prefix_list_content

DRAFT = "draft-ietf-sidrops-rpki-prefixlist section"


@pytest.mark.parametrize("place", ["rpki-client-regress/rpki-client/spl", "rpki-prover", "rpkitouch"])
def test_a_real_one_is_read(unpacked: Callable[[str], Path], place: str) -> None:
    """The same in the tests of three validators."""
    path = unpacked("objects/misc-objects.tar.xz") / place / "9X0AhXWTJDl8lJhfOwvnac-42CA.spl"
    content = parse_prefix_list(path.read_bytes()).content
    assert content.asn == 15562
    assert content.ipv4[0] == (0x43DDF500, 24)
    assert content.ipv6


def test_the_labs_is_read_and_must_be_the_ass(lab_keys: KeyRing) -> None:
    """Its certificate has the AS number and nothing else."""
    anchor = trust_anchor("anchor", Resources(["10.0.0.0/8"], [64500]), Validity(0, 2_000_000_000), lab_keys)
    data = anchor.products[anchor.issue_prefix_list(64500, ["10.1.0.0/16", "::/0"])].content
    assert parse_prefix_list(data).content.ipv4 == ((0x0A010000, 16),)
    assert parse_prefix_list(data).content.ipv6 == ((0, 0),)
    content = prefix_list_content(64500, ["10.1.0.0/16"])
    for resources, sentence in (
        (Resources(["10.0.0.0/8"], [64500]), "has IP addresses"),
        (Resources((), [64501]), "AS64500"),
        (INHERIT, "has IP addresses"),
    ):
        name = anchor.issue("x", "spl", PREFIX_LIST, content, resources)
        with pytest.raises(ObjectError, match=sentence):
            parse_prefix_list(anchor.products[name].content)


def content_of(*families: tuple[bytes, list[bytes]], asn: int = 64500) -> bytes:
    """RpkiSignedPrefixList."""
    blocks = (der.sequence(der.octet_string(afi), der.sequence(*bits)) for afi, bits in families)
    return der.sequence(der.integer(asn), der.sequence(*blocks))


SHORT, LONG = address_bits(0x0A000000, 8, 32), address_bits(0x0A000000, 16, 32)


def test_order_is_by_address_and_then_by_length() -> None:
    """As RFC 3779 orders addresses."""
    assert parse_prefix_list_content(content_of((b"\0\1", [SHORT, LONG]))).ipv4 == ((0x0A000000, 8), (0x0A000000, 16))
    assert parse_prefix_list_content(content_of()).ipv4 == ()


@pytest.mark.parametrize(
    ("content", "section"),
    [
        (content_of((b"\0\1", [LONG, SHORT])), "3.3"),
        (content_of((b"\0\1", [SHORT, SHORT])), "3.3"),
        (content_of((b"\0\1", [])), "3.3"),
        (content_of((b"\0\3", [SHORT])), "3.3"),
        (content_of((b"\0\2", [SHORT]), (b"\0\1", [SHORT])), "3.3"),
        (content_of((b"\0\1", [SHORT]), (b"\0\1", [SHORT])), "3.3"),
        (content_of((b"\0\1", [der.bit_string(bytes(5))])), "3.3"),
        (content_of(asn=1 << 32), "3.2"),
        (content_of(asn=-1), "3.2"),
        (der.sequence(der.explicit(0, der.integer(1)), der.integer(1), der.sequence()), "3.1"),
        (b"\x30\0", "3"),
    ],
)
def test_broken_content_is_refused(content: bytes, section: str) -> None:
    """Out of order, twice, none, another family, too long, no AS number, another version."""
    with pytest.raises(ObjectError) as caught:
        parse_prefix_list_content(content)
    assert caught.value.section == f"{DRAFT} {section}"


def test_more_prefixes_than_anybody_announces_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before they are looked at."""
    monkeypatch.setattr("rpkival.objects.prefix_list.MAX_PREFIX_LIST_PREFIXES", 1)
    with pytest.raises(LimitError, match="2 prefixes"):
        parse_prefix_list_content(content_of((b"\0\1", [SHORT, LONG])))
