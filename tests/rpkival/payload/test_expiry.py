"""What may still be served of a payload."""

from __future__ import annotations

from rpkival.payload.expiry import of_trust_anchors, unexpired
from rpkival.payload.payload import Aspa, Payload, RouterKey
from rpkival.payload.vrps import Vrp, Vrps

SOON = Vrp("192.0.2.0/24", 24, 64496, "ripe", 1000)
LATER = Vrp("2001:db8::/32", 48, 64497, "arin", 2000)
UNKNOWN = Vrp("198.51.100.0/24", 24, 64498, "ripe")
ASPA = Aspa(64496, (64497,), "ripe", 1000)
KEY = RouterKey(64496, bytes(20), b"key", "arin", 2000)
ALL = Payload(Vrps.of([SOON, LATER, UNKNOWN]), (ASPA,), (KEY,))


def parts(payload: Payload) -> set[object]:
    return {*payload.vrps, *payload.aspas, *payload.router_keys}


def test_a_vrp_holds_until_the_moment_it_expires() -> None:
    """At that moment it is over; what does not say when it expires stays."""
    assert parts(unexpired(ALL, 999)) == {SOON, LATER, UNKNOWN, ASPA, KEY}
    assert parts(unexpired(ALL, 1000)) == {LATER, UNKNOWN, KEY}
    assert parts(unexpired(ALL, 2000)) == {UNKNOWN}


def test_nothing_expired_is_the_same_set() -> None:
    """No copy where nothing changes."""
    assert unexpired(ALL, 0) is ALL


def test_trust_anchors_are_chosen_by_name() -> None:
    """An unknown name chooses nothing."""
    assert parts(of_trust_anchors(ALL, {"ripe", "apnic"})) == {SOON, UNKNOWN, ASPA}
    assert len(of_trust_anchors(ALL, {"apnic"})) == 0
    assert len(of_trust_anchors(Payload.empty(), {"ripe"})) == 0
