"""As many RSA keys as a world has CAs, from a few hundred primes.

An RSA key takes some 100 ms to make, nearly all of it for its two primes; fifty thousand take an hour. Any two of n
primes are a key, so 318 primes are 50,403 keys, no two the same. Who has two such keys can compute their common prime,
so they protect nothing at all, which is what keys of a lab have to protect.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from math import isqrt

from cryptography.hazmat.primitives.asymmetric import rsa

from rpkival.lab.keys import SigningKey

__all__ = ["PrimeKeys", "make_primes"]

_EXPONENT = 65537
_NUMBER = re.compile(r"ca-([1-9][0-9]*)")


def make_primes(keys: int) -> tuple[int, ...]:
    """Primes for so many keys, at some 50 ms each."""
    count = (1 + isqrt(8 * keys - 7)) // 2 + 1  # so that count * (count - 1) / 2 are enough
    primes: list[int] = []
    while len(primes) < count:
        numbers = rsa.generate_private_key(_EXPONENT, 2048).private_numbers()
        primes += [numbers.p, numbers.q]
    return tuple(primes[:count])


class PrimeKeys:
    """Keys by name: `ca-N` has one of its own, all end entities (`...-ee`) share one, and one is the trust anchor's."""

    def __init__(self, primes: Sequence[int]) -> None:
        self._primes = primes

    def key(self, name: str) -> SigningKey:
        """The key of this name, the same at each call."""
        if name.endswith("-ee"):
            return self._end_entity
        found = _NUMBER.fullmatch(name)
        return self._numbered(1 if found is None else int(found[1]) + 1)

    @cached_property
    def _end_entity(self) -> SigningKey:
        return self._numbered(0)

    def _numbered(self, number: int) -> SigningKey:
        """The key of the pair `number`: (1, 0), (2, 0), (2, 1), (3, 0)..."""
        larger = (1 + isqrt(8 * number + 1)) // 2
        return SigningKey.of(_private_key(self._primes[larger], self._primes[number - larger * (larger - 1) // 2]))


def _private_key(p: int, q: int) -> rsa.RSAPrivateKey:
    d = pow(_EXPONENT, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), rsa.RSAPublicNumbers(_EXPONENT, p * q)
    )
    # The check would look for the primes' being primes, which takes longer than all else here.
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)
