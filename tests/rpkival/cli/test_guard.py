"""`rpkival guard`: what is held, and an answer only from where a rpkival up keeps its state."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rpkival.daemon.guarding import Guarding
from rpkival.payload.causes import Inquiry
from rpkival.payload.guard import Thresholds
from rpkival.payload.payload import Payload
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.validation.report import Rejection, Report


def test_a_loss_is_shown_and_released(rpkival: Callable[..., Any], tmp_path: Path) -> None:
    """With cause, example and the words that let it go; exit code 1 while something is held."""
    many = Payload(Vrps.of(Vrp(f"10.0.{n}.0/24", 24, 64496, "ripe", 5000, f"rsync://a/ca/{n}.roa") for n in range(200)))
    broken = Rejection("rsync://a/ca/ca.mft", "", "", "It is missing.", "ripe")
    guarding = Guarding(tmp_path, Thresholds())
    guarding.weigh(many, Payload.empty(), Inquiry(Report(1000, (), (broken,), ()), (), 1000), 1000.0)
    identifier = guarding.held.id

    shown = rpkival("guard", "show", "--data-dir", tmp_path)
    assert shown.code == 1
    assert "200 of 200 VRPs of ripe (100.0%)" in shown.out
    assert f"rpkival guard release {identifier}" in shown.out
    listed = rpkival("guard", "show", "--data-dir", tmp_path, "--format", "json")
    assert listed.code == 1
    assert json.loads(listed.out)["id"] == identifier

    assert rpkival("guard", "release", "hold_0", "--data-dir", tmp_path).code == 2
    assert rpkival("guard", "release", identifier, "--data-dir", tmp_path).code == 0


def test_of_another_directory_nothing_is_said(rpkival: Callable[..., Any], tmp_path: Path) -> None:
    """A script that looks in the wrong place must not read that all is well."""
    for words in (("show",), ("release", "hold_0")):
        ended = rpkival("guard", *words, "--data-dir", tmp_path / "elsewhere")
        assert ended.code == 2
        assert "name its --data-dir" in ended.err
        assert not ended.out
