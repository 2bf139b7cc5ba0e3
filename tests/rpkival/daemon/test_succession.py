"""Tests for rpkival.daemon.succession: acceptance timers between runs."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from rpkival.daemon.job import Job, run
from rpkival.daemon.succession import FILE_NAME, keep_timers, read_timers, write_timers
from rpkival.lab.ca import CertificateAuthority, trust_anchor
from rpkival.lab.certificates import Validity
from rpkival.lab.keys import KeyRing
from rpkival.lab.number_resources import Resources
from rpkival.lab.publisher import Publisher
from rpkival.lab.rsync_daemon import RsyncDaemon
from rpkival.objects.tal import Tal
from rpkival.repository.local import LocalDirectory
from rpkival.repository.opening import Fetching
from rpkival.validation.succession import AcceptanceTimer, fingerprint
from rpkival.validation.walk import validate

NOW = 1_773_648_000
YEAR = Validity(NOW - 86_400, NOW + 365 * 86_400)


def test_a_run_of_the_daemon_starts_the_timer(tmp_path: Path, lab_keys: KeyRing, rsync_daemon: RsyncDaemon) -> None:
    """As one of the command does; offline nothing is learnt, and none is started."""
    now = int(time.time())
    year, day = Validity(now - 86_400, now + 365 * 86_400), Validity(now - 3600, now + 86_400)
    repository = f"rsync://{rsync_daemon.authority}/repository/"
    first, second = (
        trust_anchor(name, Resources(["10.0.0.0/8"]), year, lab_keys, repository=repository)
        for name in ("first", "second")
    )
    first.issue_trust_anchor_key(successor=second)
    second.issue_trust_anchor_key(predecessor=first)
    publisher = Publisher(tmp_path / "lab")
    publisher.publish(files={**first.tree(day), **second.tree(day)})
    rsync_daemon.serve("repository", publisher.rsync / rsync_daemon.authority / "repository")

    tal = Tal("lab", (first.certificate_uri,), first.key.public_key_info)
    job = Job((tal,), tmp_path / "store", Fetching(rrdp=False, allow_dubious_hosts=True))
    outcome = run(job)
    assert outcome.report.trust_anchors[0].successor is not None
    (timer,) = read_timers(tmp_path / "store").values()
    assert timer.successor == fingerprint(second.key.public_key_info)
    (tmp_path / "store" / FILE_NAME).unlink()
    run(replace(job, fetching=Fetching(offline=True)))
    assert read_timers(tmp_path / "store") == {}


class Registry:
    """A trust anchor and its successor, which are published and validated at any time."""

    def __init__(self, directory: Path, keys: KeyRing) -> None:
        self.directory = directory
        self.first, self.second = (
            trust_anchor(name, Resources(["10.0.0.0/8"]), YEAR, keys) for name in ("first", "second")
        )
        self.tal = Tal("lab", (self.first.certificate_uri,), self.first.key.public_key_info)

    def run(self, now: int, *published: CertificateAuthority) -> AcceptanceTimer | None:
        """Publish, validate, and give the timer after it."""
        files = {uri: data for each in published for uri, data in each.tree(Validity(now, now + 600)).items()}
        Publisher(self.directory / "lab").publish(files=files)
        source = LocalDirectory(self.directory / "lab" / "rsync")
        run = validate([self.tal], source, clock=lambda: now)
        keep_timers(self.directory, [self.tal], run.trust_anchors, source, run.now)
        return read_timers(self.directory).get(fingerprint(self.tal.key_info))


@pytest.fixture
def registry(tmp_path: Path, lab_keys: KeyRing) -> Registry:
    return Registry(tmp_path, lab_keys)


def test_a_timer_over_several_runs(registry: Registry) -> None:
    """It begins when both keys name each other, lasts while they do, and survives a registry that is out of reach."""
    first, second = registry.first, registry.second
    assert registry.run(NOW, first) is None
    assert not (registry.directory / FILE_NAME).exists()

    announced = first.issue_trust_anchor_key(successor=second)
    assert registry.run(NOW + 600, first) is None

    second.issue_trust_anchor_key(predecessor=first)
    started = AcceptanceTimer(fingerprint(second.key.public_key_info), NOW + 1200)
    assert registry.run(NOW + 1200, first, second) == started
    assert registry.run(NOW + 1800, first, second) == started
    assert registry.run(NOW + 2400) == started

    assert registry.run(NOW + 3000, first) is None
    assert registry.run(NOW + 3600, first, second) == AcceptanceTimer(started.successor, NOW + 3600)

    first.withdraw(announced)
    assert registry.run(NOW + 4200, first, second) is None


def test_other_trust_anchors_keep_theirs(registry: Registry) -> None:
    """A run of some of the locators says nothing of the others."""
    other = AcceptanceTimer("aa" * 32, NOW)
    write_timers(registry.directory, {"bb" * 32: other})
    registry.first.issue_trust_anchor_key(successor=registry.second)
    registry.second.issue_trust_anchor_key(predecessor=registry.first)
    assert registry.run(NOW, registry.first, registry.second)
    assert read_timers(registry.directory)["bb" * 32] == other


@pytest.mark.parametrize("content", [b"", b"{", b'{"aa": {"since": "now"}}', b"\xff", b"[]"])
def test_a_damaged_file_holds_no_timer(tmp_path: Path, content: bytes) -> None:
    """They then begin anew, which costs time and no safety."""
    (tmp_path / FILE_NAME).write_bytes(content)
    assert read_timers(tmp_path) == {}


def test_a_directory_that_cannot_be_written_costs_the_timer(tmp_path: Path) -> None:
    """And not the run."""
    write_timers(tmp_path / "missing", {"aa" * 32: AcceptanceTimer("bb" * 32, NOW)})
    assert read_timers(tmp_path / "missing") == {}
