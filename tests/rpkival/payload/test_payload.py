"""Payloads: unions of ASPAs and router keys."""

from __future__ import annotations

from rpkival.payload.payload import Aspa, Payload, RouterKey
from rpkival.payload.vrps import Vrp, Vrps


def test_a_customer_has_the_providers_of_all_its_aspas() -> None:
    """8210bis: a cache merges several ASPAs of one customer into their union, which ends with its first part."""
    payload = Payload(
        Vrps.empty(), (Aspa(3, (9,), "b", 50), Aspa(2, (7,)), Aspa(3, (5, 9), "a", 40), Aspa(2, (6,), "c", 30))
    )
    assert payload.unique_sorted().aspas == (Aspa(2, (6, 7), "", 30), Aspa(3, (5, 9), "b", 40))


def test_a_router_key_is_kept_as_long_as_any_of_its_certificates() -> None:
    """The same key from two certificates is one, until the later of them ends; another SPKI is another key."""
    early, late = RouterKey(1, bytes(20), b"k", "a", 10), RouterKey(1, bytes(20), b"k", "b", 20)
    other = RouterKey(1, bytes(20), b"j")
    assert Payload(Vrps.empty(), (), (late, other, early)).unique_sorted().router_keys == (other, late)


def test_parts_are_put_together() -> None:
    """Nothing is lost, nothing twice."""
    one = Payload(Vrps.of([Vrp("192.0.2.0/24", 24, 1)]), (Aspa(1, (2,)),))
    two = Payload(Vrps.of([Vrp("192.0.2.0/24", 24, 1), Vrp("2001:db8::/32", 32, 1)]), (), (RouterKey(1, b"", b""),))
    assert len(Payload.concat([one, two])) == 4
    assert len(Payload.empty()) == 0
