"""The routers as metrics: sums by what there are few of, and addresses as far as a time series database bears them.

A router that reconnects comes from another port, so ports are no labels: they would make a new series each time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from rpkival.limits import MAX_LISTED_ROUTERS
from rpkival.rtr.server import SessionInfo

__all__ = ["router_metrics"]


def router_metrics(routers: Sequence[SessionInfo], aspas_not_served: Sequence[int]) -> Iterator[Metric]:
    """All families; addresses beyond `MAX_LISTED_ROUTERS` are left to the sums, those that lag least first."""
    yield GaugeMetricFamily("rpkival_rtr_sessions", "Routers connected.", value=len(routers))
    kinds = GaugeMetricFamily(
        "rpkival_rtr_sessions_by_kind", "Routers connected.", labels=["transport", "version", "state"]
    )
    told = Counter(
        (each.transport, "none" if each.version is None else str(each.version), each.state) for each in routers
    )
    for labels, count in sorted(told.items()):
        kinds.add_metric(labels, count)
    yield kinds
    for name, what, total in (
        ("sent_bytes", "Octets sent in the sessions that stand now.", sum(each.bytes_sent for each in routers)),
        ("received_bytes", "Octets received in these sessions.", sum(each.bytes_received for each in routers)),
        ("sessions_behind", "Routers that have an older serial than ours.", sum(bool(each.lag) for each in routers)),
        (
            "longest_lag",
            "Serials that the last of them is behind.",
            max((each.lag or 0 for each in routers), default=0),
        ),
        ("aspas_not_served", "ASPAs that no PDU can hold.", len(aspas_not_served)),
    ):
        yield GaugeMetricFamily(f"rpkival_rtr_{name}", what, value=total)
    yield from _addresses(routers)


def _addresses(routers: Sequence[SessionInfo]) -> Iterator[Metric]:
    lags: dict[str, int] = {}
    serials: dict[str, int] = {}
    updated: dict[str, float] = {}
    reset: dict[str, float] = {}
    answers: dict[str, Counter[str]] = {}
    sessions, sent, received = Counter[str](), Counter[str](), Counter[str]()
    # Of several sessions of one address, the one that lags most is told of.
    for each in sorted(routers, key=lambda each: each.lag or 0):
        address = each.peer.rpartition(":")[0].strip("[]")
        lags[address] = each.lag or 0
        if each.serial is not None:
            serials[address] = each.serial
        for at, times in ((each.updated, updated), (each.reset, reset)):
            if at is not None:
                times[address] = max(at, times.get(address, 0))
        kinds = {"snapshot": each.snapshots, "delta": each.deltas, "cache-reset": each.cache_resets}
        answers.setdefault(address, Counter()).update(kinds)
        sessions[address] += 1
        sent[address] += each.bytes_sent
        received[address] += each.bytes_received
    shown = sorted(lags, key=lambda address: (-lags[address], address))[:MAX_LISTED_ROUTERS]
    lag = GaugeMetricFamily("rpkival_rtr_router_lag", "Serials that the router is behind.", labels=["address"])
    serial = GaugeMetricFamily("rpkival_rtr_router_serial", "Serial that the router has.", labels=["address"])
    for address in shown:
        lag.add_metric([address], lags[address])
        if address in serials:
            serial.add_metric([address], serials[address])
    yield from (lag, serial)
    queries = GaugeMetricFamily(
        "rpkival_rtr_router_answers", "Queries answered in these sessions.", labels=["address", "kind"]
    )
    for address in shown:
        for kind, number in answers[address].items():
            queries.add_metric([address, kind], number)
    yield queries
    for name, what, numbers in (
        ("sessions", "Sessions from this address.", sessions),
        ("sent_bytes", "Octets sent to the router.", sent),
        ("received_bytes", "Octets received from the router.", received),
        ("updated_timestamp_seconds", "When the router had last taken any data.", updated),
        ("reset_timestamp_seconds", "When the router had last taken all data.", reset),
    ):
        family = GaugeMetricFamily(f"rpkival_rtr_router_{name}", what, labels=["address"])
        for address in shown:
            if address in numbers:
                family.add_metric([address], numbers[address])
        yield family
