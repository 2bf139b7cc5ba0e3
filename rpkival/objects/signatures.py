"""Checking signatures: one at once, or many together.

Two signature checks are most of the work of judging an object. They take a quarter less time when they come one after
the other, as the processor then keeps at hand what they need.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from rpkival.errors import ObjectError
from rpkival.objects.keys import PublicKey, verifies

__all__ = ["CheckSignature", "SignatureBatch", "check_signature"]

T = TypeVar("T")

CheckSignature = Callable[[PublicKey, bytes, bytes, tuple[str, str]], None]
"""Given a key, a signature, what it is over, and the section and sentence of the `ObjectError` if it is not."""


def check_signature(key: PublicKey, signature: bytes, signed: bytes, fault: tuple[str, str]) -> None:
    """Check now. Raises `ObjectError`."""
    if not verifies(key, signature, signed):
        raise ObjectError(*fault)


class SignatureBatch(Generic[T]):
    """Signatures to be checked later; nothing that rests on one may be used before `faults` has been asked.

    `of` is set to what the next signatures belong to.
    """

    def __init__(self, of: T) -> None:
        self.of = of
        self._waiting: list[tuple[T, PublicKey, bytes, bytes, tuple[str, str]]] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def check(self, key: PublicKey, signature: bytes, signed: bytes, fault: tuple[str, str]) -> None:
        """A `CheckSignature` that checks later."""
        self._waiting.append((self.of, key, signature, signed, fault))

    def faults(self) -> dict[T, ObjectError]:
        """Check all that waits; what belongs to a signature that does not verify, with its first fault."""
        waiting, self._waiting = self._waiting, []
        found: dict[T, ObjectError] = {}
        for of, key, signature, signed, fault in waiting:
            if not verifies(key, signature, signed):
                found.setdefault(of, ObjectError(*fault))
        return found
