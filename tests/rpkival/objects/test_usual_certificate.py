"""Tests for rpkival.objects.usual_certificate: what is read at its usual place is what the declaration finds."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fuzz.der_mutator import mutate
from rpkival.errors import LimitError, ObjectError
from rpkival.lab.der import bit_string, explicit, integer, octet_string, sequence, time
from rpkival.objects import oids
from rpkival.objects.asn1.der import encode
from rpkival.objects.certificate import declared_certificate
from rpkival.objects.usual_certificate import CertificateParts, usual_certificate
from rpkival.objects.wrapper import declared_wrapper

SEEDS = Path(__file__).parents[3] / "fuzz" / "seeds"
CERTIFICATES = {
    **{path.name: path.read_bytes() for path in sorted((SEEDS / "certificate").iterdir())},
    "end entity": declared_wrapper(
        (SEEDS / "signed_object" / "roa").read_bytes(), oids.ROUTE_ORIGIN_AUTHZ, strict=True
    ).certificate,
}
NAMES = sorted(CERTIFICATES)


ALGORITHM = bytes.fromhex("300d06092a864886f70d01010b0500")


def built(
    *,
    serial: int = 1,
    issuer: int = 20,
    subject: int = 20,
    not_after: int = 2_000_000_000,
    key: int = 290,
    extension: int = 300,
    signature: bytes = bytes(256),
    behind: bytes = b"",
) -> bytes:
    """A certificate that has the usual form, of these values and of parts of these sizes."""
    subject_key_id = sequence(encode(oids.SUBJECT_KEY_IDENTIFIER), octet_string(bytes(extension)))
    signed = sequence(
        explicit(0, integer(2)),
        integer(serial),
        ALGORITHM,
        sequence(bytes(issuer)),
        sequence(time(0), time(not_after)),
        sequence(bytes(subject)),
        sequence(bytes(key)),
        explicit(3, sequence(subject_key_id)),
        behind,
    )
    return sequence(signed, ALGORITHM, bit_string(signature))


def both(data: bytes) -> tuple[CertificateParts | None, CertificateParts | None]:
    """What is read at its usual place, and what the declaration finds; None where there is nothing."""
    try:
        declared = declared_certificate(data)
    except (ObjectError, LimitError):
        declared = None
    return usual_certificate(data), declared


@pytest.mark.parametrize("name", NAMES)
def test_each_kind_has_the_usual_form(name: str) -> None:
    """Of trust anchors, CAs, routers and end entities."""
    usual, declared = both(CERTIFICATES[name])
    assert usual is not None
    assert usual == declared


@pytest.mark.parametrize("size", [0, 1, *range(110, 130), *range(235, 260), 1000, 60000])
@pytest.mark.parametrize("part", ["issuer", "subject", "key", "extension"])
def test_parts_of_any_size(part: str, size: int) -> None:
    """DER writes lengths in one, two or three octets."""
    sizes: dict[str, Any] = {part: size}
    usual, declared = both(built(**sizes))
    assert usual is not None
    assert usual == declared


@pytest.mark.parametrize("serial", [1, 0x7F, 0x80, 0xFF, 0x100, 1 << 158, (1 << 159) - 1])
def test_any_serial_number(serial: int) -> None:
    """It is positive, and has 20 octets at most (RFC 5280 section 4.1.2.2)."""
    usual, declared = both(built(serial=serial))
    assert usual is not None
    assert usual.serial == serial
    assert usual == declared


@pytest.mark.parametrize("serial", [0, -1, -128, 1 << 159, 1 << 160])
def test_other_serial_numbers_are_refused(serial: int) -> None:
    """Both ways."""
    assert both(built(serial=serial)) == (None, None)


@pytest.mark.parametrize("unusual", [{"not_after": 2_600_000_000}, {"signature": bytes(255)}, {"extension": 70000}])
def test_what_is_not_usual_is_left_to_the_declaration(unusual: dict[str, Any]) -> None:
    """It may be right all the same."""
    usual, declared = both(built(**unusual))
    assert usual is None
    assert declared is not None


def test_nothing_may_stand_behind_the_extensions() -> None:
    """Be it one more of them."""
    extension = sequence(encode(oids.SUBJECT_INFO_ACCESS), octet_string(bytes(20)))
    assert both(built(behind=extension)) == (None, None)


def test_the_last_extension_ends_with_the_others() -> None:
    """Not an octet later, as it and its value may say."""
    data = bytearray(built())
    identifier = encode(oids.SUBJECT_KEY_IDENTIFIER)
    at = data.index(identifier)
    for length_ends in (at, at + len(identifier) + 4):
        data[length_ends - 1] += 1
    assert both(bytes(data)) == (None, None)


@pytest.mark.parametrize("sizes", [{"key": 0, "extension": 0}, {"key": 60000, "extension": 60000}])
def test_what_is_larger_or_smaller_than_usual_is_not_read_without_its_start(sizes: dict[str, Any]) -> None:
    """However the octets begin that are where it should be."""
    data = built(**sizes)
    rest = data[data.index(integer(1) + ALGORITHM) + 1 :]
    for first in range(256):
        assert usual_certificate(bytes((first,)) + bytes(13) + rest) is None


@pytest.mark.parametrize("name", NAMES)
def test_no_changed_octet_is_read_differently(
    name: str, read_alike: Callable[..., tuple[int, int]], octet_changes: Callable[[bytes], Iterator[tuple[int, bytes]]]
) -> None:
    """What is accepted at its usual place is accepted by the declaration, and found to be the same."""
    read, _ = read_alike(both, (changed for _, changed in octet_changes(CERTIFICATES[name])))
    assert read > 500


@pytest.mark.parametrize("name", NAMES)
def test_no_change_of_structure_is_read_differently(name: str, read_alike: Callable[..., tuple[int, int]]) -> None:
    """Elements that are lost, doubled, swapped and of other lengths, around which the lengths are right."""
    dice = random.Random(f"rpkival {name}")
    read, left_to_the_declaration = read_alike(both, (mutate(CERTIFICATES[name], dice) for _ in range(3000)))
    assert read
    assert left_to_the_declaration


@pytest.mark.parametrize("name", NAMES)
def test_nothing_shorter_is_read(name: str) -> None:
    """Nor are octets behind it."""
    data = CERTIFICATES[name]
    assert not any(usual_certificate(data[:size]) for size in range(len(data)))
    assert usual_certificate(data + b"\0") is None


def test_real_certificates_are_usual(real_objects: Callable[[str], list[bytes]]) -> None:
    """What the short way is for."""
    for data in real_objects("cer")[::20]:
        usual, declared = both(data)
        assert usual is not None
        assert usual == declared
