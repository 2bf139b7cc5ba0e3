"""Tests for rpkival.lab.hostile.build: what is built as files another validator can be pointed at."""

from __future__ import annotations

from pathlib import Path

import pytest

from rpkival.errors import UsageError
from rpkival.lab.hostile.build import build_attacks, cases_named, serve_attacks
from rpkival.lab.hostile.table import CASES
from rpkival.objects.tal import parse_tal
from rpkival.payload.collect import collect
from rpkival.repository.local import LocalDirectory
from rpkival.validation.walk import validate

AT = 1_773_648_000


def test_attacks_stand_side_by_side(tmp_path: Path) -> None:
    """Several in one tree: each is refused, and what is expected is found."""
    cases = cases_named(["nul-roa", "over-claim", "roa-2200-prefixes", "nul-roa"], served=False)
    stage = build_attacks(tmp_path / "lab", cases, at=AT)

    assert [ground.case.name for ground in stage.grounds] == ["nul-roa", "over-claim", "roa-2200-prefixes"]
    tal = parse_tal((tmp_path / "lab/lab.tal").read_bytes(), "lab")
    run = validate([tal], LocalDirectory(tmp_path / "lab/rsync"), clock=lambda: AT)
    found = {(vrp.asn, str(vrp.prefix), vrp.max_length) for vrp in collect(run).vrps}
    assert found == stage.expected
    assert len(found) == 3 + 3 + 2_200
    assert len(run.rejections) == 2
    rows = (tmp_path / "lab/expected.csv").read_text().splitlines()
    assert len(rows) == len(found) + 1


def test_only_a_new_directory_is_taken(tmp_path: Path) -> None:
    """As for all that is built."""
    (tmp_path / "mine").touch()
    with pytest.raises(UsageError, match="is not empty"):
        build_attacks(tmp_path, cases_named(["nul-roa"], served=False), at=AT)


def test_names() -> None:
    """What cannot be done with files is told, and left out of all."""
    assert [case.name for case in cases_named(["all"], served=True)] == list(CASES)
    files = cases_named(["all"], served=False)
    assert 40 < len(files) < len(CASES)
    for name, message in (("drip-feed", "--serve"), ("manifest-rollback", "--serve"), ("kindness", "no attack named")):
        with pytest.raises(UsageError, match=message):
            cases_named([name], served=False)


def test_an_attack_by_a_server_cannot_be_files(tmp_path: Path) -> None:
    """Whoever asks for it is told."""
    with pytest.raises(UsageError, match="of a server"):
        build_attacks(tmp_path / "lab", [CASES["gzip-bomb"]], at=AT)


def test_served_until_the_end(needs_rsync: None, tmp_path: Path) -> None:
    """The certificates for https are there to be trusted, and servers end with the block."""
    with serve_attacks(tmp_path / "lab", [CASES["retry-after"], CASES["xxe"]], at=AT) as stage:
        assert (tmp_path / "lab/ca.pem").read_text().count("BEGIN CERTIFICATE") == 2
        assert all(ground.notify for ground in stage.grounds)
        manifest = tmp_path / "lab/rsync" / stage.good.repository.removeprefix("rsync://") / "good.mft"
        before = manifest.read_bytes()
        stage.publish()
        assert manifest.read_bytes() != before
