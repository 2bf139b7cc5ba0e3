"""Tests for rpkival.lab.attestations: what real signers wrote, written again, is the same to the octet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from asn1crypto import cms, core

from rpkival.lab.attestations import (
    aspa_content,
    checklist_content,
    prefix_list_content,
    trust_anchor_key_content,
    vcard,
)
from rpkival.lab.number_resources import Resources


@pytest.fixture(scope="session")
def content_of(unpacked: Callable[[str], Path]) -> Callable[[str], bytes]:
    """`content_of(path)`: the eContent of a real signed object."""

    def content(path: str) -> bytes:
        data = (unpacked("objects/misc-objects.tar.xz") / path).read_bytes()
        octets: bytes = cms.ContentInfo.load(data)["content"]["encap_content_info"]["content"].contents
        return octets

    return content


def test_an_aspa(content_of: Callable[[str], bytes]) -> None:
    """Of 2024, in version 1."""
    assert aspa_content(204325, [65000, 65002, 65003]) == content_of("rpki-prover/AS204325.asa")


def test_a_prefix_list(content_of: Callable[[str], bytes]) -> None:
    """Some thirty prefixes of both families."""
    real = content_of("rpki-prover/9X0AhXWTJDl8lJhfOwvnac-42CA.spl")
    asn, blocks = core.Sequence.load(real).native.values()
    prefixes = []
    for family, bits in (block.values() for block in blocks.values()):
        width, join = (32, _ipv4) if family == b"\x00\x01" else (128, _ipv6)
        for prefix in bits.values():
            number = int("".join(map(str, prefix)), 2) << (width - len(prefix))
            prefixes.append(f"{join(number)}/{len(prefix)}")

    assert len(prefixes) > 20
    assert prefix_list_content(asn, prefixes) == real
    assert prefix_list_content(asn, [*prefixes, *prefixes]) == real


def _ipv4(number: int) -> str:
    return ".".join(str(octet) for octet in number.to_bytes(4, "big"))


def _ipv6(number: int) -> str:
    return ":".join(f"{number >> shift & 0xFFFF:x}" for shift in range(112, -1, -16))


def test_a_checklist(content_of: Callable[[str], bytes]) -> None:
    """Its resources and structure; the files themselves are not there, so their hashes are others."""
    real = content_of("rpki-prover/checklist.sig")
    ours = checklist_content(Resources(["2001:67c:208c::/48"]), {"b42_ipv6_loa.png": b"", "other": b""})
    hashed = real.index(b".png") + 6  # after the tag and length of the first hash

    assert ours[3:40] == real[3:40]  # resources and digest algorithm
    assert ours[41:hashed] == real[41:hashed]


@pytest.mark.parametrize("name", ["42AE70A64DA711EDB37796549E174E93", "B7C2334E4DA911EDAF862D5A9E174E93"])
def test_a_trust_anchor_key(content_of: Callable[[str], bytes], name: str) -> None:
    """Current, predecessor and successor, where there are."""
    real = content_of(f"rpki-client-regress/rpki-client/tak/{name}.tak")
    keys: dict[int | None, tuple[tuple[str, ...], bytes]] = {}
    for part in _parts(real):
        tagged = part.class_ == core.CLASS_NAME_TO_NUM_MAP["context"]
        _, uris, info = _parts(part.contents if tagged else part.dump())
        keys[part.tag if tagged else None] = tuple(uri.native for uri in _parts(uris.dump())), info.dump()

    assert trust_anchor_key_content(keys[None], keys.get(0), keys.get(1)) == real


def _parts(data: bytes) -> list[core.Asn1Value]:
    """The elements of a SEQUENCE."""
    sequence = core.Sequence.load(data)
    return [sequence[index] for index in range(len(sequence))]


def test_a_vcard_has_the_lines_that_must_be_there() -> None:
    """RFC 6493 section 5."""
    lines = vcard("The Lab", "lab@lab.example").decode().split("\r\n")

    assert lines == ["BEGIN:VCARD", "VERSION:4.0", "FN:The Lab", "EMAIL:lab@lab.example", "END:VCARD", ""]
