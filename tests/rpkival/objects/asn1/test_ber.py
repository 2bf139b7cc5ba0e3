"""Tests for rpkival.objects.asn1.ber: whatever form BER gives a value, DER comes out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.errors import LimitError, ObjectError
from rpkival.lab.ca import trust_anchor
from rpkival.lab.certificates import Validity
from rpkival.lab.keys import KeyRing
from rpkival.lab.number_resources import Resources
from rpkival.limits import MAX_BER_DEPTH
from rpkival.objects.asn1.ber import ber_to_der
from rpkival.objects.asn1.der import header
from rpkival.objects.manifest import listed_entries, parse_manifest
from rpkival.objects.roa import parse_roa

NOW = 1_773_648_000
Tree = tuple[int, "bytes | list[Tree]"]

PRIMITIVE = st.tuples(st.sampled_from([0x02, 0x04, 0x06, 0x13, 0x80, 0x82]), st.binary(max_size=300))
TREES = st.recursive(
    PRIMITIVE,
    lambda inner: st.tuples(st.sampled_from([0x30, 0x31, 0xA0, 0xA3]), st.lists(inner, max_size=4)),
    max_leaves=12,
)


def der(tree: Tree) -> bytes:
    """As X.690 section 10 has it."""
    tag, content = tree
    if isinstance(content, bytes):
        return header(tag, len(content)) + content
    parts = [der(part) for part in content]
    octets = b"".join(sorted(parts) if tag == 0x31 else parts)
    return header(tag, len(octets)) + octets


def ber(tree: Tree, draw: Callable[[int], int], cuts: int = 3) -> bytes:
    """In any of the forms that X.690 section 8 allows; `draw(n)` chooses among n, pieces have pieces up to `cuts`."""
    tag, content = tree
    if isinstance(content, list):
        parts = [ber(part, draw) for part in content]
        if tag == 0x31 and parts:
            parts.insert(0, parts.pop(draw(len(parts))))
        return constructed(tag, b"".join(parts), draw)
    if tag == 0x04 and cuts and draw(2):
        middle = draw(len(content) + 1)
        pieces = [ber((0x04, piece), draw, cuts - 1) for piece in (content[:middle], content[middle:])]
        return constructed(0x24, b"".join(pieces), draw)
    return bytes([tag]) + length(len(content), draw) + content


def constructed(tag: int, content: bytes, draw: Callable[[int], int]) -> bytes:
    """Of definite or indefinite length."""
    if draw(2):
        return bytes([tag, 0x80]) + content + b"\0\0"
    return bytes([tag]) + length(len(content), draw) + content


def length(size: int, draw: Callable[[int], int]) -> bytes:
    """In the shortest form, or with zeros in front."""
    return b"\x84" + size.to_bytes(4, "big") if draw(2) else header(0, size)[1:]


@given(TREES, st.data())
def test_every_form_of_a_value_becomes_its_one(tree: Tree, data: st.DataObject) -> None:
    """DER itself stays as it is."""
    assert ber_to_der(der(tree)) == der(tree)
    form = ber(tree, lambda number: data.draw(st.integers(0, number - 1)))
    assert ber_to_der(form) == der(tree)


@given(st.binary(max_size=200))
def test_octets_are_der_or_an_error(octets: bytes) -> None:
    """And what came out is not rewritten again."""
    try:
        once = ber_to_der(octets)
    except (ObjectError, LimitError):
        return
    assert ber_to_der(once) == once


@pytest.mark.parametrize(
    "octets",
    [b"", b"\x30", b"\x30\x80", b"\x30\x80\0", b"\x04\x80\0\0", b"\x30\x03\x02\x02\x01\x01", b"\x04\x85\0\0\0\0\1a",
     b"\x1f\x81\x01\0", b"\x24\x03\x02\x01\x01", b"\x04\x01a\0"],
)  # fmt: skip
def test_what_is_no_ber_is_an_error(octets: bytes) -> None:
    """Cut off, without an end, primitive and endless, longer than its place, too long a length, a high tag, a piece of
    another type, something left over.
    """
    with pytest.raises(ObjectError, match=r"BER|octet string"):
        ber_to_der(octets)


def test_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A million levels, or too many elements; no memory and no stack is used up for it."""
    with pytest.raises(LimitError, match="nests deeper"):
        ber_to_der(b"\x30\x80" * 1_000_000)
    assert ber_to_der(b"\x30\x80" * MAX_BER_DEPTH + b"\0\0" * MAX_BER_DEPTH)
    monkeypatch.setattr("rpkival.objects.asn1.ber.MAX_BER_ELEMENTS", 1_000)
    with pytest.raises(LimitError, match="more than 1000 elements"):
        ber_to_der(b"\x30\x80" + b"\x05\0" * 1_001 + b"\0\0")


def in_ber(octets: bytes, draw: Callable[[int], int]) -> bytes:
    """A signed object's wrapper with every element of it in another form, the certificate and the content as signed."""
    wrapped = ber(tree_of(octets), draw)
    assert wrapped != octets
    return wrapped


def tree_of(octets: bytes, depth: int = 0) -> Tree:
    """The elements of DER, down to certificates and attributes, which are left whole."""
    tag, first = octets[0], octets[1]
    start = 2 if first < 0x80 else 2 + (first & 0x7F)
    content = octets[start:]
    if not tag & 0x20 or depth == 4:
        return tag, content
    parts: list[Tree] = []
    while content:
        size = content[1] if content[1] < 0x80 else int.from_bytes(content[2 : 2 + (content[1] & 0x7F)], "big")
        end = (2 if content[1] < 0x80 else 2 + (content[1] & 0x7F)) + size
        parts.append(tree_of(content[:end], depth + 1))
        content = content[end:]
    return tag, parts


def test_a_signed_object_in_ber_is_judged_as_in_der(lab_keys: KeyRing) -> None:
    """Unless strictly; its octets are what they were, its signature verifies, and a forged one does not."""
    valid = Validity(NOW - 10, NOW + 1_000)
    anchor = trust_anchor("anchor", Resources(["10.0.0.0/8"], []), valid, lab_keys)
    name = anchor.issue_roa(64500, [("10.1.0.0/16", 24)])
    roa = anchor.products[name].content
    other = in_ber(roa, lambda number: number - 1)
    assert parse_roa(other) == parse_roa(roa)
    with pytest.raises(ObjectError, match="RFC 6488 section 2"):
        parse_roa(other, strict=True)
    with pytest.raises(ObjectError):
        parse_roa(other.replace(b"\x0a\x01", b"\x0a\x02"))

    manifest = anchor.publication_point(valid)["anchor.mft"]
    other = in_ber(manifest, lambda number: number - 1)
    assert parse_manifest(other) == parse_manifest(manifest)
    assert listed_entries(other) == listed_entries(manifest)


@pytest.mark.parametrize(
    "name",
    ["rpki-rs/repository/ta.mft", "rpki-rs/repository/ca1.mft", "rpki-client-regress/rpki-client/mft/ripe-ncc-ta.mft"],
)
def test_old_objects_in_ber_are_accepted(unpacked: Callable[[str], Path], name: str) -> None:
    """As published once; strictly they are refused for it."""
    data = (unpacked("objects/misc-objects.tar.xz") / name).read_bytes()
    assert parse_manifest(data, require_signing_time=False).content.files
    with pytest.raises(ObjectError, match="BER with an indefinite length"):
        parse_manifest(data, require_signing_time=False, strict=True)
