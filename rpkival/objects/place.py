"""Where a certification authority publishes, and what was last found good there: words of several rooms."""

from __future__ import annotations

from dataclasses import dataclass

from rpkival.objects.record import Record

__all__ = ["Accepted", "Place"]


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

    @property
    def module(self) -> str:
        """The rsync module that it is in."""
        return "/".join(self.repository.split("/", 4)[:4]) + "/"

    @property
    def servers(self) -> tuple[str, str]:
        """The URI of the notification file, "" where there is none, and of the rsync module."""
        return self.notify, self.module

    @property
    def source(self) -> str:
        """The repository that serves it: its notification file, or the rsync module where it has none."""
        return self.notify or self.module


@dataclass(frozen=True, slots=True)
class Accepted(Record):
    """The version of a publication point that was last found good (RFC 9286 section 6.6): its manifest, in brief.

    `sha256` is the manifest's digest; `number` and `this_update` (unix seconds) are its own.
    """

    sha256: bytes
    number: int
    this_update: int
