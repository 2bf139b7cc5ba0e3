"""The life of a case, under any sequence of announcements and withdrawals."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.route_batch import Peer
from rpkival.monitor.case import Case, Route
from rpkival.monitor.incidents import Expected, Rpki

STEPS = st.lists(st.tuples(st.sampled_from(["see", "lose", "pass"]), st.integers(0, 5), st.floats(0, 400)), max_size=60)


def new_case() -> Case:
    """A case without evidence."""
    expected, rpki = Expected("192.0.2.0/24", (64496,)), Rpki("invalid", "as")
    return Case("inc_1", "more-specific-hijack", "192.0.2.0/25", 64666, expected, rpki, 0.0, 0.0)


def route(number: int) -> Route:
    """Six routes of three peers."""
    return Route("rrc00", Peer(64500 + number % 3, f"peer-{number % 3}"), number // 3)


@given(STEPS, st.integers(1, 3))
@settings(deadline=None)
def test_any_life(steps: list[tuple[str, int, float]], min_peers: int) -> None:
    """Changes alternate as the theory says, and the counts are what the sightings are."""
    case, now, changes = new_case(), 0.0, []
    held: set[int] = set()
    for action, number, wait in steps:
        now += wait
        if action == "see":
            case.see(route(number), (64500, 64666), now)
            held.add(number)
        elif action == "lose":
            case.lose(route(number), now)
            held.discard(number)
        while change := case.settle(now, min_peers):
            changes.append(change)

        assert case.is_active == bool(held)
        peers = {number % 3 for number in held}
        if len(peers) >= min_peers:
            assert case.lifecycle.state == "open"
        if case.lifecycle.state == "resolved":
            assert not held
            assert case.incident().resolved_at is not None
        assert case.settle(now, min_peers) is None, "settled is settled"

    ends = [change for change in changes if change != "updated"]
    assert ends == ["opened", "resolved"] * (len(ends) // 2) + ["opened"] * (len(ends) % 2)
    updates = "".join(change[0] for change in changes).split("o")
    assert all(part.count("u") <= 2 for part in updates), "three peers double twice at most"
    for later in (now, now + 4000):
        while case.settle(later, min_peers):
            pass
    assert case.is_over(now + 1e6) == (not held)


@given(STEPS)
@settings(deadline=None)
def test_pardon_ends_it(steps: list[tuple[str, int, float]]) -> None:
    """Whoever holds it: once it is legitimate it is no incident, unless seen again afterwards."""
    case, now = new_case(), 0.0
    for action, number, wait in steps:
        now += wait
        if action == "see":
            case.see(route(number), (64500, 64666), now)
        elif action == "lose":
            case.lose(route(number), now)
    case.pardon("It is allowed now.", now)

    for _ in range(5):
        case.settle(now, 1)
        now += 4000

    assert case.lifecycle.state in {"pending", "resolved"}
    if case.lifecycle.state == "resolved":
        assert case.incident().reasons[-1] == "It is allowed now."
