"""How long things hold: a chain of signatures, and an object at the end of one. All times are unix seconds."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["CHAIN", "LIFETIME", "UNKNOWN_LIFETIME", "Chain", "Lifetime", "chains_under", "lifetimes_under"]


class Chain(NamedTuple):
    """The chain down to a CA's certificate, or to its publication point.

    `not_before` and `not_after` are those of all certificates together, the manifests' among them. `stale` is when the
    first of the manifests and CRLs is to be replaced, or the first of the CAs' certificates ends.
    """

    not_before: int
    not_after: int
    stale: int

    @property
    def expires(self) -> int:
        """When the first signature ends."""
        return min(self.not_after, self.stale)

    def under(self, above: Chain) -> Chain:
        """With what stands above it."""
        return Chain(
            max(self.not_before, above.not_before),
            min(self.not_after, above.not_after),
            min(self.stale, above.stale),
        )


class Lifetime(NamedTuple):
    """An object's, as Routinator tells it; 0 where unknown.

    The first two are of its own certificate, the next two of all from the trust anchor's to that one; `stale` is as of
    its publication point's chain.
    """

    not_before: int
    not_after: int
    chain_not_before: int
    chain_not_after: int
    stale: int

    @classmethod
    def of(cls, not_before: int, not_after: int, above: Chain) -> Lifetime:
        """Of an object whose certificate holds so long, at the end of this chain."""
        chain = Chain(not_before, not_after, above.stale).under(above)
        return cls(not_before, not_after, *chain)

    @property
    def expires(self) -> int:
        """When the first signature of the chain ends."""
        return min(self.chain_not_after, self.stale)

    def under(self, above: Chain) -> Lifetime:
        """With what stands above the publication point."""
        return Lifetime(
            self.not_before,
            self.not_after,
            max(self.chain_not_before, above.not_before),
            min(self.chain_not_after, above.not_after),
            min(self.stale, above.stale),
        )


UNKNOWN_LIFETIME: Final = Lifetime(0, 0, 0, 0, 0)

CHAIN: Final = np.dtype([(name, "<i8") for name in Chain._fields])
"""A `Chain` in an array."""
LIFETIME: Final = np.dtype([(name, "<i8") for name in Lifetime._fields])
"""A `Lifetime` in an array."""


def chains_under(chains: NDArray[np.void], above: NDArray[np.void]) -> NDArray[np.void]:
    """`Chain.under` row by row: both `CHAIN[n]`, and so is the result."""
    under = np.empty(len(chains), CHAIN)
    under["not_before"] = np.maximum(chains["not_before"], above["not_before"])
    under["not_after"] = np.minimum(chains["not_after"], above["not_after"])
    under["stale"] = np.minimum(chains["stale"], above["stale"])
    return under


def lifetimes_under(certificates: NDArray[Any], chains: NDArray[np.void]) -> NDArray[np.void]:
    """`Lifetime.of` row by row: `LIFETIME[n]` of what has fields `not_before` and `not_after`, and of `CHAIN[n]`."""
    lifetimes = np.empty(len(chains), LIFETIME)
    lifetimes["not_before"] = certificates["not_before"]
    lifetimes["not_after"] = certificates["not_after"]
    lifetimes["chain_not_before"] = np.maximum(certificates["not_before"], chains["not_before"])
    lifetimes["chain_not_after"] = np.minimum(certificates["not_after"], chains["not_after"])
    lifetimes["stale"] = chains["stale"]
    return lifetimes
