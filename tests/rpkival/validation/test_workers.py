"""Other processes judge as this one does."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest

from rpkival.errors import StateError
from rpkival.objects.manifest import listed_names
from rpkival.validation.report import Tally
from rpkival.validation.trust_anchor import open_trust_anchor
from rpkival.validation.walk import validate
from rpkival.validation.workers import Workers


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
    """Points that are as large as all may be together are read one by one."""
    files = lab.files
    monkeypatch.setattr("rpkival.validation.workers.MAX_POINT_BYTES", 1)
    read: list[str] = []

    def note_and_read(uri: str) -> bytes | None:
        read.append(uri)
        return files.get(uri)

    anchor = open_trust_anchor(lab.tal, memory(files), lambda: lab.now, Tally("lab"))
    assert anchor is not None
    with Workers(1) as workers:
        points = workers.judge([(anchor, lab.now)] * 3, note_and_read)
        next(points)
        assert read.count(anchor.manifest) == 2
        assert len(list(points)) == 2


def test_a_decoder_that_panics_costs_one_point(lab: Any, memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the parent looks what to send along; the worker, which does not panic here, misses the files then."""

    class Panic(BaseException):
        """As of the decoder's language."""

    def panic(manifest: bytes) -> tuple[str, ...]:
        if manifest == files[f"{lab.beta.repository}beta.mft"]:
            raise Panic
        return listed_names(manifest)

    files = lab.files
    monkeypatch.setattr("rpkival.validation.workers.listed_names", panic)
    run = validate([lab.tal], memory(files), clock=lambda: lab.now, workers=2)
    assert {roa.asn for roa in run.roas} == {64499, 64500, 64502}
    assert {each.uri.removeprefix(lab.beta.repository) for each in run.rejections} == {"beta.crl", lab.beta_roa}


def test_a_worker_that_dies_is_an_error(lab: Any, memory: Any) -> None:
    """Not a run with holes."""
    source = memory(lab.files)
    with Workers(1) as workers:

        def kill_and_read(uri: str) -> bytes | None:
            for process in list(workers._executor._processes or {}):
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            return source.files.get(uri)

        anchor = open_trust_anchor(lab.tal, source, lambda: lab.now, Tally("lab"))
        assert anchor is not None
        with pytest.raises(StateError, match="ended without a result"):
            list(workers.judge([(anchor, lab.now)] * 50, kill_and_read))
