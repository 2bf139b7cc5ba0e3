"""Tests for rpkival.lab.prime_keys."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from rpkival.lab.prime_keys import PrimeKeys, make_primes


@pytest.fixture(scope="module")
def primes() -> tuple[int, ...]:
    """Enough for 60 keys."""
    return make_primes(60)


def test_keys_are_all_different_and_of_2048_bits(primes: tuple[int, ...]) -> None:
    """As RFC 7935 section 3 wants them."""
    keys = PrimeKeys(primes)
    made = [keys.key(name) for name in ("lab", "lab-ee", *(f"ca-{number}" for number in range(1, 59)))]

    assert len({key.identifier for key in made}) == 60
    assert {key.private.key_size for key in made} == {2048}


def test_a_key_signs(primes: tuple[int, ...]) -> None:
    """Its own public half verifies it."""
    key = PrimeKeys(primes).key("ca-58")

    key.private.public_key().verify(key.sign(b"message"), b"message", padding.PKCS1v15(), hashes.SHA256())


def test_names_decide(primes: tuple[int, ...]) -> None:
    """The same name has the same key with the same primes; all end entities share one."""
    first, second = PrimeKeys(primes), PrimeKeys(primes)

    assert first.key("ca-7").identifier == second.key("ca-7").identifier
    assert first.key("ca-7-ee").identifier == first.key("ca-8-ee").identifier


@pytest.mark.parametrize("keys", [1, 2, 3, 4, 11, 60])
def test_no_more_primes_than_needed(keys: int) -> None:
    """n primes have n (n - 1) / 2 pairs."""
    count = len(make_primes(keys))

    assert count * (count - 1) // 2 >= keys
    assert count == 2 or (count - 1) * (count - 2) // 2 < keys
