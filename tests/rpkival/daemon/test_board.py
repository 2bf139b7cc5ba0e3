"""The payload in force: over restarts, over damage, over a disk that refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from rpkival.daemon.board import Board
from rpkival.daemon.guarding import Held, release
from rpkival.daemon.job import Outcome
from rpkival.errors import StateError
from rpkival.history.store import History
from rpkival.payload.guard import Thresholds
from rpkival.payload.payload import Aspa, Payload
from rpkival.payload.snapshot import SNAPSHOT_NAME, Snapshot
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.repository.attempts import FetchOutcome
from rpkival.repository.rrdp import RrdpResult
from rpkival.repository.rsync import RsyncResult
from rpkival.storage import open_database
from rpkival.validation.report import Counts, Rejection, RenamedManifest, Report, TrustAnchorReport
from web.view import View

OUTCOME = Outcome(Payload(Vrps.of([Vrp("192.0.2.0/24", 24, 64496, "lab")])), Report(1000, (), (), ()), 1000.0, 1001.0)


def expiring(expires: int) -> Vrps:
    """One VRP of the trust anchor `lab`."""
    return Vrps.of([Vrp("192.0.2.0/24", 24, 64496, "lab", expires)])


def board_in(directory: Path) -> tuple[Board, View, list[int]]:
    """A board, its page, and the serials that listeners were told of."""
    view, told = View(), list[int]()
    board = Board(directory, view, lambda: told.append(board.cache.serial))
    return board, view, told


async def test_an_outcome_is_in_force_everywhere(tmp_path: Path) -> None:
    """Routers, page and listeners get the same set."""
    board, view, told = board_in(tmp_path)

    await board.take(OUTCOME)

    assert list(board.cache.vrps) == list(OUTCOME.payload.vrps)
    assert view.snapshot is not None
    assert view.index is not None
    assert (view.snapshot.generated, told) == (1000, [board.cache.serial])


async def test_a_fetch_that_failed_says_with_what(tmp_path: Path) -> None:
    """The status of HTTP or the exit code of rsync; of one that went well, neither."""
    board, view, _ = board_in(tmp_path)
    fetches = (
        RrdpResult("https://x.example/n.xml", "It is gone.", 1.0, 0, status=410),
        RsyncResult("rsync://x.example/m/", "It is down.", 10, 1.0, None),
        RsyncResult("rsync://y.example/m/", None, 0, 1.0, None),
        FetchOutcome("https://x.example/ta.cer", "https", "It is away.", 1.0),
    )
    await board.take(replace(OUTCOME, fetches=fetches))
    assert view.validation is not None
    assert [fetch.status for fetch in view.validation.fetches] == [410, 10, None, None]


async def test_a_manifest_under_another_name_is_logged(tmp_path: Path) -> None:
    """A warning for each."""
    board, _, _ = board_in(tmp_path)
    renamed = RenamedManifest("lab", "rsync://x.example/a/old.mft", "rsync://x.example/a/new.mft")
    with capture_logs() as logs:
        await board.take(replace(OUTCOME, report=replace(OUTCOME.report, renamed_manifests=(renamed,))))
    (entry,) = (each for each in logs if each["event"] == "manifest_renamed")
    assert (entry["log_level"], entry["before"], entry["now"]) == ("warning", renamed.before, renamed.now)


async def test_a_restart_goes_unnoticed(tmp_path: Path) -> None:
    """Session, serial and data are what they were, before any validation."""
    board, _, _ = board_in(tmp_path)
    await board.take(OUTCOME)
    more = Vrps.of([*OUTCOME.payload.vrps, Vrp("198.51.100.0/24", 24, 64497, "lab")])
    await board.take(replace(OUTCOME, payload=Payload(more)))

    again, view, told = board_in(tmp_path)
    await again.restore(1000.0)

    assert (again.cache.session_id, again.cache.serial) == (board.cache.session_id, board.cache.serial)
    assert list(again.cache.vrps) == list(more)
    assert view.snapshot is not None
    assert told


async def test_the_same_payload_keeps_its_serial(tmp_path: Path) -> None:
    """Where nothing changed, routers hear nothing; the page knows that it is fresh."""
    board, view, _ = board_in(tmp_path)
    await board.take(OUTCOME)
    serial = board.cache.serial

    await board.take(replace(OUTCOME, started=2000.0, finished=2001.0))

    assert board.cache.serial == serial
    assert view.snapshot is not None
    assert view.snapshot.generated == 2000


async def test_renewed_times_count(tmp_path: Path) -> None:
    """The same VRPs signed for longer keep their serial and hold for longer."""
    board, _, _ = board_in(tmp_path)
    await board.take(replace(OUTCOME, payload=Payload(expiring(2000))))
    serial = board.cache.serial
    await board.take(replace(OUTCOME, payload=Payload(expiring(3000))))

    await board.expire(2500.0)

    assert (len(board.cache.vrps), board.cache.serial) == (1, serial)


async def test_what_expires_is_taken_back_without_any_validation(tmp_path: Path) -> None:
    """Signed dates hold even where validation hangs; routers get a delta."""
    board, view, told = board_in(tmp_path)
    await board.take(replace(OUTCOME, payload=Payload(expiring(2000))))
    serial = board.cache.serial

    await board.expire(2000.0)

    assert (len(board.cache.vrps), board.cache.serial) == (0, serial + 1)
    assert view.snapshot is not None
    assert len(view.snapshot.vrps) == 0
    assert len(told) == 2


async def test_what_expired_while_nobody_ran_is_not_served_again(tmp_path: Path) -> None:
    """A restart after a long time begins with what still holds, under a new serial."""
    board, _, _ = board_in(tmp_path)
    await board.take(replace(OUTCOME, payload=Payload(expiring(2000))))

    again, _, _ = board_in(tmp_path)
    await again.restore(5000.0)

    assert (len(again.cache.vrps), again.cache.serial) == (0, board.cache.serial + 1)


@pytest.mark.parametrize(
    "lost",
    [TrustAnchorReport("lab", "", Counts()), TrustAnchorReport("lab", "rsync://x.example/lab.cer", Counts(), False)],
    ids=["out of reach", "too large"],
)
async def test_a_trust_anchor_that_is_not_known_whole_takes_nothing_away(
    tmp_path: Path, lost: TrustAnchorReport
) -> None:
    """Its VRPs stay until they expire; those of the others are what was validated."""
    board, _, _ = board_in(tmp_path)
    both = Vrps.of([*expiring(2000), Vrp("198.51.100.0/24", 24, 64497, "other", 2000)])
    await board.take(replace(OUTCOME, payload=Payload(both)))
    fine = TrustAnchorReport("other", "rsync://rpki.example/repository/other.cer", Counts())

    await board.take(replace(OUTCOME, payload=Payload.empty(), report=Report(1000, (lost, fine), (), ())))

    assert list(board.cache.vrps) == list(expiring(2000))


async def test_nothing_fetched_is_not_an_empty_set(tmp_path: Path) -> None:
    """A first start without the Internet has no data; it does not have the data that there are no VRPs."""
    board, view, told = board_in(tmp_path)
    out_of_reach = TrustAnchorReport("lab", "", Counts())
    outcome = replace(
        OUTCOME,
        payload=Payload.empty(),
        report=Report(1000, (out_of_reach,), (), ()),
        fetch_errors=("rsync: no route.",),
    )

    await board.take(outcome)

    assert not board.cache.ready
    assert (view.snapshot, told) == (None, [])
    assert "lab" in view.troubles["trust anchors"]
    assert "rsync: no route." in view.troubles["trust anchors"]
    assert not (tmp_path / SNAPSHOT_NAME).exists()


async def test_a_damaged_snapshot_is_a_new_beginning(tmp_path: Path) -> None:
    """What cannot be read is not served."""
    board, _, _ = board_in(tmp_path)
    await board.take(OUTCOME)
    content = bytearray((tmp_path / SNAPSHOT_NAME).read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / SNAPSHOT_NAME).write_bytes(content)

    again, view, _ = board_in(tmp_path)
    await again.restore(1000.0)

    assert not again.cache.ready
    assert view.snapshot is None


async def test_no_restart_gives_a_known_serial_to_other_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk, a crash, other data: routers that have the serial must learn of it, so the session is a new one."""
    board, view, _ = board_in(tmp_path)
    await board.take(replace(OUTCOME, payload=Payload(expiring(2000))))

    def full(path: Path, snapshot: Snapshot) -> None:
        raise StateError("The disk is full.")

    monkeypatch.setattr("rpkival.rtr.kept.save_snapshot", full)
    await board.take(replace(OUTCOME, payload=Payload.empty()))
    assert "disk is full" in view.troubles["snapshot"]

    again, _, _ = board_in(tmp_path)
    await again.restore(1000.0)
    assert not again.cache.ready


async def test_a_snapshot_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    """Routers are served from memory."""
    board, view, told = board_in(tmp_path / "absent")

    await board.take(OUTCOME)

    assert told
    assert view.snapshot is not None


MANY = Payload(
    Vrps.of(Vrp(f"10.0.{n}.0/24", 24, 64496, "lab", 9000, f"rsync://lab.example/ca/{n}.roa") for n in range(200)),
    (Aspa(64496, (64497,), "lab", 9000, "rsync://lab.example/ca/a.asa"),),
)
WHOLE = replace(OUTCOME, payload=MANY, report=Report(1000, (TrustAnchorReport("lab", "rsync://x/", Counts()),), (), ()))
BROKEN = replace(
    WHOLE,
    payload=Payload.empty(),
    report=replace(
        WHOLE.report, rejections=(Rejection("rsync://lab.example/ca/ca.mft", "", "", "It is missing.", "lab"),)
    ),
)


async def test_a_sudden_loss_is_held_told_once_and_released(tmp_path: Path) -> None:
    """Routers keep what they have; page and alert say why; an operator's word lets it go."""
    view, alerts = View(), list[Held]()
    database = open_database(None)
    view.history = History(database)
    board = Board(tmp_path, view, lambda: None, thresholds=Thresholds(), on_held=alerts.append)
    await board.take(WHOLE)
    serial = board.cache.serial
    await board.take(BROKEN)
    await board.take(BROKEN)

    assert len(board.cache.vrps) == 200
    (held,) = alerts
    assert view.holds == held.holds
    assert held.id in view.troubles["guard"]
    assert board.cache.serial == serial + 1  # the ASPA is gone; the guard holds VRPs
    await board.release(1100.0)
    assert len(board.cache.vrps) == 200

    release(tmp_path, held.id)
    await board.release(1100.0)
    assert len(board.cache.vrps) == 0
    assert view.holds == ()
    assert "guard" not in view.troubles
    causes = {row.change.cause for row in view.history.list(limit=1000)}
    assert causes == {"point-failed"}
    database.close()


async def test_what_holders_withdraw_goes_and_is_kept_in_the_history(tmp_path: Path) -> None:
    """No guard stands in the way of a manifest."""
    view = View()
    database = open_database(None)
    view.history = History(database)
    board = Board(tmp_path, view, lambda: None, thresholds=Thresholds())
    await board.take(WHOLE)
    assert view.history.list() == []  # the first payload is no change
    await board.take(replace(BROKEN, report=WHOLE.report))
    assert len(board.cache.payload) == 0
    rows = view.history.list(limit=1000)
    assert len(rows) == 201
    assert {row.change.cause for row in rows} == {"withdrawn"}
    assert {row.serial for row in rows} == {board.cache.serial}
    database.close()


async def test_everything_expires(tmp_path: Path) -> None:
    """ASPAs too, with or without validation."""
    board, _, _ = board_in(tmp_path)
    await board.take(WHOLE)
    assert len(board.cache.payload) == 201
    await board.expire(9000.0)
    assert len(board.cache.payload) == 0
