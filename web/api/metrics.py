"""`/metrics`: what the view has at the moment of the scrape, for Prometheus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from rpkival import __version__
from rpkival.errors import StateError
from rpkival.payload.guard import Kind
from web.answered import ANSWERED
from web.api.router_metrics import router_metrics
from web.api.validation_metrics import validation_metrics
from web.keys import view_of
from web.view import View

__all__ = ["ViewCollector", "metrics"]


class ViewCollector(Collector):
    """Reads a view; nothing is counted twice and nothing is kept between scrapes."""

    def __init__(self, view: View) -> None:
        self._view = view

    def collect(self) -> Iterator[Metric]:
        """All families; those without data are left out, so that an absence is seen as one."""
        yield InfoMetricFamily("rpkival", "This program.", {"version": __version__})
        yield from self._payload()
        yield from self._guard()
        yield from self._exceptions()
        if self._view.validation is not None:
            yield from validation_metrics(self._view.validation)
        yield from self._feeds()
        yield from router_metrics(self._view.routers(), self._view.aspas_not_served())
        yield from self._incidents()

    def _payload(self) -> Iterator[Metric]:
        snapshot = self._view.snapshot
        if snapshot is None:
            return
        vrps = GaugeMetricFamily("rpkival_vrps", "VRPs that are served.", labels=["trust_anchor", "family"])
        for family, columns in (("ipv4", snapshot.vrps.ipv4), ("ipv6", snapshot.vrps.ipv6)):
            counts = np.bincount(columns.trust_anchor, minlength=len(snapshot.vrps.trust_anchors))
            for anchor, count in zip(snapshot.vrps.trust_anchors, counts.tolist(), strict=True):
                vrps.add_metric([anchor, family], count)
        yield vrps
        for name, what, records in (
            ("rpkival_aspas", "ASPAs that are served.", snapshot.payload.aspas),
            ("rpkival_router_keys", "Router keys that are served.", snapshot.payload.router_keys),
        ):
            served = GaugeMetricFamily(name, what, labels=["trust_anchor"])
            for anchor, count in Counter(each.trust_anchor for each in records).items():
                served.add_metric([anchor], count)
            yield served
        age = max(0.0, self._view.now() - snapshot.generated)
        yield GaugeMetricFamily("rpkival_data_age_seconds", "Time since the data was validated.", value=age)
        yield GaugeMetricFamily("rpkival_serial", "RTR serial of the data.", value=snapshot.serial)

    def _guard(self) -> Iterator[Metric]:
        for kind in Kind:
            held = GaugeMetricFamily(
                f"rpkival_held_{kind}",
                f"How many {kind.noun} the guard keeps from a sudden loss, by its cause.",
                labels=["trust_anchor", "cause"],
            )
            for hold in self._view.holds:
                if hold.kind is kind:
                    for cause, number in hold.causes.items():
                        held.add_metric([hold.trust_anchor, cause], number)
            yield held

    def _exceptions(self) -> Iterator[Metric]:
        local = self._view.exceptions
        if local is None:
            return
        yield GaugeMetricFamily(
            "rpkival_exceptions_up", "1 where the SLURM files are in force as they are now.", value=not local.problem
        )
        yield GaugeMetricFamily(
            "rpkival_exceptions_loaded_timestamp_seconds", "Since when those in force are.", value=local.loaded
        )
        filtered = GaugeMetricFamily(
            "rpkival_locally_filtered", "What local exceptions take away.", labels=["trust_anchor", "type"]
        )
        added = GaugeMetricFamily("rpkival_locally_added", "What local exceptions add.", labels=["file", "type"])
        for family, numbers in ((filtered, local.filtered), (added, local.added)):
            for each in numbers:
                family.add_metric([each.of, "vrp"], each.vrps)
                family.add_metric([each.of, "aspa"], each.aspas)
                family.add_metric([each.of, "router-key"], each.router_keys)
            yield family

    def _feeds(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("rpkival_feed_state", "1 for the state that the feed is in.", labels=["feed", "state"])
        age = GaugeMetricFamily(
            "rpkival_feed_last_message_age_seconds", "Time since the feed's last message.", labels=["feed"]
        )
        counters = {
            "messages": CounterMetricFamily("rpkival_feed_messages", "Messages of the feed.", labels=["feed"]),
            "routes": CounterMetricFamily("rpkival_feed_routes", "Announcements and withdrawals.", labels=["feed"]),
            "malformed": CounterMetricFamily("rpkival_feed_malformed", "Messages not understood.", labels=["feed"]),
            "dropped": CounterMetricFamily("rpkival_feed_dropped", "Messages not taken in time.", labels=["feed"]),
            "reconnects": CounterMetricFamily("rpkival_feed_reconnects", "Reconnections.", labels=["feed"]),
        }
        for feed in self._view.feeds():
            up.add_metric([feed.name, feed.state], 1)
            if feed.last_message is not None:
                age.add_metric([feed.name], max(0.0, self._view.now() - feed.last_message))
            for name, counter in counters.items():
                counter.add_metric([feed.name], getattr(feed, name))
        yield from (up, age, *counters.values())

    def _incidents(self) -> Iterator[Metric]:
        try:
            counts = self._view.incidents.counts() if self._view.incidents else {}
        except StateError:
            return  # the other figures are worth having; the log and the page tell of the database
        incidents = GaugeMetricFamily("rpkival_incidents", "Incidents by state.", labels=["state"])
        for state, count in counts.items():
            incidents.add_metric([state], count)
        if counts:
            yield incidents


class _Answers(Collector):
    """Of this server, to whomever."""

    def __init__(self, answered: Counter[int]) -> None:
        self._answered = answered

    def collect(self) -> Iterator[Metric]:
        """One family."""
        answers = CounterMetricFamily("rpkival_http_answers", "Answers by HTTP status.", labels=["status"])
        for status, number in sorted(self._answered.items()):
            answers.add_metric([str(status)], number)
        yield answers


async def metrics(request: web.Request) -> web.Response:
    """The Prometheus text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ViewCollector(view_of(request)))
    registry.register(_Answers(request.app[ANSWERED]))
    return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
