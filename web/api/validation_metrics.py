"""The last validation as metrics: by trust anchor, by repository, and by the fetches that it made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import fields

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from rpkival.validation.report import Counts, RepositoryReport, Share, TrustAnchorReport
from web.view import Fetch, ValidationSummary

__all__ = ["validation_metrics"]

_POINTS = "publication_points"


def validation_metrics(run: ValidationSummary) -> Iterator[Metric]:
    """All families."""
    yield GaugeMetricFamily(
        "rpkival_validation_duration_seconds", "Duration of the last validation.", value=run.finished - run.started
    )
    yield GaugeMetricFamily(
        "rpkival_validation_done_timestamp_seconds", "When the last validation finished.", value=run.finished
    )
    yield from _trust_anchors(run.report.trust_anchors)
    yield from _repositories(run.report.repositories)
    rejected = GaugeMetricFamily(
        "rpkival_rejected_objects",
        "Objects that the last validation refused, by the rule they break.",
        labels=["trust_anchor", "rule"],
    )
    for (name, rule), number in Counter((each.trust_anchor, each.section) for each in run.report.rejections).items():
        rejected.add_metric([name, rule], number)
    yield rejected
    yield from _fetches(run.fetches)


def _trust_anchors(anchors: Sequence[TrustAnchorReport]) -> Iterator[Metric]:
    points = GaugeMetricFamily(
        "rpkival_publication_points", "Publication points of the last validation.", labels=["trust_anchor", "state"]
    )
    objects = GaugeMetricFamily(
        "rpkival_objects", "Objects of the last validation.", labels=["trust_anchor", "type", "state"]
    )
    valid = GaugeMetricFamily(
        "rpkival_valid_vrps", "VRPs of valid ROAs, duplicates counted each time.", labels=["trust_anchor"]
    )
    more = _Families("rpkival_", ["trust_anchor"])
    for anchor in anchors:
        for kind, state, number in _numbers(anchor.counts):
            family, labels = (points, []) if kind == _POINTS else (objects, [kind])
            family.add_metric([anchor.name, *labels, state], number)
        valid.add_metric([anchor.name], anchor.counts.vrps)
        more.add([anchor.name], anchor.counts, anchor.manifest_gaps, anchor.shares)
    yield from (points, objects, valid, *more.all)


def _repositories(repositories: Sequence[RepositoryReport]) -> Iterator[Metric]:
    objects = GaugeMetricFamily(
        "rpkival_repository_objects",
        "What a repository served at the last validation.",
        labels=["trust_anchor", "repository", "type", "state"],
    )
    vrps = GaugeMetricFamily(
        "rpkival_repository_valid_vrps",
        "VRPs of a repository's valid ROAs, duplicates counted each time.",
        labels=["trust_anchor", "repository"],
    )
    more = _Families("rpkival_repository_", ["trust_anchor", "repository"])
    for repository in repositories:
        place = [repository.trust_anchor, repository.uri]
        vrps.add_metric(place, repository.counts.vrps)
        for kind, state, number in _numbers(repository.counts):
            if number:
                objects.add_metric([*place, kind, state], number)
        said = [share for share in repository.shares if share.valid]
        more.add(place, repository.counts, repository.manifest_gaps, said)
    yield from (objects, vrps, *more.all)


class _Families:
    """What is told of a trust anchor and of a repository alike; where nothing was rejected, no reasons are."""

    def __init__(self, prefix: str, labels: list[str]) -> None:
        def family(name: str, what: str, *more: str) -> GaugeMetricFamily:
            return GaugeMetricFamily(prefix + name, what, labels=[*labels, *more])

        self._manifests = family("rejected_manifests", "Manifests that cannot be used, by reason.", "reason")
        self._crls = family("rejected_crls", "CRLs that cannot be used, by reason.", "reason")
        self._gaps = family("manifest_gaps", "Manifests accepted whose number is not the one after the last.")
        self._ignored = family("ignored_files", "Files on manifests that are of no known type.")
        self._valid = family("valid_payload", "What valid objects say, duplicates counted each time.", "type")
        self._unique = family("unique_payload", "What of it the payload has from here.", "type")
        self._duplicates = family("duplicate_payload", "What of it the payload has from elsewhere, or once.", "type")
        self._unsafe = family(
            "unsafe_vrps", "VRPs that overlap with what a CA holds of which nothing can be used.", "type"
        )

    def add(self, labels: list[str], counts: Counts, gaps: int, shares: Sequence[Share]) -> None:
        """One trust anchor or repository."""
        known = {
            "missing": counts.manifests_missing,
            "premature": counts.manifests_premature,
            "stale": counts.manifests_stale,
        }
        _add_reasons(self._manifests, labels, known, counts.manifests_rejected)
        known = {"premature": counts.crls_premature, "stale": counts.crls_stale}
        _add_reasons(self._crls, labels, known, counts.crls_rejected)
        self._gaps.add_metric(labels, gaps)
        self._ignored.add_metric(labels, counts.other_files_ignored)
        for share in shares:
            self._valid.add_metric([*labels, share.kind], share.valid)
            self._unique.add_metric([*labels, share.kind], share.unique)
            self._duplicates.add_metric([*labels, share.kind], share.duplicates)
            if share.kind in {"ipv4", "ipv6"}:
                self._unsafe.add_metric([*labels, share.kind], share.unsafe)

    @property
    def all(self) -> tuple[Metric, ...]:
        """Every family."""
        return (
            self._manifests,
            self._crls,
            self._gaps,
            self._ignored,
            self._valid,
            self._unique,
            self._duplicates,
            self._unsafe,
        )


def _add_reasons(family: GaugeMetricFamily, labels: list[str], known: dict[str, int], rejected: int) -> None:
    if rejected:
        for reason, number in {**known, "invalid": rejected - sum(known.values())}.items():
            family.add_metric([*labels, reason], number)


def _fetches(fetches: Sequence[Fetch]) -> Iterator[Metric]:
    labels = ["repository", "protocol"]
    up = GaugeMetricFamily("rpkival_fetch_up", "1 where the last run's fetch of it went well.", labels=labels)
    duration = GaugeMetricFamily("rpkival_fetch_duration_seconds", "Duration of that fetch.", labels=labels)
    received = GaugeMetricFamily("rpkival_fetch_received_bytes", "Octets that came in it.", labels=labels)
    serial = GaugeMetricFamily("rpkival_rrdp_serial", "Serial that the repository is at.", labels=["repository"])
    failed = GaugeMetricFamily(
        "rpkival_fetch_failed_status", "HTTP status, or that of rsync, with which that fetch failed.", labels=labels
    )
    for fetch in {(each.uri, each.protocol): each for each in fetches}.values():
        up.add_metric([fetch.uri, fetch.protocol], fetch.error is None)
        duration.add_metric([fetch.uri, fetch.protocol], fetch.seconds)
        if fetch.received is not None:
            received.add_metric([fetch.uri, fetch.protocol], fetch.received)
        if fetch.serial is not None:
            serial.add_metric([fetch.uri], fetch.serial)
        if fetch.status is not None:
            failed.add_metric([fetch.uri, fetch.protocol], fetch.status)
    yield from (up, duration, received, serial, failed)


def _numbers(counts: Counts) -> Iterator[tuple[str, str, int]]:
    """What was counted, as type, state and number."""
    for each in fields(counts):
        kind, _, state = each.name.rpartition("_")
        if state in {"valid", "rejected"}:
            yield kind, state, getattr(counts, each.name)
