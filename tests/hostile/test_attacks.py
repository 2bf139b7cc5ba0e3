"""Every attack of the lab, end to end: fetched, judged, bounded, and without a scratch on whoever stands beside it.

Attacks of endless time or size meet lower bounds here (`LOWERED`), so that the whole takes a minute; all else is as it
is in the product.
"""

from __future__ import annotations

import functools
import gc
import stat
import time
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from rpkival.lab.hostile.ground import Case
from rpkival.lab.hostile.table import CASES
from rpkival.repository.rsync import Rsync

SECONDS = 60.0
"""For one run. Most take a second; what a slow machine adds is no matter, what never ends is."""

PEAK_BYTES = 160 * 1024**2
"""Of Python's memory over what there was before a run: the largest objects that are let in are below 12 MB."""

DISK_BYTES = 24 * 1024**2
"""Of the store after a run; what hostile servers sent without end is not in it."""

SOON = {"rpkival.repository.http.HTTP_CONNECT_SECONDS": 1.0}
LOWERED: Mapping[str, Mapping[str, Any]] = {
    "infinite-chain": {"rpkival.validation.issuer.MAX_CA_DEPTH": 5},
    "many-children": {"rpkival.validation.walk.MAX_PUBLICATION_POINTS": 40},
    "many-repositories": {"rpkival.repository.attempts.MAX_REPOSITORIES": 8},
    "crl-huge": {"rpkival.objects.crl.MAX_REVOKED_CERTIFICATES": 1_000},
    "drip-feed": {"rpkival.repository.http_body.HTTP_RATE_SECONDS": 1.0},
    "endless-continue": {"rpkival.repository.http.HTTP_ANSWER_SECONDS": 1.0, **SOON},
    "tls-silence": SOON,
    "endless-snapshot": {"rpkival.repository.rrdp.MAX_RRDP_SNAPSHOT_BYTES": 2_000_000},
    "rsync-drip-feed": {"rpkival.repository.opening.Rsync": functools.partial(Rsync, total_seconds=3.0)},
}
"""Bounds that are lower here, by where they are used."""

SIZES = {
    "infinite-chain": 8,
    "many-children": 2,
    "many-repositories": 12,
    "one-prefix-many-asns": 150,
    "crl-huge": 1_001,
}
"""Of attacks that would take too long to sign."""


@pytest.fixture
def lowered(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Lower what is to be lower for a case."""

    def lower(name: str) -> None:
        for where, value in LOWERED.get(name, {}).items():
            monkeypatch.setattr(where, value)

    return lower


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_attack(case: Case, theatre: Any, lowered: Callable[[str], None]) -> None:
    """What is good counts, all of it and nothing else, within bounds; and the reason is told."""
    lowered(case.name)
    scene = theatre(case, SIZES)
    for _ in range(case.visits - 1):
        assert bounded(scene).vrps == scene.stage.expected
        scene.stage.publish()
    visit = bounded(scene)
    assert visit.vrps == scene.stage.expected
    if case.reason:
        assert visit.says(case.reason), visit.said
    else:
        assert visit.said == []
    assert_only_plain_files(scene.state)


def bounded(scene: Any) -> Any:
    """A visit that keeps to the bounds of time, memory and disk."""
    began = time.monotonic()
    tracemalloc.start()
    try:
        visit = scene.visit()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    gc.collect()  # so that what was not closed is told here, and not to another test
    assert time.monotonic() - began < SECONDS
    assert peak < PEAK_BYTES
    assert sum(path.stat().st_size for path in scene.state.rglob("*")) < DISK_BYTES
    return visit


def assert_only_plain_files(directory: Path) -> None:
    """No links, and nothing that could be run."""
    for path in directory.rglob("*"):
        mode = path.lstat().st_mode
        assert stat.S_ISDIR(mode) or stat.S_ISREG(mode), path
        assert stat.S_ISDIR(mode) or not mode & 0o7111, path
