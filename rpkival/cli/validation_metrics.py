"""A validation as OpenMetrics, by rpki-client's names, so that dashboards and alerts made for it go on working."""

from __future__ import annotations

import platform
import resource
from collections import Counter
from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric, StateSetMetricFamily
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.registry import Collector

from rpkival import __version__
from rpkival.cli.validation_summary import Fetched, unique_vrps
from rpkival.payload.payload import Payload
from rpkival.validation.report import Counts, ValidationRun

__all__ = ["validation_metrics"]

_PROTOCOLS = {"rrdp": "rrdp", "https": "http", "rsync": "rsync"}
"""Ours, and rpki-client's type of it."""

_PLACE = ("carepo", "notify")
"""The labels of a repository."""


def validation_metrics(run: ValidationRun, payload: Payload, source: Fetched, seconds: float) -> bytes:
    """What the run found, what it fetched, and `seconds` that it took; `payload` is what is printed of it."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Run(run, payload, source, seconds))
    text: bytes = generate_latest(registry)  # type: ignore[no-untyped-call]
    return text


class _Run(Collector):
    def __init__(self, run: ValidationRun, payload: Payload, source: Fetched, seconds: float) -> None:
        self._run = run
        self._payload = payload
        self._source = source
        self._seconds = seconds

    def collect(self) -> Iterator[Metric]:
        """In the order of rpki-client."""
        release = {"nodename": platform.node(), "release": f"rpkival {__version__}"}
        yield InfoMetricFamily("rpki_client", "validator information", release)
        yield GaugeMetricFamily(
            "rpki_client_job_completion_time", "end of this run as epoch timestamp", value=self._run.now
        )
        yield self._repositories()
        yield from self._objects()
        yield self._duration()
        yield from self._fetches()

    def _repositories(self) -> Metric:
        family = GaugeMetricFamily("rpki_client_repository", "total number of repositories", labels=["type", "state"])
        states = Counter((each.protocol, each.error is None) for each in self._source.results)
        for ours, theirs in _PROTOCOLS.items():
            family.add_metric([theirs, "synced"], states[ours, True])
            family.add_metric([theirs, "failed"], states[ours, False])
        return family

    def _objects(self) -> Iterator[Metric]:
        payload = self._payload
        everything = GaugeMetricFamily("rpki_client_objects", "total number of objects", labels=["type", "state"])
        gaps = sum(anchor.manifest_gaps for anchor in self._run.trust_anchors)
        for labels, value in _numbers(self._run.counts, gaps, len(payload.vrps), len(payload.aspas)):
            everything.add_metric(labels, value)
        everything.add_metric(["vap providers", "total"], sum(len(aspa.providers) for aspa in payload.aspas))
        yield everything
        anchors = GaugeMetricFamily(
            "rpki_client_ta_objects", "total number of objects per TAL", labels=["type", "state", "name"]
        )
        vrps = unique_vrps(payload.vrps)
        for anchor in self._run.trust_anchors:
            aspas = [aspa for aspa in payload.aspas if aspa.trust_anchor == anchor.name]
            for labels, value in _numbers(anchor.counts, anchor.manifest_gaps, vrps.get(anchor.name, 0), len(aspas)):
                anchors.add_metric([*labels, anchor.name], value)
            anchors.add_metric(["vap providers", "total", anchor.name], sum(len(aspa.providers) for aspa in aspas))
        yield anchors
        places = GaugeMetricFamily(
            "rpki_client_repository_objects",
            "total number of objects per repository",
            labels=["type", "state", "name", *_PLACE],
        )
        for place in self._run.report.repositories:
            unique = Counter({share.kind: share.unique for share in place.shares})
            vrps_here = unique["ipv4"] + unique["ipv6"]
            for labels, value in _numbers(place.counts, place.manifest_gaps, vrps_here, unique["aspas"]):
                places.add_metric([*labels, place.trust_anchor, *_place(place.uri)], value)
        yield places

    def _duration(self) -> Metric:
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        family = GaugeMetricFamily("rpki_client_duration", "duration in seconds", labels=["type"])
        family.add_metric(["elapsed"], self._seconds)
        family.add_metric(["user"], sum(each.ru_utime for each in used))
        family.add_metric(["system"], sum(each.ru_stime for each in used))
        return family

    def _fetches(self) -> Iterator[Metric]:
        duration = GaugeMetricFamily(
            "rpki_client_repository_duration",
            "duration used to sync this repository in seconds",
            labels=_PLACE,
        )
        state = StateSetMetricFamily("rpki_client_repository_state", "repository state", labels=_PLACE)
        protocol = StateSetMetricFamily(
            "rpki_client_repository_protos", "used protocol to sync repository", labels=_PLACE
        )
        # Where RRDP failed, rsync may have followed, of the same name or another: the last word counts.
        for fetch in {each.uri: each for each in self._source.results}.values():
            duration.add_metric(_place(fetch.uri), fetch.seconds)
            state.add_metric(_place(fetch.uri), {"failed": fetch.error is not None, "synced": fetch.error is None})
            protocol.add_metric(_place(fetch.uri), {name: fetch.protocol == name for name in _PROTOCOLS})
        yield from (duration, state, protocol)


def _place(uri: str) -> tuple[str, str]:
    """Of a repository: rsync's without the slash at its end, as rpki-client has it.

    rpki-client counts by the CA's rsync URI, and by notification file if there is one; we by what was fetched, which
    for RRDP is that file.
    """
    return uri.removesuffix("/"), uri if uri.startswith("https:") else ""


def _numbers(counts: Counts, gaps: int, vrps: int, aspas: int) -> Iterator[tuple[list[str], int]]:
    """Labels `type` and `state`; `gaps` are those in manifests' numbers, `vrps` and `aspas` without duplicates.

    A CA is not functional where it has a certificate, and nothing that can be used under it.
    """
    yield ["cert", "valid"], counts.certificates_valid
    yield ["cert", "failed parse"], counts.certificates_rejected
    yield ["cert", "non-functional"], counts.publication_points_rejected
    yield ["manifest", "valid"], counts.manifests_valid
    yield ["manifest", "failed parse"], counts.manifests_rejected
    yield ["manifest", "sequence gap"], gaps
    yield ["roa", "valid"], counts.roas_valid
    yield ["roa", "failed parse"], counts.roas_rejected
    yield ["aspa", "valid"], counts.aspas_valid
    yield ["aspa", "failed parse"], counts.aspas_rejected
    yield ["router_key", "valid"], counts.router_certificates_valid
    yield ["crl", "valid"], counts.crls_valid
    yield ["gbr", "valid"], counts.ghostbusters_valid
    yield ["tak", "valid"], counts.taks_valid
    yield ["spl", "valid"], counts.prefix_lists_valid
    yield ["vrp", "total"], counts.vrps
    yield ["vrp", "unique"], vrps
    yield ["vap", "total"], counts.aspas_valid
    yield ["vap", "unique"], aspas
    yield ["vsp", "total"], counts.prefix_lists_valid
