"""Acceptance timers (RFC 9691 section 4) between runs: a small file beside the store of what was fetched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from rpkival.log import Log
from rpkival.objects.tal import Tal
from rpkival.payload.atomic_file import write_atomically
from rpkival.validation.anchors import look_at_anchor
from rpkival.validation.report import TrustAnchorReport
from rpkival.validation.source import Source
from rpkival.validation.succession import AcceptanceTimer, fingerprint, next_timer, objection_to_successor

__all__ = ["keep_timers", "read_timers", "write_timers"]

FILE_NAME = "successors.json"

Timers = Mapping[str, AcceptanceTimer]
"""By the fingerprint of the present key."""

log = Log("rpkival.succession")


def keep_timers(
    directory: Path, tals: Iterable[Tal], reports: Iterable[TrustAnchorReport], source: Source, now: int
) -> None:
    """Start, keep or cancel the timers in `directory` after a run at `now` (unix seconds), as its reports ask for.

    A trust anchor of which nothing could be validated leaves its timer as it is. Successors are looked at, and fetched
    if `source` fetches, only where one is announced.
    """
    before = read_timers(directory)
    after = dict(before)
    for tal, report in zip(tals, reports, strict=True):
        if not report.counts.publication_points_valid:
            continue
        key = fingerprint(tal.key_info)
        good = None if report.successor is None else _good_successor(tal, source, now)
        timer = next_timer(after.pop(key, None), good, now)
        if timer is not None:
            after[key] = timer
    if after != before:
        write_timers(directory, after)


def read_timers(directory: Path) -> Timers:
    """The timers in `directory`; a file that cannot be read holds none, so that they start anew, the safe way."""
    try:
        return msgspec.json.decode((directory / FILE_NAME).read_bytes(), type=dict[str, AcceptanceTimer])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        log.warning("successors_not_read", reason=str(error))
        return {}


def write_timers(directory: Path, timers: Timers) -> None:
    """Keep these timers in `directory` in place of all others; where that fails the log says so."""
    try:
        write_atomically(directory / FILE_NAME, [msgspec.json.encode(timers)])
    except OSError as error:
        log.warning("successors_not_kept", reason=str(error))


def _good_successor(tal: Tal, source: Source, now: int) -> bytes | None:
    anchor = look_at_anchor(tal, source, now)
    if anchor.successor is None:
        return None
    objection = objection_to_successor(anchor, source, now)
    if objection is not None:
        log.warning("successor_not_good", trust_anchor=tal.name, reason=objection)
        return None
    return anchor.successor.key_info
