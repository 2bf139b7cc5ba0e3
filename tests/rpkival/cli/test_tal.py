"""Tests for rpkival.cli.tal, the whole command in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rpkival.lab.ca import trust_anchor
from rpkival.lab.certificates import Validity
from rpkival.lab.keys import KeyRing
from rpkival.lab.number_resources import Resources
from rpkival.lab.publisher import Publisher, trust_anchor_locator
from rpkival.objects.tal import format_tal, parse_tal

Run = Callable[..., Any]
NOW = 1_773_648_000
AT = ("--at", "2026-03-16T08:00:00Z")
YEAR = Validity(NOW - 86_400, NOW + 365 * 86_400)
DAY = Validity(NOW - 60, NOW + 86_400)
ALL = Resources(["10.0.0.0/8"], [64500])


@pytest.fixture
def listed(rpkival: Run, tmp_path: Path) -> Run:
    """`listed(anchor, word, ...)` publishes a trust anchor and lists it."""

    def run(anchor: Any, *words: str | Path) -> Any:
        Publisher(tmp_path).publish(anchor, files=anchor.tree(DAY))
        place = ("--tal", tmp_path / f"{anchor.name}.tal", "--repository-dir", tmp_path / "rsync")
        return rpkival("tal", "list", *place, *AT, *words)

    return run


def test_a_trust_anchor_that_announces_its_successor(
    listed: Run, rpkival: Run, tmp_path: Path, lab_keys: KeyRing
) -> None:
    """The successor's locator is printed as it would be used; nobody follows it by himself."""
    anchor, following = trust_anchor("lab", ALL, YEAR, lab_keys), trust_anchor("following", ALL, YEAR, lab_keys)
    anchor.issue_trust_anchor_key(successor=following)
    done = listed(anchor)

    assert (done.code, done.err) == (0, "")
    assert "SUCCESSOR announced" in done.out
    assert all(f"    {line}\n" in done.out for line in trust_anchor_locator(following).splitlines())

    (record,) = json.loads(listed(anchor, "--format", "json").out)
    assert record["certificate_until"] == "2027-03-16T08:00:00Z"
    assert parse_tal(record["successor"]["locator"].encode(), "it").key_info == following.key.public_key_info
    assert record["predecessor"] is None

    words = ("--tal", tmp_path / "lab.tal", "--repository-dir", tmp_path / "rsync", "--offline", *AT)
    assert "lab announces another key, at rsync://" in rpkival("validate", *words).err


def test_a_trust_anchor_that_took_over(listed: Run, lab_keys: KeyRing) -> None:
    """Its object names the key before."""
    anchor, before = trust_anchor("lab", ALL, YEAR, lab_keys), trust_anchor("before", ALL, YEAR, lab_keys)
    anchor.issue_trust_anchor_key(predecessor=before)
    assert "took over from key SHA-256" in listed(anchor).out


def test_a_trust_anchor_that_says_nothing(listed: Run, tmp_path: Path, lab_keys: KeyRing) -> None:
    """Constraints beside the locator are told."""
    (tmp_path / "lab.constraints").write_text("allow 10.0.0.0/8\n")
    done = listed(trust_anchor("lab", ALL, YEAR, lab_keys))

    assert done.code == 0
    assert "SUCCESSOR" not in done.out
    assert "bound by constraints" in done.out


def test_a_broken_announcement_is_a_problem(listed: Run, lab_keys: KeyRing) -> None:
    """And announces nothing."""
    anchor, following = trust_anchor("lab", ALL, YEAR, lab_keys), trust_anchor("following", ALL, YEAR, lab_keys)
    name = anchor.issue_trust_anchor_key(successor=following)
    anchor.revoke(name, NOW - 60)
    done = listed(anchor)

    assert "SUCCESSOR" not in done.out
    assert "revoked" in done.out


def test_without_certificates_the_locators_are_listed(rpkival: Run) -> None:
    """The five registries' as they ship, before anything was fetched."""
    done = rpkival("tal", "list")

    assert done.code == 3
    assert [line for line in done.out.splitlines() if not line.startswith(" ")] == [
        "afrinic",
        "apnic",
        "arin",
        "lacnic",
        "ripe",
    ]
    assert "no good certificate is here" in done.out


def test_a_locator_is_read_as_it_is_written(lab_keys: KeyRing) -> None:
    """One way and back."""
    key = lab_keys.key("one").public_key_info
    uris = ("https://ta.example/ta.cer", "rsync://ta.example/m/ta.cer")
    found = parse_tal(format_tal(uris, key).encode(), "it")
    assert (found.uris, found.key_info) == (uris, key)
