"""Files held against a signed checklist (RFC 9323 section 6)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from rpkival.objects.checklist import ChecklistContent

__all__ = ["Match", "Verdict", "match_files", "unused_entries"]


class Verdict(Enum):
    """What a checklist says of a file."""

    LISTED = "listed"
    DIFFERS = "differs"
    """It is listed by its name, but has other content."""
    RENAMED = "renamed"
    """Its content is listed, under another name only."""
    UNLISTED = "unlisted"


@dataclass(frozen=True, slots=True)
class Match:
    """One file: its name without directory, the SHA-256 of its content, and the verdict."""

    name: str
    sha256: bytes
    verdict: Verdict


def match_files(content: ChecklistContent, files: Iterable[tuple[str, bytes]]) -> tuple[Match, ...]:
    """The verdict on each file, given as its name and the SHA-256 of its content.

    A name on the list is bound to its hash; where the list leaves the name open, the hash alone counts.
    """
    by_name = {name: digest for name, digest in content.files if name}
    nameless = {digest for name, digest in content.files if not name}
    elsewhere = set(by_name.values())
    return tuple(
        Match(name, digest, _verdict(by_name.get(name), digest, nameless, elsewhere)) for name, digest in files
    )


def unused_entries(content: ChecklistContent, matches: Iterable[Match]) -> tuple[tuple[str, bytes], ...]:
    """The entries (name, or "", and SHA-256) of the list that no file has met."""
    met = [(match.name, match.sha256) for match in matches if match.verdict is Verdict.LISTED]
    names, digests = {name for name, _ in met}, {digest for _, digest in met}
    return tuple(
        (name, digest) for name, digest in content.files if (name not in names if name else digest not in digests)
    )


def _verdict(listed: bytes | None, digest: bytes, nameless: set[bytes], elsewhere: set[bytes]) -> Verdict:
    if listed is not None:
        return Verdict.LISTED if listed == digest else Verdict.DIFFERS
    if digest in nameless:
        return Verdict.LISTED
    return Verdict.RENAMED if digest in elsewhere else Verdict.UNLISTED
