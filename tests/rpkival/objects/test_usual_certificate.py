"""Tests for rpkival.objects.usual_certificate: what is read at its usual place is what the declaration finds."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from fuzz.der_mutator import mutate
from rpkival.errors import LimitError, ObjectError
from rpkival.objects import oids
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


@pytest.mark.parametrize("name", NAMES)
def test_no_changed_octet_is_read_differently(name: str) -> None:
    """What is accepted at its usual place is accepted by the declaration, and found to be the same."""
    data = CERTIFICATES[name]
    accepted = 0
    for place in range(len(data)):
        for flip in (0x01, 0x80, 0xFF):
            changed = bytearray(data)
            changed[place] ^= flip
            usual, declared = both(bytes(changed))
            assert usual is None or usual == declared
            accepted += usual is not None
    assert accepted > 500


@pytest.mark.parametrize("name", NAMES)
def test_no_change_of_structure_is_read_differently(name: str) -> None:
    """Elements that are lost, doubled, swapped and of other lengths, around which the lengths are right."""
    dice = random.Random(f"rpkival {name}")
    outcomes = [both(mutate(CERTIFICATES[name], dice)) for _ in range(3000)]
    assert all(usual is None or usual == declared for usual, declared in outcomes)
    assert any(usual is not None for usual, _ in outcomes)
    assert any(usual is None and declared is not None for usual, declared in outcomes)


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
