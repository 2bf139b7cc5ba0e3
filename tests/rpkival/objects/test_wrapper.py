"""Tests for rpkival.objects.wrapper: what is read at its usual place is what the declaration finds."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fuzz.der_mutator import mutate
from rpkival.errors import LimitError, ObjectError
from rpkival.lab.der import explicit, implicit, integer, octet_string, sequence, set_of
from rpkival.objects import oids
from rpkival.objects.asn1.der import encode
from rpkival.objects.wrapper import Wrapper, declared_wrapper, usual_wrapper, wrapper_of

ROA = oids.ROUTE_ORIGIN_AUTHZ
SEED = (Path(__file__).parents[3] / "fuzz" / "seeds" / "signed_object" / "roa").read_bytes()
SHA256 = bytes.fromhex("0609608648016503040201")
NULL = bytes.fromhex("0500")
RSA = bytes.fromhex("06092a864886f70d010101")
SHA256_WITH_RSA = bytes.fromhex("06092a864886f70d01010b")


def wrapped(
    content: bytes = b"content",
    *,
    certificate: int = 900,
    digest: bytes = SHA256,
    signer_digest: bytes = SHA256,
    algorithm: bytes = RSA + NULL,
    attributes: int = 107,
    signature: int = 256,
    signer: int = 20,
    behind: bytes = b"",
) -> bytes:
    """A wrapper that follows the profile, of parts of these sizes."""
    signer_info = sequence(
        integer(3),
        implicit(0, octet_string(bytes(signer))),
        sequence(signer_digest),
        b"\xa0" + octet_string(bytes(attributes))[1:],
        sequence(algorithm),
        octet_string(bytes(signature)),
        behind,
    )
    signed_data = sequence(
        integer(3),
        set_of(sequence(digest)),
        sequence(encode(ROA), explicit(0, octet_string(content))),
        explicit(0, sequence(bytes(certificate))),
        set_of(signer_info),
    )
    return sequence(encode(oids.SIGNED_DATA), explicit(0, signed_data))


def both(data: bytes) -> tuple[Wrapper | None, Wrapper | None]:
    """What is read at its usual place, and what the declaration finds; None where there is nothing."""
    try:
        declared = declared_wrapper(data, ROA, strict=True)
    except (ObjectError, LimitError):
        declared = None
    return usual_wrapper(data, ROA), declared


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 1000, 60000])
@pytest.mark.parametrize("certificate", [125, 126, 127, 128, 252, 256, 1000])
def test_parts_of_any_size(size: int, certificate: int) -> None:
    """DER writes lengths in one, two or three octets."""
    usual, declared = both(wrapped(bytes(size), certificate=certificate))
    assert usual is not None
    assert usual == declared


@pytest.mark.parametrize("digest", [SHA256, SHA256 + NULL])
@pytest.mark.parametrize("signer_digest", [SHA256, SHA256 + NULL])
@pytest.mark.parametrize("algorithm", [RSA + NULL, SHA256_WITH_RSA + NULL, SHA256_WITH_RSA])
def test_each_way_to_name_the_algorithms(digest: bytes, signer_digest: bytes, algorithm: bytes) -> None:
    """Parameters may be NULL or missing."""
    usual, declared = both(wrapped(digest=digest, signer_digest=signer_digest, algorithm=algorithm))
    assert usual is not None
    assert usual == declared


@pytest.mark.parametrize(
    "unusual",
    [
        {"attributes": 106},
        {"signature": 255},
        {"signer": 21},
        {"content": bytes(70000)},
        {"content": b"", "certificate": 1, "signature": 1},
    ],
)
def test_what_is_not_usual_is_left_to_the_declaration(unusual: dict[str, Any]) -> None:
    """It may be right all the same."""
    data = wrapped(**unusual)
    usual, declared = both(data)
    assert usual is None
    assert declared is not None
    assert wrapper_of(data, ROA, strict=True) == declared


@pytest.mark.parametrize("unknown", [{"digest": RSA}, {"signer_digest": RSA}, {"algorithm": RSA}])
def test_other_algorithms_are_refused(unknown: dict[str, Any]) -> None:
    """RFC 7935: there is one of each."""
    assert both(wrapped(**unknown)) == (None, None)


@pytest.mark.parametrize(
    "behind", [implicit(1, set_of(sequence(RSA, set_of(NULL)))), NULL, b"\0"], ids=["attributes", "NULL", "an octet"]
)
def test_nothing_may_stand_behind_the_signature(behind: bytes) -> None:
    """Unsigned attributes are not allowed (RFC 6488 section 2.1.6.7), and there is nothing else that could."""
    assert both(wrapped(behind=behind)) == (None, None)


def test_what_is_larger_than_usual_is_not_read_without_its_start() -> None:
    """However the octets begin that are where it should be."""
    data = wrapped(bytes(65000))
    rest = data[data.index(set_of(sequence(SHA256))) :]
    for first in range(256):
        assert usual_wrapper(bytes((first,)) + bytes(25) + rest, ROA) is None


def test_another_type_of_content_is_refused() -> None:
    """A manifest is no ROA."""
    assert usual_wrapper(SEED, oids.RPKI_MANIFEST) is None
    with pytest.raises(ObjectError, match="The content is of type"):
        wrapper_of(SEED, oids.RPKI_MANIFEST, strict=False)


def test_no_changed_octet_is_read_differently(
    read_alike: Callable[..., tuple[int, int]], octet_changes: Callable[[bytes], Iterator[tuple[int, bytes]]]
) -> None:
    """What is accepted at its usual place is accepted by the declaration, and found to be the same."""
    assert usual_wrapper(SEED, ROA) is not None
    read, _ = read_alike(both, (changed for _, changed in octet_changes(SEED)))
    assert read > 1000


def test_no_change_of_structure_is_read_differently(read_alike: Callable[..., tuple[int, int]]) -> None:
    """Elements that are lost, doubled, swapped and of other lengths, around which the lengths are right."""
    dice = random.Random("rpkival wrapper")
    read, left_to_the_declaration = read_alike(both, (mutate(SEED, dice) for _ in range(3000)))
    assert read
    assert left_to_the_declaration


def test_nothing_shorter_is_read() -> None:
    """Nor are octets behind it."""
    assert not any(usual_wrapper(SEED[:size], ROA) for size in range(len(SEED)))
    assert usual_wrapper(SEED + b"\0", ROA) is None


def test_real_wrappers_are_usual(real_objects: Callable[[str], list[bytes]]) -> None:
    """What the short way is for."""
    for kind, content_type in (("roa", ROA), ("mft", oids.RPKI_MANIFEST)):
        for data in real_objects(kind)[::20]:
            usual = usual_wrapper(data, content_type)
            assert usual is not None
            assert usual == declared_wrapper(data, content_type, strict=True)
