"""`rpkival changes`: the history of the payload at the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rpkival.history.record import CAUSES, Change
from rpkival.history.store import History
from rpkival.storage import DATABASE_NAME, open_database


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """With one change."""
    database = open_database(tmp_path / DATABASE_NAME)
    change = Change(
        False, "vrp", "192.0.2.0/24", 24, 64496, "", "ripe", "rsync://rpki.example/a.roa", "revoked", "It is revoked."
    )
    History(database).add([change], 1_773_648_000.0, 17)
    database.close()
    return tmp_path


def test_what_changed_and_why(rpkival: Callable[..., Any], data_dir: Path) -> None:
    """A line for people, an object for programs."""
    shown = rpkival("changes", "--data-dir", data_dir, "--prefix", "192.0.2.0/25")
    assert shown.code == 0
    assert "2026-03-16T08:00:00Z withdrawn AS64496 192.0.2.0/24-24 revoked: rsync://rpki.example/a.roa" in shown.out
    listed = rpkival("changes", "--data-dir", data_dir, "--cause", "revoked", "--format", "json")
    assert [change["serial"] for change in json.loads(listed.out)["changes"]] == [17]


@pytest.mark.parametrize("cause", [cause for cause in CAUSES if cause != "revoked"])
def test_nothing_found_is_told(rpkival: Callable[..., Any], data_dir: Path, cause: str) -> None:
    """Beside the result, which is empty."""
    ended = rpkival("changes", "--data-dir", data_dir, "--cause", cause)
    assert (ended.code, ended.out) == (0, "")
    assert "No such change is kept." in ended.err


def test_a_cause_that_does_not_exist(rpkival: Callable[..., Any], data_dir: Path) -> None:
    """It never happened, which is no answer to a typo."""
    ended = rpkival("changes", "--data-dir", data_dir, "--cause", "revokd")
    assert ended.code == 2
    assert "choose one of added, expired, revoked" in ended.err
