"""What a validation found, on one screen for people and as JSON for programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Protocol

import numpy as np

from rpkival.cli.exceptions_text import exception_sentences
from rpkival.cli.terminal import counted, note
from rpkival.payload.exceptions.exceptions import Applied
from rpkival.payload.vrps import Vrps
from rpkival.repository.attempts import FetchResult
from rpkival.validation.report import Rejection, ValidationRun

__all__ = ["Fetched", "print_summary", "report_json", "unique_vrps"]

_LISTED = 5
"""Problems that are told before the rest is only counted."""


_TITLES = ("trust anchor", "CAs", "failed", "ROAs", "refused", "problems", "VRPs", "ASPAs", "keys")
"""Short, so that a row of the world's numbers fits into 80 columns. `failed` are of the CAs, `refused` of the ROAs, and
`problems` all that was not used; keys are routers'.
"""


class Fetched(Protocol):
    """What a source of `rpkival.repository` knows about its own work."""

    @property
    def results(self) -> Sequence[FetchResult]:
        """Every fetch there was."""

    @property
    def unreadable(self) -> Mapping[str, str]:
        """Why an object that is there could not be read, by URI."""


def report_json(run: ValidationRun, source: Fetched, applied: Applied) -> bytes:
    """The run's report, with each fetch there was, each object that is there but could not be read, and what local
    exceptions did.
    """
    content = asdict(run.report)
    content["fetches"] = [asdict(result) for result in source.results]
    content["unreadable"] = [{"uri": uri, "sentence": sentence} for uri, sentence in source.unreadable.items()]
    content["exceptions"] = {
        "filtered": [asdict(number) for number in applied.filtered],
        "added": [asdict(number) for number in applied.added],
    }
    return json.dumps(content, indent=2).encode() + b"\n"


def print_summary(run: ValidationRun, applied: Applied, source: Fetched, seconds: float, *, verbose: bool) -> None:
    """A row for each trust anchor, and the problems, on standard error: first those that cost most."""
    vrps = applied.payload.vrps
    numbers_of = dict(_numbers(run, vrps))
    if len(numbers_of) > 1:
        numbers_of["all of them"] = tuple(map(sum, zip(*numbers_of.values(), strict=True)))
    rows = [_TITLES, *((name, *(f"{number:,}" for number in numbers)) for name, numbers in numbers_of.items())]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, *numbers in rows:
        right = [number.rjust(width) for number, width in zip(numbers, widths[1:], strict=True)]
        note("  ".join((name.ljust(widths[0]), *right)))
    failures = [result.error for result in source.results if result.error]
    problems = (problem.sentence for problem in run.fetch_problems)
    _tell(list(dict.fromkeys((*failures, *problems, *source.unreadable.values()))), verbose=verbose)
    _tell(list(_rejections(run, each_file=verbose)), verbose=verbose)
    _tell(list(exception_sentences(applied)), verbose=True)
    _tell(list(_successors(run)), verbose=True)
    _tell([each.sentence for each in run.renamed_manifests], verbose=verbose)
    _tell(list(_to_know(run, verbose=verbose)), verbose=True)
    if source.results:
        note(_fetches(source.results))
    note(f"{counted(len(vrps), 'VRP', 'VRPs')} in {seconds:.1f} seconds.")


def _fetches(results: Sequence[FetchResult]) -> str:
    """How many of each protocol there were, how many failed, and how much came."""
    number = Counter(result.protocol for result in results)
    kinds = ", ".join(f"{count:,} by {protocol}" for protocol, count in sorted(number.items()))
    failed = sum(bool(result.error) for result in results)
    octets = sum(result.received or 0 for result in results)
    return (
        f"{counted(len(results), 'fetch', 'fetches')} ({kinds}), {f'{failed:,}' if failed else 'none'} failed, "
        f"{octets / 1e6:,.1f} MB received."
    )


def _rejections(run: ValidationRun, *, each_file: bool) -> Iterator[str]:
    """Of a trust anchor that is lost first, then of CAs and publication points; unless `each_file`, files of one
    directory that have the same fault are one sentence.
    """
    lost = {anchor.name for anchor in run.trust_anchors if not anchor.uri}
    alike: dict[object, list[Rejection]] = {}
    for each in sorted(run.rejections, key=lambda each: _weight(each, lost)):
        fault = each.uri.rpartition("/")[0], each.section, each.sentence
        alike.setdefault(each if each_file else fault, []).append(each)
    for first, *others in alike.values():
        more = f"; and {counted(len(others), 'more file', 'more files')} there" if others else ""
        yield f"{first.uri}: {first.sentence} ({first.section}{more})"


def _weight(rejection: Rejection, lost: Collection[str]) -> int:
    if rejection.trust_anchor in lost:
        return 0
    return 1 if rejection.breaks_a_ca else 2


def _to_know(run: ValidationRun, *, verbose: bool) -> Iterator[str]:
    """What is no problem of an object, and changes what the payload is worth."""
    shares = [share for anchor in run.trust_anchors for share in anchor.shares]
    unsafe = sum(share.unsafe for share in shares)
    if unsafe:
        yield (
            f"{counted(unsafe, 'VRP overlaps', 'VRPs overlap')} with addresses of CAs that failed: what these allow "
            "is not known, so their routes may be invalid now."
        )
    gaps = sum(anchor.manifest_gaps for anchor in run.trust_anchors)
    if gaps:
        yield (
            f"{counted(gaps, 'CA has', 'CAs have')} skipped a manifest number since the last run: "
            "something was published meanwhile that was not seen here."
        )
    duplicates = sum(share.duplicates for share in shares if share.kind in {"ipv4", "ipv6"})
    if duplicates and verbose:
        yield f"{counted(duplicates, 'VRP is', 'VRPs are')} said again by another ROA."


def _successors(run: ValidationRun) -> Iterator[str]:
    """Keys that trust anchors announce (RFC 9691): to be noticed long before the old ones go."""
    for anchor in run.trust_anchors:
        if anchor.successor is not None:
            yield (
                f"The trust anchor {anchor.name} announces another key, at {anchor.successor.uris[0]}; "
                "the old one is used on: `rpkival tal refresh` writes a locator of the new one when its time has come."
            )


def unique_vrps(vrps: Vrps) -> dict[str, int]:
    """How many each trust anchor has of them."""
    names = len(vrps.trust_anchors)
    unique = sum(np.bincount(part.trust_anchor, minlength=names) for part in (vrps.ipv4, vrps.ipv6))
    return dict(zip(vrps.trust_anchors, np.asarray(unique).tolist(), strict=True))


def _numbers(run: ValidationRun, vrps: Vrps) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Of each trust anchor, what stands under `_TITLES` behind its name."""
    vrps_of = unique_vrps(vrps)
    rejected = Counter(rejection.trust_anchor for rejection in run.rejections)
    for anchor in run.trust_anchors:
        counts = anchor.counts
        yield (
            anchor.name,
            (
                counts.certificates_valid,
                counts.publication_points_rejected,
                counts.roas_valid,
                counts.roas_rejected,
                rejected[anchor.name],
                vrps_of.get(anchor.name, 0),
                counts.aspas_valid,
                counts.router_certificates_valid,
            ),
        )


def _tell(sentences: Sequence[str], *, verbose: bool) -> None:
    told = sentences if verbose else sentences[:_LISTED]
    for sentence in told:
        note("".join(character if character.isprintable() else "?" for character in sentence))
    if len(told) < len(sentences):
        note(f"... and {len(sentences) - len(told)} more of these; --verbose tells them, --report FILE keeps them.")
