"""The history: each change with its cause, found again by time, prefix and AS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rpkival.errors import PrefixError
from rpkival.history import store
from rpkival.history.record import Change, changes_between
from rpkival.history.store import History
from rpkival.payload.causes import Inquiry
from rpkival.payload.payload import Aspa, Payload, RouterKey
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.storage import open_database
from rpkival.validation.report import Rejection, Report

OLD = Payload(
    Vrps.of(
        [
            Vrp("192.0.2.0/24", 24, 64496, "ripe", 2000, "rsync://a/x/1.roa"),
            Vrp("2001:db8::/32", 48, 64496, "ripe", 900, "rsync://a/x/2.roa"),
            Vrp("198.51.100.0/24", 24, 64500, "ripe", 2000, "rsync://a/x/3.roa"),
        ]
    ),
    (Aspa(64496, (64497,), "ripe", 2000, "rsync://a/x/4.asa"),),
    (RouterKey(64496, b"k" * 20, b"info", "ripe", 2000, "rsync://a/x/5.cer"),),
)
NEW = Payload(
    Vrps.of(
        [
            Vrp("198.51.100.0/24", 24, 64500, "ripe", 2000, "rsync://a/x/3.roa"),
            Vrp("192.0.2.128/25", 25, 64501, "ripe", 3000, "rsync://a/x/6.roa"),
        ]
    ),
    (Aspa(64496, (64497, 64498), "ripe", 2000, "rsync://a/x/7.asa"),),
)
REVOKED = Rejection("rsync://a/x/1.roa", "", "RFC 6487", "The certificate with serial number 1 is revoked.", "ripe")
INQUIRY = Inquiry(Report(1000, (), (REVOKED,), ()), (), 1000)


@pytest.fixture
def history() -> Iterator[History]:
    database = open_database(None)
    yield History(database)
    database.close()


def test_every_change_has_its_cause_and_its_object() -> None:
    """Revoked, expired, withdrawn, added: as the objects and the report have it."""
    told = {
        (each.kind, each.prefix or each.value, each.cause, each.source) for each in changes_between(OLD, NEW, INQUIRY)
    }
    assert told == {
        ("vrp", "192.0.2.0/24", "revoked", "rsync://a/x/1.roa"),
        ("vrp", "2001:db8::/32", "expired", "rsync://a/x/2.roa"),
        ("vrp", "192.0.2.128/25", "added", "rsync://a/x/6.roa"),
        ("aspa", "AS64497", "withdrawn", "rsync://a/x/4.asa"),
        ("aspa", "AS64497 AS64498", "added", "rsync://a/x/7.asa"),
        ("router-key", (b"k" * 20).hex(), "withdrawn", "rsync://a/x/5.cer"),
    }
    assert list(changes_between(NEW, NEW, INQUIRY)) == []


def test_what_was_kept_is_found(history: History) -> None:
    """By time, by AS, by a prefix that covers or is covered, page by page."""
    assert history.add(changes_between(OLD, NEW, INQUIRY), 1000.0, 7) == 6
    assert history.add(changes_between(NEW, OLD, INQUIRY), 2000.0, 8) == 6

    everything = history.list()
    assert [each.serial for each in everything] == [8] * 6 + [7] * 6
    assert {each.change for each in everything if each.serial == 7} == set(changes_between(OLD, NEW, INQUIRY))
    assert len(history.list(since=1500)) == 6
    assert history.list(limit=2) + history.list(before=everything[1].number) == everything
    assert {each.change.prefix for each in history.list(prefix="192.0.2.128/25")} == {"192.0.2.0/24", "192.0.2.128/25"}
    assert {each.change.prefix for each in history.list(prefix="192.0.0.0/16")} == {"192.0.2.0/24", "192.0.2.128/25"}
    assert history.list(prefix="::/0") == history.list(prefix="2001:db8::/32")
    assert {each.change.prefix for each in history.list(asn=64501)} == {"192.0.2.128/25"}
    assert {each.change.cause for each in history.list(cause="revoked")} == {"revoked"}
    with pytest.raises(PrefixError):
        history.list(prefix="192.0.2.1/24")


def test_it_is_bounded(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    """By age, by number, and by number of one change."""
    change = Change(True, "vrp", "10.0.0.0/8", 8, 1, "", "ripe", "", "added", "")
    monkeypatch.setattr(store, "MAX_HISTORY_ROWS_PER_CHANGE", 3)
    monkeypatch.setattr(store, "MAX_HISTORY_ROWS", 4)
    for at in (1.0, 2.0, 3.0):
        assert history.add([change] * 5, at, int(at)) == 3
    assert history.prune(0) == 5
    assert [each.at for each in history.list()] == [3.0, 3.0, 3.0, 2.0]
    assert history.prune(2.5) == 1
