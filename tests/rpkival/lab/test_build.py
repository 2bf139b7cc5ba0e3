"""Tests for rpkival.lab.build: what it builds we validate, and find what it says is there."""

from __future__ import annotations

import csv
import json
import stat
from ipaddress import ip_network
from pathlib import Path

import pytest

from rpkival.errors import FormatError, UsageError
from rpkival.lab.build import build, change
from rpkival.lab.plan import Plan
from rpkival.objects.tal import parse_tal
from rpkival.repository.local import LocalDirectory
from rpkival.validation.report import ValidationRun
from rpkival.validation.walk import validate

AT = 1_773_648_000
SMALL = Plan(cas=8, roas=20, aspas=6, router_keys=4, depth=3, hosts=2)


def found(directory: Path, at: int = AT) -> ValidationRun:
    """All that validating it comes to."""
    tal = parse_tal((directory / "lab.tal").read_bytes(), "lab")
    return validate([tal], LocalDirectory(directory / "rsync"), clock=lambda: at)


def vrps(run: ValidationRun) -> set[tuple[str, int, int, int, int]]:
    """Family and numbers of each."""
    return {
        (family, roa.asn, *prefix)
        for roa in run.roas
        for family, prefixes in (("4", roa.ipv4), ("6", roa.ipv6))
        for prefix in prefixes
    }


def expected_vrps(directory: Path) -> set[tuple[str, int, int, int, int]]:
    """The same of expected.csv."""
    with (directory / "expected.csv").open() as file:
        rows = [(row["ASN"], ip_network(row["IP Prefix"]), int(row["Max Length"])) for row in csv.DictReader(file)]
    return {
        (str(network.version), int(asn[2:]), int(network.network_address), network.prefixlen, max_length)
        for asn, network, max_length in rows
    }


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A small repository."""
    build(tmp_path / "built", SMALL, at=AT)
    return tmp_path / "built"


def test_all_of_it_is_valid(built: Path) -> None:
    """Every object, on every level and host; nothing is rejected, nothing is missing."""
    run = found(built)
    document = json.loads((built / "expected.json").read_text())

    assert run.rejections == ()
    assert run.fetch_problems == ()
    assert vrps(run) == expected_vrps(built)
    assert run.counts.certificates_valid == 9
    assert run.counts.roas_valid == 20
    assert {aspa.customer: list(aspa.providers) for aspa in run.aspas} == {
        aspa["customer_asid"]: aspa["providers"] for aspa in document["aspas"]
    }
    assert {(key.asns[0][0], key.key_id.hex()) for key in run.router_keys} == {
        (key["asn"], key["ski"]) for key in document["bgpsec_keys"]
    }
    assert sorted(path.name for path in (built / "rsync").iterdir()) == ["repo0.lab.example", "repo1.lab.example"]


@pytest.mark.parametrize("extension", ["cer", "mft", "crl", "roa", "asa", "gbr", "tak", "spl"])
def test_every_kind_of_object_is_there(built: Path, extension: str) -> None:
    """By its extension."""
    assert list((built / "rsync").rglob(f"*.{extension}"))


def test_it_holds_for_as_long_as_told(tmp_path: Path) -> None:
    """And not a second longer."""
    build(tmp_path, SMALL, at=AT, days=2)

    assert found(tmp_path, AT + 2 * 86_400).rejections == ()
    assert not found(tmp_path, AT + 2 * 86_400 + 1).roas


def test_a_change_is_a_new_version_of_some_points(built: Path) -> None:
    """The others' files stay as they are, to the octet; the whole is valid again, with what is expected now."""
    files = {path: path.read_bytes() for path in (built / "rsync").rglob("*.mft")}
    before = vrps(found(built))

    changed = change(built, 25)
    again = {path for path, content in files.items() if path.read_bytes() != content}

    assert changed.points == len(again) == 2
    run = found(built)
    assert run.rejections == ()
    assert vrps(run) == expected_vrps(built)
    assert vrps(run) != before
    assert change(built, 100).points == 8
    assert found(built).rejections == ()


def test_what_a_change_leaves_out_is_gone(built: Path) -> None:
    """Files of the version before do not stay beside the new one's."""
    change(built, 100)
    listed = {roa.uri for roa in found(built).roas}

    assert {f"rsync://{path.relative_to(built / 'rsync')}" for path in (built / "rsync").rglob("*.roa")} == listed


def test_processes_make_the_same(tmp_path: Path) -> None:
    """Two of them as one, but for the keys; and they are told about as they work."""
    told: list[tuple[int, int]] = []
    one = build(tmp_path / "one", Plan(cas=70), at=AT)
    two = build(tmp_path / "two", Plan(cas=70), at=AT, workers=2, on_progress=lambda *numbers: told.append(numbers))

    assert one == two
    assert (tmp_path / "one/expected.csv").read_text() == (tmp_path / "two/expected.csv").read_text()
    assert told == [(32, 71), (64, 71), (71, 71)]
    assert vrps(found(tmp_path / "two")) == expected_vrps(tmp_path / "one")


def test_the_keys_are_for_their_owner_only(built: Path) -> None:
    """They are secret as far as anything of a lab is."""
    assert stat.S_IMODE((built / "lab.json").stat().st_mode) == 0o600


def test_nothing_is_overwritten(built: Path) -> None:
    """Building again needs another directory."""
    with pytest.raises(UsageError, match="not empty"):
        build(built, SMALL, at=AT)


def test_changes_need_what_was_built(tmp_path: Path, built: Path) -> None:
    """Neither nothing nor something else, nor a share that is none."""
    with pytest.raises(UsageError, match="build a repository there first"):
        change(tmp_path / "elsewhere", 1)
    for percent in (0, -1, 101):
        with pytest.raises(UsageError, match="more than 0"):
            change(built, percent)
    for text in ("", "[]", "{}", '{"plan": 1}'):
        (built / "lab.json").write_text(text)
        with pytest.raises(FormatError, match="build the repository again"):
            change(built, 1)


def test_a_directory_that_cannot_be(tmp_path: Path) -> None:
    """Where a file is in its place."""
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be used"):
        build(tmp_path / "file", SMALL, at=AT)
