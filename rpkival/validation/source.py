"""What validation needs of the outside: a few questions, answered by `rpkival.repository` or by a test's dictionary."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Accepted", "Place", "Source"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where one CA publishes, as its certificate says it (RFC 6487 section 4.8.8.1).

    `repository` is the rsync URI of the directory, with a slash at its end; `notify` the https URI of the RRDP
    notification file, "" where there is none; `key` the SHA-256 of the CA's subjectPublicKeyInfo: what was accepted of
    one key must never stand in for what another has published.
    """

    repository: str
    manifest: str
    notify: str
    key: bytes


@dataclass(frozen=True, slots=True)
class Accepted:
    """The version of a publication point that was last found good (RFC 9286 section 6.6): its manifest, in brief.

    `sha256` is the manifest's digest; `number` and `this_update` (unix seconds) are its own.
    """

    sha256: bytes
    number: int
    this_update: int


class Source(Protocol):
    """Where objects come from. All URIs are as the locators and certificates have them.

    Called from one thread. Only `request` and `trust_anchor` may reach for the network.
    """

    def trust_anchor(self, uri: str) -> Sequence[bytes]:
        """Trust anchor certificates from an rsync or https URI, best first: as fetched now, then as accepted last."""

    def accept_trust_anchor(self, uri: str, certificate: bytes) -> None:
        """Remember what of `trust_anchor` was good."""

    def request(self, place: Place) -> Future[str | None]:
        """Make the repository of `place` available; does not wait, and is asked at once for all CAs of a level.

        The future's result is None, or a sentence that says what went wrong; it raises nothing. What there is of the
        repository is read all the same.
        """

    def manifest(self, place: Place) -> bytes | None:
        """SHA-256 of the manifest as last fetched, None where there is none. Cheap: asked for every CA in every run."""

    def accepted(self, place: Place) -> Accepted | None:
        """What was last accepted of this place; None where nothing was, or nothing is kept."""

    def read(self, place: Place, name: str, sha256: bytes) -> bytes | None:
        """The object of this name and digest, of whichever version has it.

        Where no such object is kept, what is there now under that name (a reader that compares finds that it differs),
        or None where there is nothing. `name` is a file name without directory, that of the manifest too.
        """

    def accept(self, place: Place, accepted: Accepted, files: Sequence[tuple[str, bytes]]) -> None:
        """Keep this version of the place, and all its files (name and SHA-256, the manifest's among them) with it."""
