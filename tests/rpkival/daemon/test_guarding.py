"""The guard over restarts and releases."""

from __future__ import annotations

from pathlib import Path

import pytest

from rpkival.config import Validation
from rpkival.daemon.guarding import GUARD_NAME, Guarding, read_held, release
from rpkival.daemon.job import run
from rpkival.daemon.lab import LabRepository
from rpkival.daemon.live import job_of
from rpkival.errors import StateError, UsageError
from rpkival.payload.causes import Inquiry
from rpkival.payload.guard import Thresholds
from rpkival.payload.payload import Aspa, Payload
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.validation.report import Rejection, Report

ALL = Payload(
    Vrps.of(Vrp(f"10.0.{n}.0/24", 24, 64496, "ripe", 5000, f"rsync://a/ca/{n}.roa") for n in range(200)),
)
FAILED = Inquiry(Report(1000, (), (Rejection("rsync://a/ca/ca.mft", "", "", "It is missing.", "ripe"),), ()), (), 1000)


def guard(directory: Path) -> Guarding:
    return Guarding(directory, Thresholds())


def test_what_is_held_is_held_after_a_restart(tmp_path: Path) -> None:
    """With the same identifier, for it is the same incident."""
    first = guard(tmp_path)
    assert len(first.weigh(ALL, Payload.empty(), FAILED, 1000.0)) == 200
    assert "200 VRPs of ripe (100%)" in first.held.sentence
    assert first.held.sentence.endswith(f" If the loss is meant, release it: rpkival guard release {first.held.id}")

    second = guard(tmp_path)
    assert second.held == first.held == read_held(tmp_path)
    assert len(second.weigh(ALL, Payload.empty(), FAILED, 1600.0)) == 200
    assert (second.held.id, second.held.since) == (first.held.id, 1000.0)


def test_it_ends_when_all_is_back(tmp_path: Path) -> None:
    """By itself, and is then forgotten."""
    guarding = guard(tmp_path)
    guarding.weigh(ALL, Payload.empty(), FAILED, 1000.0)
    guarding.weigh(ALL, ALL, FAILED, 1600.0)
    assert guarding.held.holds == read_held(tmp_path).holds == ()
    assert guarding.held.sentence == ""


def test_an_operator_releases_what_is_held_and_nothing_else(tmp_path: Path) -> None:
    """By its identifier: a release that comes late must not release what came since."""
    guarding = guard(tmp_path)
    with pytest.raises(UsageError, match="Nothing is held"):
        release(tmp_path, "hold_0")
    guarding.weigh(ALL, Payload.empty(), FAILED, 1000.0)
    with pytest.raises(UsageError, match="guard show"):
        release(tmp_path, "hold_0")
    assert not guarding.release_requested()

    release(tmp_path, guarding.held.id)
    assert guarding.release_requested()
    assert not guarding.release_requested()
    guarding.let_go()
    assert read_held(tmp_path).holds == ()


def test_small_losses_of_a_day_add_up(tmp_path: Path) -> None:
    """Nine and nine of two hundred go through, the next nine are too many; a release begins to count anew."""
    guarding = Guarding(tmp_path, Thresholds(of_anchor=0.1, of_all=0.1, least=10))
    served = ALL
    for at, left in ((1000.0, 191), (1600.0, 182)):
        new = Payload(Vrps.of(list(ALL.vrps)[:left]))
        served = guarding.weigh(served, new, FAILED, at)
        assert len(served) == left
    less = Payload(Vrps.of(list(ALL.vrps)[:173]))
    assert len(guarding.weigh(served, less, FAILED, 2200.0)) == 182
    guarding.let_go()
    assert len(guarding.weigh(served, less, FAILED, 2800.0)) == 173


def test_small_losses_of_aspas_add_up_by_themselves(tmp_path: Path) -> None:
    """Beside those of VRPs, which they must not push over the edge; over a restart, too."""
    aspas = Payload(
        ALL.vrps, tuple(Aspa(number, (1,), "ripe", 5000, f"rsync://a/ca/{number}.asa") for number in range(100))
    )
    thresholds = Thresholds(of_anchor=0.1, of_all=0.1, least=1000, least_of_others=5)
    served = aspas
    for at, left in ((1000.0, 94), (1600.0, 91)):
        new = Payload(Vrps.of(list(ALL.vrps)[:left]), aspas.aspas[:left])
        served = Guarding(tmp_path, thresholds).weigh(served, new, FAILED, at)
        assert len(served.aspas) == left
    guarding = Guarding(tmp_path, thresholds)
    served = guarding.weigh(served, Payload(ALL.vrps, aspas.aspas[:89]), FAILED, 2200.0)
    assert len(served.aspas) == 91
    assert "2 ASPAs of ripe (11%)" in guarding.held.sentence
    assert "VRPs" not in guarding.held.sentence


def test_without_thresholds_nothing_is_held(tmp_path: Path) -> None:
    """`[guard] enabled = false`."""
    guarding = Guarding(tmp_path, None)
    assert len(guarding.weigh(ALL, Payload.empty(), FAILED, 1000.0)) == 0
    assert not (tmp_path / GUARD_NAME).exists()


def test_a_damaged_state_is_told_and_holds_nothing(tmp_path: Path) -> None:
    """It must not keep the process from starting."""
    (tmp_path / GUARD_NAME).write_text("{")
    with pytest.raises(StateError, match="remove it"):
        read_held(tmp_path)
    assert guard(tmp_path).held.holds == ()


@pytest.mark.parametrize("gone", [True, False], ids=["missing", "damaged"])
@pytest.mark.parametrize("kind", ["roa", "crl", "mft"])
def test_whatever_breaks_a_publication_point_is_no_word_of_its_holder(tmp_path: Path, kind: str, *, gone: bool) -> None:
    """By a real validation of a real tree: one file of a point costs all of it (RFC 9286 section 6), which is held."""
    LabRepository(tmp_path).close()
    [locator] = tmp_path.glob("*.tal")
    job = job_of(Validation(tals=(locator,), repository_dir=tmp_path / "rsync", offline=True), tmp_path)
    before = run(job)
    uri = next(iter(before.payload.vrps)).source
    signed = tmp_path / "rsync" / uri.removeprefix("rsync://")
    victim = signed if kind == "roa" else next(signed.parent.glob(f"*.{kind}"))
    if gone:
        victim.unlink()
    else:
        victim.write_bytes(victim.read_bytes()[:-1])

    after = run(job)
    assert len(after.payload.vrps) < len(before.payload.vrps)
    guarding = Guarding(tmp_path, Thresholds(least=1))
    inquiry = Inquiry(after.report, (), after.finished)
    kept = guarding.weigh(before.payload, after.payload, inquiry, after.finished)
    assert set(kept.vrps) == set(before.payload.vrps)
