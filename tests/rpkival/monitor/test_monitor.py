"""The monitor, from routes to incidents and events in the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from feeds.route_batch import RouteBatch
from rpkival.errors import StateError
from rpkival.monitor import monitor
from rpkival.monitor.expectations import Expectations, Own
from rpkival.origin.index import OriginIndex
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.storage import open_database

VRP = Vrp("192.0.2.0/24", 24, 64496, "test")
OWN = ["AS64496"]
GOOD = [64500, 64496]
BAD = [64500, 64510, 64666]

Desk = Callable[..., Any]


def test_our_own_announcement_is_no_incident(desk: Desk) -> None:
    """What is expected passes in silence, and nothing is written."""
    at = desk([VRP], OWN)

    assert at.at(1, "192.0.2.0/24", 64500, GOOD) == []
    assert at.at(2, "198.51.100.0/24", 64500, BAD) == []
    assert at.store.list() == []
    assert at.told() == []


@pytest.mark.parametrize(
    ("prefix", "path", "kind", "severity"),
    [
        ("192.0.2.0/24", BAD, "origin-hijack", "high"),
        ("192.0.2.0/25", BAD, "more-specific-hijack", "high"),
        ("192.0.2.1/32", BAD, "more-specific-hijack", "high"),
        ("192.0.2.0/25", GOOD, "more-specific-unauthorised", "low"),
        ("2001:db8::/48", BAD, "more-specific-hijack", "medium"),
        ("2001:db8::/32", BAD, "origin-hijack", "medium"),
        ("192.0.2.0/24", [64500, 64496, 64666], "origin-hijack", "high"),
    ],
)
def test_kinds(desk: Desk, prefix: str, path: list[int], kind: str, severity: str) -> None:
    """Each kind, with the severity that the RPKI (or the owner on the path) gives it."""
    at = desk([VRP], [*OWN, "2001:db8::/32"])

    assert at.at(5, prefix, 64500, path) == [f"opened {prefix} AS{path[-1]}"]

    (incident,) = at.store.list()
    assert (incident.kind, incident.severity) == (kind, severity)
    assert incident.observed.paths == (tuple(path),)
    assert incident.first_seen == 5
    assert at.told() == ["incident.opened"]


def test_valid_by_another_vrp_is_no_incident(desk: Desk) -> None:
    """A customer with a ROA of its own inside ours is what the RPKI is for."""
    at = desk([VRP, Vrp("192.0.2.128/25", 25, 64777)], OWN)

    assert at.at(1, "192.0.2.128/25", 64500, [64500, 64777]) == []
    assert at.at(2, "192.0.2.128/25", 64500, BAD) == ["opened 192.0.2.128/25 AS64666"]


def test_a_less_specific_announcement_is_not_ours(desk: Desk) -> None:
    """192.0.0.0/16 by anybody does not take traffic from 192.0.2.0/24."""
    assert desk([VRP], OWN).at(1, "192.0.0.0/16", 64500, BAD) == []


def test_all_withdraw_then_all_clear(desk: Desk) -> None:
    """Resolved when the last holder has lost it, not before."""
    at = desk([VRP], OWN)

    assert at.at(1, "192.0.2.0/25", 64500, BAD) == ["opened 192.0.2.0/25 AS64666"]
    assert at.at(2, "192.0.2.0/25", 64501, [64501, 64666]) == ["updated 192.0.2.0/25 AS64666"]
    assert at.at(3, "192.0.2.0/25", 64500, None) == []
    assert at.at(4, "192.0.2.0/25", 64501, None) == ["resolved 192.0.2.0/25 AS64666"]

    (incident,) = at.store.list(state="resolved")
    assert incident.resolved_at == 4
    assert incident.observed.peer_count == 2
    assert at.store.counts() == {"open": 0, "resolved": 1}
    assert at.told() == ["incident.opened", "incident.updated", "incident.resolved"]


def test_the_right_route_replaces_the_wrong_one(desk: Desk) -> None:
    """RFC 4271: a peer has one route to a prefix, so a new one withdraws the old one."""
    at = desk([VRP], OWN)
    at.at(1, "192.0.2.0/24", 64500, BAD)

    assert at.at(2, "192.0.2.0/24", 64500, GOOD) == ["resolved 192.0.2.0/24 AS64666"]


def test_one_hijacker_replaces_another(desk: Desk) -> None:
    """Two origins are two incidents; the second ends the first."""
    at = desk([VRP], OWN)
    at.at(1, "192.0.2.0/24", 64500, BAD)

    assert sorted(at.at(2, "192.0.2.0/24", 64500, [64500, 64667])) == [
        "opened 192.0.2.0/24 AS64667",
        "resolved 192.0.2.0/24 AS64666",
    ]


def test_an_as_set_does_not_hide_a_hijack(desk: Desk, batch: Callable[..., RouteBatch]) -> None:
    """The hijacker wraps its AS number in a set: the same case goes on, and a new one opens as by any other path."""
    at = desk([VRP], OWN)
    at.at(1, "192.0.2.0/24", 64500, BAD)

    assert at.monitor.process(batch([("192.0.2.0/24", 64500, BAD, 2.0)], as_set=1), 2.0) == []
    changes = at.monitor.process(batch([("192.0.2.0/25", 64500, [64500, 64496, 64666], 3.0)], as_set=2), 3.0)

    assert [(c.change, c.incident.kind, c.incident.observed.origin) for c in changes] == [
        ("opened", "more-specific-hijack", 64666)
    ]
    assert at.at(4, "192.0.2.0/24", 64500, None) == ["resolved 192.0.2.0/24 AS64666"]


@pytest.mark.parametrize("last", [[64496], [64777], [64777, 64496]])
def test_an_as_set_of_those_who_may_is_no_incident(
    desk: Desk, batch: Callable[..., RouteBatch], last: list[int]
) -> None:
    """An expected origin, or one that a VRP allows: it ends what it replaces as any good path does."""
    at = desk([VRP, Vrp("192.0.2.0/24", 24, 64777)], OWN)
    at.at(1, "192.0.2.0/24", 64500, BAD)

    changes = at.monitor.process(batch([("192.0.2.0/24", 64500, [64500, *last], 2.0)], as_set=len(last)), 2.0)

    assert [change.change for change in changes] == ["resolved"]


def test_an_older_message_changes_nothing(desk: Desk) -> None:
    """Collectors deliver out of order: what is older than what a peer last said is no news."""
    at = desk([VRP], OWN)
    at.at(5, "192.0.2.0/25", 64500, BAD)

    assert at.at(4, "192.0.2.0/25", 64500, None) == []
    assert at.at(6, "192.0.2.0/25", 64500, None) == ["resolved 192.0.2.0/25 AS64666"]
    assert at.at(5, "192.0.2.0/25", 64500, BAD) == []


def test_a_hijack_within_one_batch_is_told(desk: Desk, batch: Callable[..., RouteBatch]) -> None:
    """It came and went between two looks; it was there all the same."""
    at = desk([VRP], OWN)

    changes = at.monitor.process(batch([("192.0.2.0/25", 1, BAD, 1.0), ("192.0.2.0/25", 1, None, 2.0)]), 3.0)

    assert [change.change for change in changes] == ["opened", "resolved"]
    assert at.told() == ["incident.opened", "incident.resolved"]


def test_fewer_peers_than_asked_for_are_not_enough(desk: Desk) -> None:
    """With min_peers=2 one peer's word is kept, and opens nothing."""
    at = desk([VRP], OWN, min_peers=2)

    assert at.at(1, "192.0.2.0/25", 64500, BAD) == []
    assert at.store.list() == []
    at.restart()
    assert at.at(2, "192.0.2.0/25", 64501, BAD) == ["opened 192.0.2.0/25 AS64666"]
    assert at.store.list()[0].first_seen == 1


def test_confidence_grows_and_updates_are_few(desk: Desk) -> None:
    """A hundred peers make eight events: one for each doubling."""
    at = desk([VRP], OWN)

    for peer in range(1, 101):
        at.at(peer, "192.0.2.0/25", peer, [peer, 64666])

    assert at.told() == ["incident.opened"] + ["incident.updated"] * 6
    told = [msgspec.json.decode(row["data"]) for row in at.database.rows("SELECT data FROM events ORDER BY number")]
    confidences = [event["confidence"] for event in told]
    assert confidences == sorted(confidences)
    assert confidences[0] == 0.9
    assert confidences[-1] == 0.99
    assert at.store.list()[0].observed.peer_count == 100


def test_a_flapping_hijack_is_damped(desk: Desk) -> None:
    """Up and down each second for twenty minutes: not 1,200 alerts but a handful, and one incident."""
    at = desk([VRP], OWN)

    for second in range(1200):
        at.at(second, "192.0.2.0/25", 64500, None if second % 2 else BAD)

    assert len(at.store.list()) == 1
    assert len(at.told()) < 6
    assert at.at(9000, "203.0.113.0/24", 64500, GOOD) == ["resolved 192.0.2.0/25 AS64666"]


def test_after_an_hour_it_is_a_new_incident(desk: Desk) -> None:
    """A return within the hour is the same incident; later it is another."""
    at = desk([VRP], OWN)
    at.at(0, "192.0.2.0/25", 64500, BAD)
    at.at(10, "192.0.2.0/25", 64500, None)

    assert at.at(1000, "192.0.2.0/25", 64500, BAD) == ["opened 192.0.2.0/25 AS64666"]
    assert "It has come back." in at.store.list()[0].reasons
    at.at(1010, "192.0.2.0/25", 64500, None)
    at.at(1050, "203.0.113.0/24", 64500, None)
    at.at(9000, "192.0.2.0/25", 64500, BAD)

    assert [incident.state for incident in at.store.list()] == ["open", "resolved"]


def test_a_restart_forgets_nothing(desk: Desk, tmp_path: Path) -> None:
    """Who has the route is in the database: a new process sees the end of what an old one saw begin."""
    path = tmp_path / "rpkival.sqlite"
    first = desk([VRP], OWN, database=open_database(path))
    first.at(1, "192.0.2.0/25", 64500, BAD)
    first.at(1, "192.0.2.0/25", 64501, BAD)
    first.database.close()

    second = desk([VRP], OWN, database=open_database(path))

    assert second.at(2, "192.0.2.0/25", 64500, None) == []
    assert second.at(3, "192.0.2.0/25", 64501, None) == ["resolved 192.0.2.0/25 AS64666"]
    second.database.close()


def test_a_new_roa_ends_the_incident(desk: Desk) -> None:
    """When the payload allows what was charged, the next batch resolves it and says why."""
    at = desk([VRP], OWN)
    at.at(1, "192.0.2.0/25", 64500, BAD)
    vrps = Vrps.of([VRP, Vrp("192.0.2.0/25", 25, 64666)])

    at.monitor.update(Expectations.build(vrps, at.own), OriginIndex.build(vrps))

    assert at.at(2, "203.0.113.0/24", 64500, GOOD) == ["resolved 192.0.2.0/25 AS64666"]
    assert "now allows" in at.store.list()[0].reasons[-1]


def test_a_roa_that_vanishes_gives_nothing_away(desk: Desk) -> None:
    """It expired, or its repository lost it: the prefix stays ours, so the incident stays open, and new ones open."""
    at = desk([VRP, Vrp("192.0.2.0/24", 24, 64497)], OWN)
    at.at(1, "192.0.2.0/24", 64500, BAD)

    at.payload([])

    assert at.at(2, "203.0.113.0/24", 64500, GOOD) == ["updated 192.0.2.0/24 AS64666"]
    assert at.store.list()[0].rpki.state == "not-found"
    assert at.at(3, "192.0.2.128/25", 64500, BAD) == ["opened 192.0.2.128/25 AS64666"]
    assert at.at(4, "192.0.2.0/24", 64501, [64501, 64497]) == [], "who was expected then is no hijacker now"
    assert at.at(5, "192.0.2.0/24", 64500, None) == ["resolved 192.0.2.0/24 AS64666"]
    assert "withdrawn" in at.store.list()[1].reasons[-1]


def test_a_case_keeps_its_prefix_over_a_restart(desk: Desk) -> None:
    """A new process that starts without the ROA still hears how the incident ends."""
    at = desk([VRP], OWN)
    at.at(1, "192.0.2.0/25", 64500, BAD)
    at.vrps = Vrps.empty()

    at.restart()

    assert at.monitor.expectations.ipv4.prefixes.texts() == ["192.0.2.0/24"]
    at.payload([])
    assert at.at(2, "203.0.113.0/24", 64500, GOOD) == ["updated 192.0.2.0/25 AS64666"]
    assert at.at(3, "192.0.2.0/25", 64500, None) == ["resolved 192.0.2.0/25 AS64666"]


@pytest.mark.parametrize(("before", "after"), [(OWN, ["AS64499"]), ([*OWN, "192.0.2.0/24"], OWN)])
def test_what_the_operator_no_longer_calls_theirs_is_let_go(desk: Desk, before: list[str], after: list[str]) -> None:
    """Only VRPs may vanish by accident; the configuration means what it says, and the all-clear says so."""
    at = desk([VRP] if before == OWN else [], before)
    at.at(1, "192.0.2.0/25", 64500, BAD)
    at.own, at.vrps = Own.of(after), Vrps.empty()

    at.restart()
    at.payload([])

    assert at.at(2, "203.0.113.0/24", 64500, GOOD) == ["resolved 192.0.2.0/25 AS64666"]
    assert "no longer" in at.store.list()[0].reasons[-1]


def test_a_new_roa_makes_it_worse(desk: Desk) -> None:
    """The owner signs a ROA during a hijack: not-found becomes invalid, and that is told."""
    at = desk([], ["AS64496", "192.0.2.0/24"])
    at.at(1, "192.0.2.0/25", 64500, BAD)
    assert at.store.list()[0].rpki.state == "not-found"
    vrps = Vrps.of([VRP])

    at.monitor.update(Expectations.build(vrps, at.own), OriginIndex.build(vrps))

    assert at.at(2, "203.0.113.0/24", 64500, GOOD) == ["updated 192.0.2.0/25 AS64666"]
    assert at.store.list()[0].severity == "high"


def test_a_batch_that_cannot_be_written_can_be_given_again(
    desk: Desk, batch: Callable[..., RouteBatch], tmp_path: Path
) -> None:
    """Memory never runs ahead of the database: after the disk is back, the same batch opens the incident."""
    path = tmp_path / "rpkival.sqlite"
    at = desk([VRP], OWN, database=open_database(path))
    other = sqlite3.connect(path)
    other.execute("CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(FAIL, 'disk is full'); END")
    other.commit()
    rows = batch([("192.0.2.0/25", 64500, BAD, 1.0)])

    with pytest.raises(StateError, match="disk is full"):
        at.monitor.process(rows, 1.0)
    assert at.store.list() == []

    other.execute("DROP TRIGGER full")
    other.commit()
    other.close()
    assert [change.change for change in at.monitor.process(rows, 2.0)] == ["opened"]
    assert at.told() == ["incident.opened"]
    at.database.close()


def test_pages_of_incidents(desk: Desk) -> None:
    """`before` goes on where a page ended; `get` finds one; an acknowledgement outlives later changes."""
    at = desk([VRP], OWN)
    for number in range(5):
        at.at(number, f"192.0.2.{number}/32", 64500, BAD)

    page = at.store.list(limit=2)
    rest = at.store.list(before=page[-1].id)

    assert [i.prefix for i in page + rest] == [f"192.0.2.{number}/32" for number in (4, 3, 2, 1, 0)]
    assert at.store.get(page[0].id) == page[0]
    assert at.store.get("inc_nothing") is None
    assert at.store.acknowledge(page[0].id, 77)
    assert not at.store.acknowledge("inc_nothing", 77)
    at.at(9, page[0].prefix, 64500, None)
    assert at.store.get(page[0].id).acknowledged_at == 77
    assert at.store.get(page[0].id).state == "resolved"


def test_a_feed_that_speaks_of_the_future(desk: Desk, batch: Callable[..., RouteBatch]) -> None:
    """A time beyond now counts as now, so that what the peer says later is still news."""
    at = desk([VRP], OWN)
    at.monitor.process(batch([("192.0.2.0/25", 64500, BAD, 1e300)]), 10.0)

    assert at.store.list()[0].last_seen == 10
    assert at.at(11, "192.0.2.0/25", 64500, None) == ["resolved 192.0.2.0/25 AS64666"]


def test_there_is_a_bound_on_incidents(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hijacker that invents an origin for each announcement fills neither memory nor disk; older cases live on."""
    monkeypatch.setattr(monitor, "MAX_UNSETTLED_INCIDENTS", 3)
    at = desk([VRP], OWN)

    for number in range(10):
        at.at(number, "192.0.2.0/25", number, [number, 64600 + number])

    assert at.store.counts() == {"open": 3, "resolved": 0}
    assert at.at(20, "192.0.2.0/25", 0, None) == ["resolved 192.0.2.0/25 AS64600"]


def test_two_collectors_are_two_holders(desk: Desk, batch: Callable[..., RouteBatch]) -> None:
    """The same peer at two collectors has two sessions; both must have withdrawn."""
    at = desk([VRP], OWN)
    for collector in ("rrc00", "rrc01"):
        at.monitor.process(batch([("192.0.2.0/25", 64500, BAD, 1.0)], collector), 1.0)

    assert at.at(2, "192.0.2.0/25", 64500, None) == []
    assert at.store.list()[0].observed.collectors == ("rrc00", "rrc01")
    assert at.store.list()[0].observed.peer_count == 1
