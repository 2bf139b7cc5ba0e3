"""Tests for rpkival.objects.ccr: the draft's own sample and a real one, to the octet and back."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.errors import LimitError, ObjectError
from rpkival.lab import der
from rpkival.objects.ccr import CachedManifest, CachedRoas, Ccr, parse_ccr, write_ccr

CCR = "1.2.840.113549.1.9.16.1.54"
SHA256 = der.sequence(der.object_identifier("2.16.840.1.101.3.4.2.1"))
KEY = der.sequence(der.integer(7))


@pytest.fixture(scope="session")
def samples(unpacked: Callable[[str], Path]) -> list[bytes]:
    """The one printed in the draft, and one that was cut from a real cache."""
    draft = unpacked("conformance/rpki-commons.tar.xz") / "rpki-commons/ccr/draft-ietf-sidrops-rpki-ccr.ccr"
    real = unpacked("objects/misc-objects.tar.xz") / "rpkitouch/test.ccr"
    return [base64.b64decode(draft.read_bytes()), real.read_bytes()]


def test_samples_are_read_and_written_again(samples: list[bytes]) -> None:
    """Octet by octet, hashes and order included."""
    for sample in samples:
        assert write_ccr(parse_ccr(sample)) == sample


def test_a_sample_says_what_its_maker_says(samples: list[bytes], unpacked: Callable[[str], Path]) -> None:
    """The list of manifests that goes with the real one, and the examples in the draft."""
    expected = (unpacked("objects/misc-objects.tar.xz") / "rpkitouch/expected_outcome-ccr.txt").read_text()
    told = [line.split() for line in expected.splitlines() if line.count(" ") == 1]
    manifests = parse_ccr(samples[1]).manifests
    assert manifests is not None
    assert [[each.sha256.hex().upper(), each.locations[0].removeprefix("rsync://")] for each in manifests] == told[:9]
    draft = parse_ccr(samples[0])
    assert draft.aspas == ((64511, (64496,)), (65536, (65540, 65544)), (65550, (0,)))
    assert draft.roas is not None
    assert draft.roas[1] == CachedRoas(65536, ((0xC6336400, 24, 28),), ((0x20010DB8 << 96, 48, 48),))


NUMBERS = st.integers(0, 2**32 - 1)
KEY_IDS = st.binary(min_size=20, max_size=20)
TIMES = st.integers(0, 4_000_000_000)


@st.composite
def prefixes(draw: st.DrawFn, bits: int) -> tuple[int, int, int]:
    """A VRP's prefix and max_length."""
    length = draw(st.integers(0, bits))
    host = bits - length
    return draw(st.integers(0, (1 << length) - 1)) << host, length, draw(st.integers(length, bits))


def in_order(found: set[tuple[int, int, int]]) -> tuple[tuple[int, int, int], ...]:
    """As the format has them."""
    return tuple(sorted(found, key=lambda each: (each[0], -each[1], -each[2])))


@st.composite
def representations(draw: st.DrawFn) -> Ccr:
    """Any, each part there, empty, or left out."""

    def maybe(values: st.SearchStrategy[tuple[object, ...]]) -> object:
        return draw(st.none() | values)

    def ascending(values: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
        return st.sets(values, max_size=4).map(lambda found: tuple(sorted(found)))  # type: ignore[type-var]

    def by_number(numbers: object, value: st.SearchStrategy[object]) -> tuple[object, ...]:
        return () if numbers is None else tuple((number, draw(value)) for number in numbers)  # type: ignore[attr-defined]

    hashes = maybe(ascending(st.binary(min_size=32, max_size=32)))
    manifests = None if hashes is None else tuple(
        CachedManifest(
            sha256,
            draw(NUMBERS),
            draw(KEY_IDS),
            draw(st.integers(0, 2**158)),
            draw(TIMES),
            ("rsync://lab.example/r/a.mft",),
            tuple(sorted(draw(st.sets(KEY_IDS, max_size=2)))),
        )
        for sha256 in hashes  # type: ignore[attr-defined]
    )  # fmt: skip
    customers, router_asns, origins = (maybe(ascending(NUMBERS)) for _ in range(3))
    ipv4 = st.sets(prefixes(32), min_size=1, max_size=3).map(in_order)
    ipv6 = st.sets(prefixes(128), max_size=3).map(in_order)
    keys = st.sets(KEY_IDS, min_size=1, max_size=2).map(lambda ids: tuple((each, KEY) for each in sorted(ids)))
    earliest = max((each.this_update for each in manifests or ()), default=0)
    return Ccr(
        draw(st.integers(earliest, 4_000_000_000)),
        manifests,
        None if origins is None else tuple(CachedRoas(asn, draw(ipv4), draw(ipv6)) for asn in origins),  # type: ignore[attr-defined]
        None if customers is None else by_number(customers, ascending(st.integers(1, 2**32 - 1))),  # type: ignore[arg-type]
        tuple(sorted(draw(st.sets(KEY_IDS, max_size=3)))),
        None if router_asns is None else by_number(router_asns, keys),  # type: ignore[arg-type]
    )


@given(representations())
def test_what_is_written_is_read(ccr: Ccr) -> None:
    """All of it."""
    assert parse_ccr(write_ccr(ccr)) == ccr


def test_order_on_the_way_in_is_of_no_account() -> None:
    """Two caches that hold the same write the same."""
    first = Ccr(
        1_000,
        roas=(CachedRoas(2, ((0, 8, 8), (0, 8, 9), (0, 0, 0)), ()), CachedRoas(1, (), ((0, 0, 0),))),
        aspas=((9, (4, 3)), (8, (1,))),
        trust_anchors=(b"b" * 20, b"a" * 20),
        router_keys=((5, ((b"z" * 20, KEY), (b"y" * 20, KEY))), (4, ((b"x" * 20, KEY),))),
    )
    second = parse_ccr(write_ccr(first))
    assert write_ccr(second) == write_ccr(first)
    assert second.roas is not None
    assert second.roas[1].ipv4 == ((0, 8, 9), (0, 8, 8), (0, 0, 0))
    assert second.aspas == ((8, (1,)), (9, (3, 4)))


def wrapped(*parts: bytes, kind: str = CCR, algorithm: bytes = SHA256) -> bytes:
    """A representation of these parts, each with its tag."""
    inner = der.sequence(algorithm, der.generalized_time(1_000), *parts)
    return der.sequence(der.object_identifier(kind), der.explicit(0, inner))


def part(number: int, *listed: bytes, digest: bytes | None = None) -> bytes:
    """One part with its hash."""
    octets = der.sequence(*listed)
    return der.explicit(number, der.sequence(octets, der.octet_string(digest or hashlib.sha256(octets).digest())))


def aspa(customer: int, *providers: int) -> bytes:
    """One of the list of ASPAs."""
    return der.sequence(der.integer(customer), der.sequence(*map(der.integer, providers)))


def roa(asn: int, *families: tuple[bytes, int]) -> bytes:
    """One AS with 0.0.0.0/0 or ::/0 of this max_length, for each family."""
    blocks = (
        der.sequence(der.octet_string(afi), der.sequence(der.sequence(der.bit_string(b""), der.integer(max_length))))
        for afi, max_length in families
    )
    return der.sequence(der.integer(asn), der.sequence(*blocks))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "Decoding"),
        (wrapped(), "no part"),
        (wrapped(part(3), kind="1.2.3"), "not CCR"),
        (wrapped(part(3), algorithm=der.sequence(der.object_identifier("1.3.14.3.2.26"))), "not SHA-256"),
        (wrapped(part(3, aspa(1, 2), digest=bytes(32))), "hash of the ASPAs"),
        (wrapped(part(3, aspa(2, 1), aspa(1, 2))), "customers"),
        (wrapped(part(3, aspa(1, 3, 2))), "providers of AS1"),
        (wrapped(part(3, aspa(1 << 32, 3))), "not an AS number"),
        (wrapped(part(3, aspa(1, 0, 3))), "AS1 has AS0"),
        (write_ccr(Ccr(999, (CachedManifest(bytes(32), 5, bytes(20), 1, 1_000, ("rsync://h/a.mft",)),))), "after"),
        (wrapped(part(3, der.integer(1))), "Decoding"),
        (wrapped(part(4, der.octet_string(b"short"))), "20 octets"),
        (wrapped(part(4, *[der.octet_string(b"a" * 20)] * 2)), "each once"),
        (wrapped(part(2, roa(2, (b"\0\1", 8)), roa(1, (b"\0\1", 8)))), "ASes of the VRPs"),
        (wrapped(part(2, roa(1))), "each family once"),
        (wrapped(part(2, roa(1, (b"\0\1", 8), (b"\0\1", 8)))), "each family once"),
        (wrapped(part(2, roa(1, (b"\0\7", 8)))), "each family once"),
        (wrapped(part(2, roa(1, (b"\0\1", 33)))), "maxLength 33"),
        (wrapped(part(5, der.sequence(der.integer(-1), der.sequence()))), "not an AS number"),
    ],
)
def test_what_is_broken_is_refused(data: bytes, sentence: str) -> None:
    """With the reason."""
    with pytest.raises(ObjectError, match=sentence):
        parse_ccr(data)


MANIFEST = CachedManifest(bytes(32), 5, bytes(20), 1, 1_000, ("rsync://lab.example/r/a.mft",), (b"k" * 20,))


@pytest.mark.parametrize(
    "broken",
    [
        replace(MANIFEST, sha256=b"short"),
        replace(MANIFEST, authority_key_id=b"short"),
        replace(MANIFEST, size=-1),
        replace(MANIFEST, number=-1),
        replace(MANIFEST, number=1 << 160),
        replace(MANIFEST, locations=()),
        replace(MANIFEST, locations=("https://lab.example/a.mft",)),
        replace(MANIFEST, subordinates=(b"short",)),
    ],
)
def test_manifests_are_checked_one_by_one(broken: CachedManifest) -> None:
    """Each field of them."""
    assert parse_ccr(write_ccr(Ccr(1_000, (MANIFEST,)))).manifests == (MANIFEST,)
    with pytest.raises(ObjectError):
        parse_ccr(write_ccr(Ccr(1_000, (broken,))))


def test_bounds_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what is read, and of times that cannot be written."""
    with pytest.raises(LimitError, match="no time"):
        write_ccr(Ccr(-1))
    monkeypatch.setattr("rpkival.objects.ccr.MAX_CCR_BYTES", 10)
    with pytest.raises(LimitError, match="canonical cache representation"):
        parse_ccr(write_ccr(Ccr(1_000, ())))
