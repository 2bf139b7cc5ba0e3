"""Local exceptions in the process: followed, kept over faults and restarts, never in the way of what is signed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rpkival.daemon.board import Board
from rpkival.daemon.job import Outcome
from rpkival.daemon.local_exceptions import LocalExceptions
from rpkival.errors import FormatError, UsageError
from rpkival.history.store import History
from rpkival.payload.exceptions.exceptions import Number
from rpkival.payload.guard import Thresholds
from rpkival.payload.payload import Payload
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.storage import open_database
from rpkival.validation.report import Report
from web.view import View

SIGNED = Vrps.of(
    [Vrp("192.0.2.0/24", 24, 64496, "lab", 9000), Vrp("198.51.100.0/24", 24, 64497, "lab", 5000, "rsync://a/b.roa")]
)
OUTCOME = Outcome(Payload(SIGNED), Report(1000, (), (), ()), 1000.0, 1001.0)


def write(path: Path, *, drop: int | str, add: str, **more: dict[str, object]) -> Path:
    """A SLURM file that takes away an origin and adds a prefix of AS 1, and `more` assertions."""
    path.write_text(
        json.dumps(
            {
                "slurmVersion": 1,
                "validationOutputFilters": {"prefixFilters": [{"asn": drop}], "bgpsecFilters": []},
                "locallyAddedAssertions": {
                    "prefixAssertions": [{"asn": 1, "prefix": add}, *more.values()],
                    "bgpsecAssertions": [],
                },
            }
        )
    )
    return path


def broken(path: Path) -> None:
    """What an editor may leave."""
    path.write_text("{")


class Process:
    """A board with its exceptions, as `rpkival up` has them; a second one is the process after a restart."""

    def __init__(self, directory: Path, *files: Path, thresholds: Thresholds | None = None) -> None:
        self.view = View()
        self.local = LocalExceptions(files, directory, self.view)
        self.board = Board(directory, self.view, lambda: None, local=self.local, thresholds=thresholds)

    @property
    def served(self) -> list[str]:
        """The prefixes that routers have."""
        return [vrp.prefix for vrp in self.board.cache.vrps]

    async def look(self) -> None:
        """As often as it takes for a change to stand still."""
        for _ in range(2):
            if self.local.look():
                await self.board.apply_exceptions(1500.0)


@pytest.fixture
def slurm(tmp_path: Path) -> Path:
    """Takes away AS 64496, adds 10.0.0.0/8."""
    return write(tmp_path / "slurm.json", drop=64496, add="10.0.0.0/8")


async def test_what_is_served_has_the_exceptions(tmp_path: Path, slurm: Path) -> None:
    """And the view tells what they do."""
    process = Process(tmp_path, slurm)
    await process.board.take(OUTCOME)

    assert process.served == ["10.0.0.0/8", "198.51.100.0/24"]
    state = process.view.exceptions
    assert state is not None
    assert (state.filtered, state.added) == ((Number("lab", 1),), (Number(str(slurm), 1),))
    assert state.problem == ""


async def test_a_change_is_in_force_without_a_validation(tmp_path: Path, slurm: Path) -> None:
    """As a new serial, and in the history as what it is."""
    database = open_database(None)
    process = Process(tmp_path, slurm)
    process.view.history = History(database)
    await process.board.take(OUTCOME)
    serial = process.board.cache.serial

    write(slurm, drop=64497, add="11.0.0.0/8")
    await process.look()

    assert process.served == ["11.0.0.0/8", "192.0.2.0/24"]
    assert process.board.cache.serial == serial + 1
    rows = [(row.change.prefix, row.change.cause) for row in process.view.history.list()]
    database.close()
    assert sorted(rows) == [
        ("10.0.0.0/8", "exception"),
        ("11.0.0.0/8", "added"),
        ("192.0.2.0/24", "added"),
        ("198.51.100.0/24", "exception"),
    ]


async def test_a_broken_file_keeps_the_last_good_ones(tmp_path: Path, slurm: Path) -> None:
    """Also over later validations; once it is mended, all is well."""
    process = Process(tmp_path, slurm)
    await process.board.take(OUTCOME)

    write(slurm, drop="AS1", add="11.0.0.0/8")
    await process.look()
    await process.board.take(OUTCOME)

    assert process.served == ["10.0.0.0/8", "198.51.100.0/24"]
    assert "$.validationOutputFilters.prefixFilters[0].asn" in process.view.troubles["exceptions"]
    assert process.view.exceptions is not None
    assert "prefixFilters[0].asn" in process.view.exceptions.problem

    write(slurm, drop=64496, add="11.0.0.0/8")
    await process.look()
    assert process.served == ["11.0.0.0/8", "198.51.100.0/24"]
    assert "exceptions" not in process.view.troubles
    assert process.view.exceptions.problem == ""


async def test_a_restart_goes_unnoticed(tmp_path: Path, slurm: Path) -> None:
    """Session, serial and data are what they were; what was filtered is not forgotten."""
    before = Process(tmp_path, slurm)
    await before.board.take(OUTCOME)
    after = Process(tmp_path, slurm)
    await after.board.restore(1000.0)

    assert (after.served, after.board.cache.serial) == (before.served, before.board.cache.serial)
    assert after.board.cache.session_id == before.board.cache.session_id
    write(slurm, drop=7, add="11.0.0.0/8")
    await after.look()
    assert after.served == ["11.0.0.0/8", "192.0.2.0/24", "198.51.100.0/24"]


async def test_exceptions_that_changed_meanwhile_are_a_change(tmp_path: Path, slurm: Path) -> None:
    """Routers that come back with the old serial get a delta; without any files all is as it was signed."""
    before = Process(tmp_path, slurm)
    await before.board.take(OUTCOME)
    write(slurm, drop=64497, add="10.0.0.0/8")
    after = Process(tmp_path, slurm)
    await after.board.restore(1000.0)

    assert after.served == ["10.0.0.0/8", "192.0.2.0/24"]
    assert after.board.cache.serial == before.board.cache.serial + 1
    assert after.board.cache.deltas == (before.board.cache.serial,)

    without = Process(tmp_path)
    await without.board.restore(1000.0)
    assert without.served == ["192.0.2.0/24", "198.51.100.0/24"]


async def test_a_restart_with_a_broken_file_has_the_last_good_ones(tmp_path: Path, slurm: Path) -> None:
    """A reboot after a bad edit does not end what routers get."""
    before = Process(tmp_path, slurm)
    await before.board.take(OUTCOME)
    broken(slurm)
    after = Process(tmp_path, slurm)
    await after.board.restore(1000.0)

    assert after.served == before.served
    assert "slurm.json is not a SLURM file" in after.view.troubles["exceptions"]
    assert after.view.exceptions is not None
    assert after.view.exceptions.problem


def test_a_broken_file_without_a_good_one_is_told(tmp_path: Path, slurm: Path) -> None:
    """Before anything is served; the good ones of other files are no good."""
    Process(tmp_path, slurm)
    other = tmp_path / "other.json"
    with pytest.raises(UsageError, match=r"other\.json cannot be read"):
        Process(tmp_path, other)
    other.write_text("{")
    with pytest.raises(FormatError, match=r"other\.json is not a SLURM file"):
        Process(tmp_path, other)


async def test_what_is_lost_beside_the_snapshot_costs_only_what_was_filtered(tmp_path: Path, slurm: Path) -> None:
    """Until the next validation; what was asserted does not stay for ever."""
    before = Process(tmp_path, slurm)
    await before.board.take(OUTCOME)
    (tmp_path / "validated.rpkival").write_bytes(b"damaged")
    write(slurm, drop=7, add="11.0.0.0/8")
    after = Process(tmp_path, slurm)
    await after.board.restore(1000.0)

    assert after.served == ["11.0.0.0/8", "198.51.100.0/24"]


async def test_what_is_signed_expires_under_an_assertion_too(tmp_path: Path) -> None:
    """The assertion stays, by itself."""
    slurm = write(
        tmp_path / "slurm.json", drop=7, add="10.0.0.0/8", asserted={"asn": 64497, "prefix": "198.51.100.0/24"}
    )
    process = Process(tmp_path, slurm)
    await process.board.take(OUTCOME)
    await process.board.expire(6000.0)

    assert process.served == ["10.0.0.0/8", "192.0.2.0/24", "198.51.100.0/24"]
    await process.board.expire(9500.0)
    assert process.served == ["10.0.0.0/8", "198.51.100.0/24"]


async def test_the_guard_weighs_what_is_signed(tmp_path: Path, slurm: Path) -> None:
    """An operator's filter is no loss, however much it takes."""
    everything = Vrps.of([Vrp(f"10.{n}.0.0/16", 16, 64496, "lab") for n in range(200)])
    write(slurm, drop=7, add="192.0.2.0/24")
    process = Process(tmp_path, slurm, thresholds=Thresholds())
    await process.board.take(Outcome(Payload(everything), OUTCOME.report, 1000.0, 1001.0))
    write(slurm, drop=64496, add="192.0.2.0/24")
    await process.look()
    await process.board.take(Outcome(Payload(everything), OUTCOME.report, 2000.0, 2001.0))

    assert process.served == ["192.0.2.0/24"]
    assert process.view.holds == ()
