"""Tests for rpkival.cli.tal, the whole command in this process."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rpkival.daemon.succession import read_timers, write_timers
from rpkival.lab.ca import CertificateAuthority, trust_anchor
from rpkival.lab.certificates import Validity
from rpkival.lab.keys import KeyRing
from rpkival.lab.number_resources import Resources
from rpkival.lab.publisher import Publisher, trust_anchor_locator
from rpkival.lab.rsync_daemon import RsyncDaemon
from rpkival.objects.tal import format_tal, parse_tal
from rpkival.validation.succession import AcceptanceTimer, fingerprint

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
    """The successor's locator is printed as it would be used, and that nobody has seen it to be good yet."""
    anchor, following = trust_anchor("lab", ALL, YEAR, lab_keys), trust_anchor("following", ALL, YEAR, lab_keys)
    anchor.issue_trust_anchor_key(successor=following)
    done = listed(anchor)

    assert (done.code, done.err) == (0, "")
    assert "SUCCESSOR announced, not seen to be good by any validation yet" in done.out
    assert all(f"    {line}\n" in done.out for line in trust_anchor_locator(following).splitlines())

    (record,) = json.loads(listed(anchor, "--format", "json").out)
    assert record["certificate_until"] == "2027-03-16T08:00:00Z"
    assert parse_tal(record["successor"]["locator"].encode(), "it").key_info == following.key.public_key_info
    assert record["successor"]["follow_from"] is None
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


def test_comments_of_a_key_are_comments_of_its_locator(lab_keys: KeyRing) -> None:
    """RFC 9691 section 7; whatever a stranger writes there, it is one line and nothing but a comment."""
    key = lab_keys.key("one").public_key_info
    uris = ("https://ta.example/ta.cer",)
    text = format_tal(uris, key, ("Not for production", "", "a\r\nrsync://evil.example/m/ta.cer\u2028\x1b[2Jb"))
    assert text.startswith(
        "# Not for production\n#\n# a rsync://evil.example/m/ta.cer [2Jb\nhttps://ta.example/ta.cer\n"
    )
    found = parse_tal(text.encode(), "it")
    assert (found.uris, found.key_info) == (uris, key)


@dataclass(frozen=True)
class Handover:
    """A trust anchor and the next one, which name each other, and the words of commands about the first."""

    first: CertificateAuthority
    second: CertificateAuthority
    directory: Path

    @property
    def place(self) -> tuple[str | Path, ...]:
        return "--tal", self.directory / "first.tal", "--repository-dir", self.directory / "rsync"

    def publish(self, *anchors: CertificateAuthority) -> None:
        files = {uri: data for each in anchors for uri, data in each.tree(DAY).items()}
        Publisher(self.directory).publish(self.first, files=files)

    def since(self, moment: int) -> None:
        """Validations have found the next key to be good from `moment` on."""
        timer = AcceptanceTimer(fingerprint(self.second.key.public_key_info), moment)
        write_timers(self.directory / "rsync", {fingerprint(self.first.key.public_key_info): timer})


@pytest.fixture
def handover(tmp_path: Path, lab_keys: KeyRing) -> Handover:
    first, second = (trust_anchor(name, ALL, YEAR, lab_keys) for name in ("first", "second"))
    first.issue_trust_anchor_key(successor=second)
    second.issue_trust_anchor_key(predecessor=first)
    found = Handover(first, second, tmp_path)
    found.publish(first, second)
    return found


def test_before_its_time_a_next_key_is_not_followed(rpkival: Run, handover: Handover) -> None:
    """It is told how long is left."""
    words = ("tal", "refresh", *handover.place, *AT)
    before = (handover.directory / "first.tal").read_text()
    assert "its 30 days begin with the next run of rpkival validate" in rpkival(*words).out

    handover.since(NOW - 28 * 86_400 - 3600)
    done = rpkival(*words)
    assert done.code == 0
    assert "good since 2026-02-16T07:00:00Z" in done.out
    assert "from 2026-03-18T07:00:00Z, in 2 days." in done.out
    assert (handover.directory / "first.tal").read_text() == before

    assert (
        "rpkival tal refresh follows it from 2026-03-18T07:00:00Z" in rpkival("tal", "list", *handover.place, *AT).out
    )


def test_when_its_time_has_come_a_next_key_is_followed(rpkival: Run, handover: Handover) -> None:
    """The locator is replaced, the one before is kept, and validation goes on with the new one."""
    handover.since(NOW - 30 * 86_400)
    tal = handover.directory / "first.tal"
    done = rpkival("tal", "refresh", *handover.place, *AT)
    assert (done.code, done.err) == (0, "")
    assert tal.read_text() == f"# The key of second\n{trust_anchor_locator(handover.second)}"
    assert (handover.directory / "first.tal.before").read_text() == trust_anchor_locator(handover.first)

    ended = rpkival("validate", *handover.place, "--offline", *AT)
    assert ended.code == 0
    assert "announces" not in ended.err
    assert "first: No other key is announced." in rpkival("tal", "refresh", *handover.place, *AT).out


def test_a_next_key_that_went_bad_is_not_followed(rpkival: Run, handover: Handover) -> None:
    """Whatever the timer says."""
    handover.since(NOW - 31 * 86_400)
    handover.publish(handover.first)
    handover.since(NOW - 31 * 86_400)
    done = rpkival("tal", "refresh", *handover.place, *AT)
    assert done.code == 1
    assert "not to be followed: The successor's certificate is not there" in done.out
    assert (handover.directory / "first.tal").read_text() == trust_anchor_locator(handover.first)


def test_another_key_than_the_timer_s_starts_from_the_beginning(rpkival: Run, handover: Handover) -> None:
    """Thirty days are each key's own."""
    timer = AcceptanceTimer("ab" * 32, NOW - 31 * 86_400)
    key = fingerprint(handover.first.key.public_key_info)
    write_timers(handover.directory / "rsync", {key: timer})
    assert "its 30 days begin with the next run" in rpkival("tal", "refresh", *handover.place, *AT).out


def test_next_locators_elsewhere(rpkival: Run, handover: Handover, tmp_path: Path) -> None:
    """As for those that ship with us, which nobody may write."""
    handover.since(NOW - 30 * 86_400)
    (tmp_path / "tals").mkdir()
    done = rpkival("tal", "refresh", *handover.place, *AT, "--output-dir", tmp_path / "tals")
    assert done.code == 0
    assert (tmp_path / "tals" / "first.tal").read_text().endswith(trust_anchor_locator(handover.second))
    assert (tmp_path / "first.tal").read_text() == trust_anchor_locator(handover.first)
    assert rpkival("tal", "refresh", *handover.place, "--output-dir", tmp_path / "missing").code == 2


def test_refreshing_without_anything_fetched(rpkival: Run) -> None:
    """It is said what to do first."""
    done = rpkival("tal", "refresh")
    assert done.code == 2
    assert "run rpkival validate first" in done.err


def test_a_validation_starts_the_timer(
    rpkival: Run, tmp_path: Path, lab_keys: KeyRing, rsync_daemon: RsyncDaemon
) -> None:
    """With both trust anchors fetched, and kept from run to run."""
    now = int(time.time())
    year, day = Validity(now - 86_400, now + 365 * 86_400), Validity(now - 3600, now + 86_400)
    repository = f"rsync://{rsync_daemon.authority}/repository/"
    first, second = (trust_anchor(name, ALL, year, lab_keys, repository=repository) for name in ("first", "second"))
    first.issue_trust_anchor_key(successor=second)
    second.issue_trust_anchor_key(predecessor=first)
    publisher = Publisher(tmp_path / "lab")
    publisher.publish(first, files={**first.tree(day), **second.tree(day)})
    rsync_daemon.serve("repository", publisher.rsync / rsync_daemon.authority / "repository")

    place = ("--tal", tmp_path / "lab" / "first.tal", "--data-dir", tmp_path / "state")
    words = ("validate", *place, "--no-rrdp", "--allow-dubious-hosts", "--quiet")
    assert rpkival(*words).code == 0
    timers = read_timers(tmp_path / "state" / "repository")
    (timer,) = timers.values()
    assert timer.successor == fingerprint(second.key.public_key_info)
    assert now <= timer.since <= time.time()
    assert rpkival(*words).code == 0
    assert read_timers(tmp_path / "state" / "repository") == timers
    assert "in 30 days." in rpkival("tal", "refresh", *place).out
