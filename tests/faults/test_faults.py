"""What the world does to a validator. After each fault the next run is right, and no run had less for it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rpkival.lab import rrdp_misbehaviour
from rpkival.repository.store import Store
from rpkival.validation.publication_point import PublicationPoint
from rpkival.validation.workers import Workers

ROOT = Path(__file__).parents[2]


def assert_recovered(world: Any) -> None:
    """The next run has all of the present version, and nothing to complain of."""
    outcome = world.run()
    assert (outcome.vrps, outcome.problems, outcome.trouble) == (world.tree.now_valid, (), None)


def test_the_network_goes_in_the_middle_of_a_snapshot(world: Any) -> None:
    """The repository stays at its former version as a whole; the other one goes on."""
    tree = world.tree
    tree.rrdp.publication.begin_session()
    tree.publish()
    tree.rrdp.publication.deltas.clear()
    tree.rrdp.misbehave[tree.rrdp.publication.snapshot_path] = rrdp_misbehaviour.cut_short
    outcome = world.run()
    assert outcome.vrps == tree.vrps(1, 1) | tree.vrps(2, 2)
    assert any("snapshot" in problem for problem in outcome.problems)
    tree.rrdp.misbehave.clear()
    assert_recovered(world)


def test_the_network_goes_in_the_middle_of_a_delta(world: Any) -> None:
    """The snapshot is tried, and where that is cut too nothing of either is taken."""
    tree = world.tree
    tree.publish()
    publication = tree.rrdp.publication
    tree.rrdp.misbehave[publication.delta_path(publication.serial)] = rrdp_misbehaviour.cut_short
    tree.rrdp.misbehave[publication.snapshot_path] = rrdp_misbehaviour.cut_short
    assert world.run().vrps == tree.vrps(1, 1) | tree.vrps(2, 2)
    tree.rrdp.misbehave.clear()
    assert_recovered(world)


def test_the_whole_network_is_gone(world: Any) -> None:
    """Nobody listens on any port: everything is as it was, and each repository is named."""
    tree = world.tree
    ca_file = tree.ca_file.read_bytes()
    tree.close()
    tree.ca_file = tree.tal.with_name("ca.pem")
    tree.ca_file.write_bytes(ca_file)
    outcome = world.run()
    assert outcome.vrps == tree.vrps(1, 1) | tree.vrps(2, 1)
    assert len(outcome.problems) == 3
    assert all("refused" in problem or "connect" in problem.lower() for problem in outcome.problems)


def test_names_are_not_resolved(world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the resolver here, and by rsync's own, as it tells of it."""
    tree = world.tree
    tree.publish()

    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    script = tmp_path / "bin" / "rsync"
    script.parent.mkdir()
    said = "rsync: getaddrinfo: rpki.example.net 873: Temporary failure in name resolution"
    script.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 10\n")
    script.chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", fail)
        patch.setenv("PATH", f"{script.parent}:{os.environ['PATH']}")
        outcome = world.run()
    assert outcome.vrps == tree.vrps(1, 1) | tree.vrps(2, 1)
    assert all("name resolution" in problem for problem in outcome.problems)
    assert len(outcome.problems) == 3
    assert_recovered(world)


@pytest.mark.parametrize("kilobytes", [0, 4, 40])
def test_the_disk_is_full(world: Any, kilobytes: int) -> None:
    """No file may grow beyond the store's present size and so much: what is printed is one version or the other."""
    tree = world.tree
    largest = max(path.stat().st_size for path in world.store.rglob("*") if path.is_file())
    tree.publish()
    before = ("sh", "-c", f'ulimit -f {largest // 512 + kilobytes * 2}; exec "$@"', "sh")
    code, vrps = world.run_command(before)
    assert code == 0
    assert kilobytes or vrps != tree.now_valid  # or else there was no fault
    for found in (vrps, world.run(offline=True).vrps):
        for member in (1, 2):
            of_member = {vrp for vrp in found if vrp[1].startswith(f"10.{member}.")}
            assert of_member in (tree.vrps(member, 1), tree.vrps(member, 2))
    assert_recovered(world)


@pytest.mark.parametrize("jump", ["+9d", "-2d"])
@pytest.mark.interop
def test_the_clock_jumps_and_comes_back(world: Any, faketime: str, jump: str) -> None:
    """Nine days on all manifests still hold; two days back nothing holds yet, which is no loss for the run after."""
    tree = world.tree
    code, vrps = world.run_command((faketime, "-f", jump))
    assert code in {0, 3}
    if jump.startswith("+"):
        assert vrps == tree.now_valid
    tree.publish()
    assert_recovered(world)


@pytest.mark.interop
def test_a_failure_at_a_wrong_time_keeps_nobody_away(world: Any, faketime: str) -> None:
    """It was noted a year ahead, together with a pause that would end then."""
    tree = world.tree
    notification = "/notification.xml"
    tree.rrdp.misbehave[notification] = rrdp_misbehaviour.too_many_requests
    world.run_command((faketime, "-f", "+20d"))
    tree.rrdp.misbehave.clear()
    tree.publish()
    assert_recovered(world)


def test_a_worker_is_killed(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever there are when the first result is taken: others take their place, and all is there."""
    killed: list[int] = []
    take = Workers.take

    def kill_and_take(pool: Workers) -> PublicationPoint:
        for child in () if killed else multiprocessing.active_children():
            assert child.pid is not None
            os.kill(child.pid, signal.SIGKILL)
            killed.append(child.pid)
        return take(pool)

    world.tree.publish()
    monkeypatch.setattr(Workers, "take", kill_and_take)
    outcome = world.run(workers=2)
    assert killed
    assert (outcome.vrps, outcome.problems) == (world.tree.now_valid, ())
    assert_recovered(world)


def test_the_store_is_damaged(world: Any) -> None:
    """Its file is overwritten with noise: it is begun anew, and says so."""
    for path in world.store.glob("*"):
        if path.is_file() and path.stat().st_size > 4096:
            path.write_bytes(os.urandom(path.stat().st_size))
    outcome = world.run()
    assert outcome.vrps == world.tree.now_valid
    assert outcome.trouble
    assert_recovered(world)


def test_another_process_holds_the_store(world: Any) -> None:
    """A second validation reads and writes beside it."""
    store = Store(world.store)
    try:
        world.tree.publish()
        assert_recovered(world)
    finally:
        store.close()


def test_killed_at_any_instant(tmp_path: Path) -> None:
    """Ten times; `benchmarks/validation_crashes.py` tries 200."""
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks/validation_crashes.py", tmp_path, "10"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "nothing lost" in done.stdout
