"""Objects that are cut, changed or made up: whatever comes in, nothing but `ObjectError` or `LimitError` comes out."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.errors import LimitError, ObjectError
from rpkival.limits import MAX_OBJECT_BYTES
from rpkival.objects import oids
from rpkival.objects.certificate import Role, is_router_certificate, parse_certificate
from rpkival.objects.cms import parse_signed_object
from rpkival.objects.crl import parse_crl
from rpkival.objects.manifest import parse_manifest, parse_manifest_content
from rpkival.objects.roa import parse_roa, parse_roa_content

Parser = Callable[[bytes], object]
PARSERS: dict[str, Parser] = {
    "cer": lambda data: parse_certificate(data, Role.CA),
    "crl": parse_crl,
    "mft": parse_manifest,
    "roa": parse_roa,
}
KINDS = sorted(PARSERS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_truncation_is_refused(real_objects: Callable[[str], list[bytes]], kind: str) -> None:
    """Each prefix of an object is no object."""
    data = min(real_objects(kind), key=len)
    for size in range(len(data)):
        with pytest.raises(ObjectError):
            PARSERS[kind](data[:size])


@pytest.mark.parametrize("kind", KINDS)
def test_octets_behind_an_object_are_refused(real_objects: Callable[[str], list[bytes]], kind: str) -> None:
    """DER ends where it ends."""
    with pytest.raises(ObjectError):
        PARSERS[kind](real_objects(kind)[0] + b"\x00")


@pytest.mark.parametrize("kind", KINDS)
def test_random_changes_never_crash(real_objects: Callable[[str], list[bytes]], kind: str) -> None:
    """Flipped bits, other octets, and lost ones, at every place and with a fixed seed."""
    dice = random.Random(f"rpkival {kind}")
    data = min(real_objects(kind), key=len)
    refused = 0
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] = dice.choice((changed[place] ^ 1 << dice.randrange(8), 0x00, 0x80, 0xFF, 0x30, 0x31, 0xA0))
        if dice.random() < 0.1:
            del changed[place : place + dice.randrange(16)]
        try:
            PARSERS[kind](bytes(changed))
        except (ObjectError, LimitError) as error:
            refused += str(error).endswith(")")
        is_router_certificate(bytes(changed))
    assert refused > len(data) // 5


@pytest.mark.parametrize("kind", ["mft", "roa"])
def test_a_change_under_the_cms_signature_is_noticed(real_objects: Callable[[str], list[bytes]], kind: str) -> None:
    """Each octet from the content on to its end, and of the signature: the object judges itself."""
    data = min(real_objects(kind), key=len)
    start = data.index(b"\xa0", 30)
    for place in (*range(start, start + 20), *range(len(data) - 300, len(data))):
        changed = bytearray(data)
        changed[place] ^= 1
        with pytest.raises(ObjectError):
            PARSERS[kind](bytes(changed))


@pytest.mark.parametrize("kind", KINDS)
def test_one_kind_is_not_another(real_objects: Callable[[str], list[bytes]], kind: str) -> None:
    """A ROA named .mft is no manifest."""
    for other in KINDS:
        if other != kind:
            with pytest.raises(ObjectError):
                PARSERS[kind](real_objects(other)[0])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"\x30", b"\x30\x80\x00\x00", b"\x30\x84\xff\xff\xff\xff", b"\x30" * 5000]
)
def test_tiny_and_nested_octets_are_refused(kind: str, data: bytes) -> None:
    """Among them the single NUL that once ended validators (CVE-2021-3910)."""
    with pytest.raises(ObjectError):
        PARSERS[kind](data)


@pytest.mark.parametrize("kind", KINDS)
def test_huge_objects_are_refused_unread(kind: str) -> None:
    """The limit comes before any work."""
    with pytest.raises(LimitError, match="are allowed"):
        PARSERS[kind](bytes(MAX_OBJECT_BYTES + 1))


@given(st.binary(max_size=200))
def test_noise_as_content_is_refused(data: bytes) -> None:
    """What a CA signs can still be anything."""
    for parse in (parse_manifest_content, parse_roa_content):
        with pytest.raises(ObjectError):
            parse(data)


@pytest.mark.parametrize("kind", ["mft", "roa"])
def test_random_changes_of_contents_never_crash(real_objects: Callable[[str], list[bytes]], kind: str) -> None:
    """Behind a good signature a content can be anything: the parsers of contents by themselves."""
    dice = random.Random(f"rpkival content {kind}")
    parse: Parser = parse_manifest_content if kind == "mft" else parse_roa_content
    content_type = oids.RPKI_MANIFEST if kind == "mft" else oids.ROUTE_ORIGIN_AUTHZ
    contents = [parse_signed_object(data, content_type).content for data in real_objects(kind)[:20]]
    for content in contents:
        for place in range(min(len(content), 200)):
            changed = bytearray(content)
            changed[place] = dice.choice(
                (changed[place] ^ 1 << dice.randrange(8), 0x00, 0x80, 0xFF, dice.randrange(256))
            )
            with contextlib.suppress(ObjectError, LimitError):
                parse(bytes(changed))
