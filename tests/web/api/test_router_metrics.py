"""Routers as metrics: sums, and no more series than a database of them bears."""

from __future__ import annotations

from rpkival.limits import MAX_LISTED_ROUTERS
from rpkival.rtr.server import SessionInfo
from web.api.router_metrics import router_metrics


def router(peer: str, lag: int | None, version: int | None = 1, transport: str = "tcp") -> SessionInfo:
    """One that has been sent a thousand octets, where serial 17 is the last."""
    serial = None if lag is None else 17 - lag
    taken = (1, 5, 2, 200.0 + (lag or 0), 100.0) if lag is not None else ()
    return SessionInfo(peer, version, serial, 0, 1000, "open", None, "", transport, 20, lag, *taken)


def samples(*routers: SessionInfo) -> dict[tuple[str, ...], float]:
    """Value by name and labels."""
    found = {}
    for family in router_metrics(routers, (64511, 64512)):
        for sample in family.samples:
            found[sample.name, *sample.labels.values()] = sample.value
    return found


def test_sums_and_addresses() -> None:
    """Two sessions of one address are one series, IPv6 without brackets, whatever the port."""
    found = samples(
        router("192.0.2.1:40000", 0),
        router("192.0.2.1:40001", 3, 2, "tls"),
        router("[2001:db8::1]:40000", None, None),
    )
    assert found["rpkival_rtr_sessions",] == 3
    assert found["rpkival_rtr_sessions_by_kind", "tls", "2", "open"] == 1
    assert found["rpkival_rtr_sessions_by_kind", "tcp", "none", "open"] == 1
    assert found["rpkival_rtr_sent_bytes",] == 3000
    assert found["rpkival_rtr_received_bytes",] == 60
    assert (found["rpkival_rtr_sessions_behind",], found["rpkival_rtr_longest_lag",]) == (1, 3)
    assert found["rpkival_rtr_aspas_not_served",] == 2
    assert found["rpkival_rtr_router_lag", "192.0.2.1"] == 3
    assert found["rpkival_rtr_router_sent_bytes", "192.0.2.1"] == 2000
    assert found["rpkival_rtr_router_received_bytes", "192.0.2.1"] == 40
    assert found["rpkival_rtr_router_sessions", "192.0.2.1"] == 2
    assert found["rpkival_rtr_router_updated_timestamp_seconds", "192.0.2.1"] == 203
    assert found["rpkival_rtr_router_reset_timestamp_seconds", "192.0.2.1"] == 100
    assert ("rpkival_rtr_router_updated_timestamp_seconds", "2001:db8::1") not in found
    for kind, number in (("snapshot", 2), ("delta", 10), ("cache-reset", 4)):
        assert found["rpkival_rtr_router_answers", "192.0.2.1", kind] == number
        assert found["rpkival_rtr_router_answers", "2001:db8::1", kind] == 0
    assert found["rpkival_rtr_router_serial", "192.0.2.1"] == 14
    assert found["rpkival_rtr_router_lag", "2001:db8::1"] == 0
    assert ("rpkival_rtr_router_serial", "2001:db8::1") not in found


def test_there_are_only_so_many_series() -> None:
    """Those that lag most stay; sums count all."""
    routers = [router(f"10.0.{n >> 8}.{n & 255}:1", n) for n in range(2 * MAX_LISTED_ROUTERS)]
    found = samples(*routers)
    assert sum(name[0] == "rpkival_rtr_router_lag" for name in found) == MAX_LISTED_ROUTERS
    assert found["rpkival_rtr_sessions",] == 2 * MAX_LISTED_ROUTERS
    assert found["rpkival_rtr_longest_lag",] == 2 * MAX_LISTED_ROUTERS - 1
    assert min(value for name, value in found.items() if name[0] == "rpkival_rtr_router_lag") == MAX_LISTED_ROUTERS
