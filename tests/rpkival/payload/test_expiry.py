"""What may still be served of a set of VRPs."""

from __future__ import annotations

from rpkival.payload.expiry import of_trust_anchors, unexpired
from rpkival.payload.vrps import Vrp, Vrps

SOON = Vrp("192.0.2.0/24", 24, 64496, "ripe", 1000)
LATER = Vrp("2001:db8::/32", 48, 64497, "arin", 2000)
UNKNOWN = Vrp("198.51.100.0/24", 24, 64498, "ripe")
ALL = Vrps.of([SOON, LATER, UNKNOWN])


def test_a_vrp_holds_until_the_moment_it_expires() -> None:
    """At that moment it is over; what does not say when it expires stays."""
    assert set(unexpired(ALL, 999)) == {SOON, LATER, UNKNOWN}
    assert set(unexpired(ALL, 1000)) == {LATER, UNKNOWN}
    assert set(unexpired(ALL, 2000)) == {UNKNOWN}


def test_nothing_expired_is_the_same_set() -> None:
    """No copy where nothing changes."""
    assert unexpired(ALL, 0) is ALL


def test_trust_anchors_are_chosen_by_name() -> None:
    """An unknown name chooses nothing."""
    assert set(of_trust_anchors(ALL, {"ripe", "apnic"})) == {SOON, UNKNOWN}
    assert len(of_trust_anchors(ALL, {"apnic"})) == 0
    assert len(of_trust_anchors(Vrps.empty(), {"ripe"})) == 0
