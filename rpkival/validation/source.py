"""What validation needs of the outside: a few questions, answered by `rpkival.repository` or by a test's dictionary."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from typing import Protocol

from rpkival.objects.place import Accepted, Place

__all__ = ["Accepted", "Place", "Source"]


class Source(Protocol):
    """Where objects come from. All URIs are as the locators and certificates have them.

    Called from one thread. Only `request` and `trust_anchor` may reach for the network.
    """

    @property
    def accepts(self) -> bool:
        """Whether what is accepted is kept."""

    def trust_anchor(self, uri: str) -> bytes | None:
        """What is at the rsync or https URI of a trust anchor's certificate now; None where it cannot be had."""

    def accepted_trust_anchor(self, uri: str) -> bytes | None:
        """What was accepted from there last."""

    def accept_trust_anchor(self, uri: str, certificate: bytes) -> None:
        """Remember it as good."""

    def request(self, place: Place) -> Future[str | None]:
        """Make the repository of `place` available; does not wait, and is asked at once for all CAs of a level.

        The future's result is None, or a sentence that says what went wrong; it raises nothing. What there is of the
        repository is read all the same.
        """

    def manifest(self, place: Place) -> bytes | None:
        """SHA-256 of the manifest as last fetched, None where there is none. Cheap: asked for every CA in every run."""

    def manifests(self, place: Place) -> Mapping[str, bytes]:
        """SHA-256 of manifests by URI, as far as they are at hand, in the repository that serves this place.

        What it has is what `manifest` gives of the URI; what it has not may be there all the same.
        """

    def revision(self, place: Place) -> bytes | None:
        """What is another whenever something is published in the repository that serves this place; None: not known."""

    def accepted(self, place: Place) -> Accepted | None:
        """What was last accepted of this place; None where nothing was, or nothing is kept."""

    def read(self, place: Place, name: str, sha256: bytes) -> bytes | None:
        """The object of this name and digest, of whichever version has it.

        Where no such object is kept, what is there now under that name (a reader that compares finds that it differs),
        or None where there is nothing. `name` is a file name without directory, that of the manifest too.
        """

    def acceptances(self) -> int:
        """How many versions have been accepted since ever, as this run knows it: those before it, and its own.

        What another run accepts meanwhile is none of them. As long as the number stays the same, so does what was
        accepted last of each place. A run that accepts nothing has other numbers than any that does.
        """

    def accept(self, place: Place, accepted: Accepted, digests: bytes) -> None:
        """Keep this version of the place, and all its files (by their SHA-256, joined, the manifest's among them)."""
