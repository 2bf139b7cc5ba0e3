"""What validation needs of the outside: three questions, answered by `rpkival.repository` or by a test's dictionary."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Source"]


class Source(Protocol):
    """Where objects come from. All URIs are as the locators and certificates have them."""

    def trust_anchor(self, uri: str) -> bytes | None:
        """The trust anchor's certificate from an rsync or https URI, or None where it cannot be had."""

    def prepare(self, uri: str) -> str | None:
        """Make the publication point at this rsync URI available; called before it is read, for every CA.

        Returns None, or a sentence that says what went wrong. What there is of it is read all the same.
        """

    def read(self, uri: str) -> bytes | None:
        """The object at this rsync URI, or None where there is none."""
