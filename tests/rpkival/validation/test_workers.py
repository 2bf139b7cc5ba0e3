"""Other processes judge as this one does."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest

from rpkival.errors import StateError
from rpkival.objects.manifest import listed_entries
from rpkival.validation import workers
from rpkival.validation.issuer import Issuer
from rpkival.validation.report import Tally
from rpkival.validation.trust_anchor import open_trust_anchor
from rpkival.validation.walk import validate
from rpkival.validation.workers import Workers, usual_workers

LOCK_IN = workers._lock_in


def test_the_real_tree_gives_the_same_run(real_tree: Any, memory: Any) -> None:
    """Order, counts, times and records, for whole and for broken points."""
    names = sorted(uri for uri in real_tree.files if uri.endswith(".roa"))
    changes: Mapping[str, bytes] = dict.fromkeys(names[10::700], b"broken")
    files = {**real_tree.files, **changes}
    alone = validate([real_tree.tal], memory(files), clock=lambda: real_tree.now)
    seen: list[tuple[int, int]] = []
    together = validate(
        [real_tree.tal],
        memory(files),
        clock=lambda: real_tree.now,
        workers=2,
        on_progress=lambda _, done, known: seen.append((done, known)),
    )
    assert together == alone
    assert {rejection.uri for rejection in alone.rejections} == set(changes)
    assert seen[-1][0] == seen[-1][1]


def test_what_is_missing_or_too_large_is_the_same(lab: Any, memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """No manifest, no file, garbage for a manifest, garbage for a trust anchor."""
    files = lab.files
    del files[f"{lab.alpha.repository}{lab.alpha_roa}"]
    files[f"{lab.beta.repository}beta.mft"] = b"garbage"
    run = validate([lab.tal, lab.tal], memory(files), clock=lambda: lab.now, workers=2)
    assert run == validate([lab.tal, lab.tal], memory(files), clock=lambda: lab.now)
    assert len(run.rejections) == 4


def test_what_waits_is_bounded_in_octets(lab: Any, memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A point that is as large as all may be together waits alone."""
    files = lab.files
    monkeypatch.setattr("rpkival.validation.workers.MAX_POINT_BYTES", 1)
    source = memory(files)
    anchor = open_trust_anchor(lab.tal, source, lambda: lab.now, Tally("lab"))
    assert anchor is not None
    with Workers(1) as pool:
        pool.submit(anchor, files[anchor.manifest], partial(source.read, anchor.place), lab.now)
        assert pool.full
        pool.take()
        assert not pool.full


def test_processes_start_when_there_is_work_for_them(lab: Any, memory: Any) -> None:
    """One at once, which begins meanwhile, and all for many points."""
    anchor = open_trust_anchor(lab.tal, memory(lab.files), lambda: lab.now, Tally("lab"))
    assert anchor is not None

    def processes() -> int:
        return len(set(multiprocessing.active_children()) - before)

    before = set(multiprocessing.active_children())
    with Workers(2) as pool:
        assert processes() == 1
        pool.submit(anchor, None, lambda _name, _digest: None, lab.now)
        assert processes() == 1
        while not pool.full:
            pool.submit(anchor, None, lambda _name, _digest: None, lab.now)
        assert processes() == 2
        while len(pool):
            assert pool.take().rejections
    assert processes() == 0


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system binds no process to processors")
def test_as_many_as_there_are_processors_for_us() -> None:
    """Not as the machine has, of which we may have got few."""
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert usual_workers() == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert usual_workers() == min(len(allowed), 4)


def test_a_decoder_that_panics_costs_one_point(lab: Any, memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the parent looks what to send along; the worker, which does not panic here, misses the files then."""

    class Panic(BaseException):
        """As of the decoder's language."""

    def panic(manifest: bytes) -> dict[str, bytes]:
        if manifest == files[f"{lab.beta.repository}beta.mft"]:
            raise Panic
        return listed_entries(manifest)

    files = lab.files
    monkeypatch.setattr("rpkival.validation.workers.listed_entries", panic)
    run = validate([lab.tal], memory(files), clock=lambda: lab.now, workers=2)
    assert {roa.asn for roa in run.roas} == {64499, 64500, 64502}
    assert {each.uri.removeprefix(lab.beta.repository) for each in run.rejections} == {"beta.crl", lab.beta_roa}


def test_workers_that_die_cost_nothing(lab: Any, memory: Any) -> None:
    """What they were at is judged again."""

    class Killing(memory):  # type: ignore[misc]
        """Kills all workers once, in the midst of it."""

        def manifest(self, place: Any) -> bytes | None:
            if place.manifest.endswith("beta.mft"):
                for child in multiprocessing.active_children():
                    child.kill()
            return super().manifest(place)  # type: ignore[no-any-return]

    run = validate([lab.tal], Killing(lab.files), clock=lambda: lab.now, workers=2)
    assert run == lab.validate()


def _lock_in_and_die_of_beta() -> None:
    """In place of the workers' initializer: whoever judges beta is killed."""
    judge = workers.judge_publication_point

    def die(issuer: Issuer, *rest: Any, **options: Any) -> Any:
        if issuer.manifest.endswith("beta.mft"):
            os.kill(os.getpid(), signal.SIGKILL)
        return judge(issuer, *rest, **options)

    workers.judge_publication_point = die
    LOCK_IN()


def test_a_point_that_kills_its_worker_is_lost_and_named(
    lab: Any, memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And takes no other along."""
    monkeypatch.setattr(workers, "_lock_in", _lock_in_and_die_of_beta)
    run = validate([lab.tal], memory(lab.files), clock=lambda: lab.now, workers=2)
    assert {roa.asn for roa in run.roas} == {64499, 64500, 64502}
    (lost,) = run.rejections
    assert (lost.uri, lost.section) == (f"{lab.beta.repository}beta.mft", "fault of this validator")
    assert "ended the process" in lost.sentence


def _lock_in_and_try_everything() -> None:
    """In place of the workers' initializer: judging tells what a hostile object could do."""

    def attempts(*_: Any, **__: Any) -> Any:
        told = {}
        for name, attempt in {
            "open": lambda: open("/etc/hostname").close(),  # noqa: PTH123
            "connect": lambda: socket.socket().close(),
            "allocate": lambda: bytearray(8 * 1024**3),
        }.items():
            try:
                attempt()
            except (OSError, MemoryError) as error:
                told[name] = type(error).__name__
        return told

    workers.judge_publication_point = attempts
    LOCK_IN()


def test_a_worker_can_open_nothing(lab: Any, memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file, no socket, no more memory than it is given."""
    monkeypatch.setattr(workers, "_lock_in", _lock_in_and_try_everything)
    anchor = open_trust_anchor(lab.tal, memory(lab.files), lambda: lab.now, Tally("lab"))
    assert anchor is not None
    with Workers(1) as pool:
        pool.submit(anchor, None, lambda name, digest: None, lab.now)
        told: Any = pool.take()
    assert told == {"open": "OSError", "connect": "OSError", "allocate": "MemoryError"}


def _do_not_begin() -> None:
    """In place of the workers' initializer: as where there is no memory for one more process."""
    os.kill(os.getpid(), signal.SIGKILL)


def test_workers_that_cannot_begin_are_no_reason_to_lose_anything(
    lab: Any, memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run fails, and what is in force stays."""
    monkeypatch.setattr(workers, "_lock_in", _do_not_begin)
    with pytest.raises(StateError, match="as they begin"):
        validate([lab.tal], memory(lab.files), clock=lambda: lab.now, workers=2)
