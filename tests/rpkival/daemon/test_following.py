"""Feeds to the monitor."""

from __future__ import annotations

from rpkival.daemon.following import subscription_to
from rpkival.monitor.expectations import Expectations, Own
from rpkival.payload.vrps import Vrp, Vrps


def test_without_prefixes_nothing_is_subscribed_to() -> None:
    """An empty list of prefixes would ask RIS Live for every route of the world."""
    own = Own.of(["AS64496"])

    assert subscription_to(Expectations.build(Vrps.empty(), own)) is None
    wanted = subscription_to(Expectations.build(Vrps.of([Vrp("192.0.2.0/24", 24, 64496)]), own))
    assert wanted is not None
    assert wanted.prefixes == ("192.0.2.0/24",)
