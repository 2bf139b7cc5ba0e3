"""Tests for rpkival.repository.fetch, with the real rsync against a real daemon on loopback."""

from __future__ import annotations

import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rpkival.errors import UsageError
from rpkival.lab.rsync_daemon import RsyncDaemon
from rpkival.repository import fetch
from rpkival.repository.fetch import FetchedDirectory
from rpkival.repository.rsync import Rsync


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """A module with one object."""
    directory = tmp_path / "module"
    (directory / "a").mkdir(parents=True)
    (directory / "a/x.roa").write_bytes(b"old")
    return directory


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A directory for what is fetched; not made yet."""
    return tmp_path / "state/repository"


def new_run(cache: Path, rsync: Rsync | None = None) -> FetchedDirectory:
    """A source for one run, allowed to talk to loopback."""
    return FetchedDirectory(cache, rsync or Rsync(), allow_dubious_hosts=True)


def test_objects_are_there_once_prepared(rsync_daemon: RsyncDaemon, module: Path, cache: Path) -> None:
    """Under host/module/path, from where an offline run reads them too."""
    uri = rsync_daemon.serve("m", module)
    source = new_run(cache)

    assert source.read(uri + "a/x.roa") is None
    assert source.prepare(uri + "a/") is None
    assert source.read(uri + "a/x.roa") == b"old"
    assert (cache / rsync_daemon.authority / "m/a/x.roa").read_bytes() == b"old"


def test_a_module_is_fetched_once_a_run(rsync_daemon: RsyncDaemon, module: Path, cache: Path) -> None:
    """However many ask for it at once; the next run sees what is new, and what is gone."""
    uri = rsync_daemon.serve("m", module)
    source = new_run(cache)
    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(source.prepare, [f"{uri}{n}/" for n in range(50)])) == {None}
    assert [result.uri for result in source.results] == [uri]

    (module / "a/y.roa").write_bytes(b"new")
    (module / "a/x.roa").unlink()
    assert source.prepare(uri) is None
    assert source.read(uri + "a/y.roa") is None

    source = new_run(cache)
    assert source.prepare(uri) is None
    assert source.read(uri + "a/y.roa") == b"new"
    assert source.read(uri + "a/x.roa") is None


def test_a_failing_fetch_leaves_the_last_good_one(rsync_daemon: RsyncDaemon, module: Path, cache: Path) -> None:
    """The error is a sentence, told to all who ask, and the old objects are still there."""
    uri = rsync_daemon.serve("m", module)
    new_run(cache).prepare(uri)
    rsync_daemon.close()
    source = new_run(cache)

    assert "Connection refused" in str(source.prepare(uri))
    assert source.prepare(uri + "a/") == source.prepare(uri)
    assert len(source.results) == 1
    assert source.read(uri + "a/x.roa") == b"old"


def test_a_fetch_killed_midway_leaves_the_last_good_one(
    rsync_daemon: RsyncDaemon, module: Path, cache: Path, tmp_path: Path
) -> None:
    """Nothing of it is seen, and nothing of it stays behind."""
    uri = rsync_daemon.serve("m", module)
    new_run(cache).prepare(uri)
    (module / "a/x.roa").unlink()
    for number in range(20):
        (module / f"a/{number:02}.roa").write_bytes(os.urandom(50_000))
    slow = tmp_path / "slow-rsync"
    slow.write_text(f'#!/bin/sh\nexec {shutil.which("rsync")} --bwlimit=50 "$@"\n')
    slow.chmod(0o755)
    source = new_run(cache, Rsync(str(slow), total_seconds=2))

    assert "was stopped" in str(source.prepare(uri))
    assert [path.name for path in (cache / rsync_daemon.authority / "m/a").iterdir()] == ["x.roa"]
    assert source.read(uri + "a/x.roa") == b"old"
    assert {path.name.split(",")[0] for path in (cache / ".staging").iterdir()} <= {"lock", "partial"}


def test_a_fetch_goes_on_where_the_last_one_stopped(
    rsync_daemon: RsyncDaemon, module: Path, cache: Path, tmp_path: Path
) -> None:
    """What came before it was cut off is not transferred again, and nothing is left over in the end."""
    uri = rsync_daemon.serve("m", module)
    (module / "large.roa").write_bytes(os.urandom(1_000_000))
    torn = tmp_path / "torn-rsync"
    torn.write_text(f'#!/bin/sh\nfor last; do :; done\ncp -p {module}/large.roa "$last"\nexit 30\n')
    torn.chmod(0o755)
    broken = new_run(cache, Rsync(str(torn)))
    assert "exit code 30" in str(broken.prepare(uri))
    assert broken.read(uri + "large.roa") is None

    source = new_run(cache)

    assert source.prepare(uri) is None
    assert source.results[0].received is not None
    assert source.results[0].received < 100_000
    assert source.read(uri + "large.roa") == (module / "large.roa").read_bytes()
    assert source.read(uri + "a/x.roa") == b"old"
    assert [path.name for path in (cache / ".staging").iterdir()] == ["lock"]


def test_what_the_sender_could_not_send_is_kept(
    rsync_daemon: RsyncDaemon, module: Path, cache: Path, tmp_path: Path
) -> None:
    """One file that the server cannot read must not hold up all others; the error is told."""
    uri = rsync_daemon.serve("m", module)
    new_run(cache).prepare(uri)
    (module / "a/y.roa").write_bytes(b"new")
    troubled = tmp_path / "troubled-rsync"
    real = shutil.which("rsync")
    troubled.write_text(f'#!/bin/sh\nfor last; do :; done\n{real} "$@"\nrm "$last/a/x.roa"\nexit 23\n')
    troubled.chmod(0o755)
    source = new_run(cache, Rsync(str(troubled)))

    assert "exit code 23" in str(source.prepare(uri))
    assert source.read(uri + "a/y.roa") == b"new"
    assert source.read(uri + "a/x.roa") == b"old"
    assert [path.name for path in (cache / ".staging").iterdir()] == ["lock"]


def test_the_trust_anchor_comes_as_a_single_file(rsync_daemon: RsyncDaemon, module: Path, cache: Path) -> None:
    """It is renewed at each run, and the last one serves where that fails."""
    uri = rsync_daemon.serve("m", module) + "ta.cer"
    assert new_run(cache).trust_anchor(uri) is None
    (module / "ta.cer").write_bytes(b"first")
    source = new_run(cache)
    assert source.trust_anchor(uri) == b"first"
    assert source.read(uri.replace("ta.cer", "a/x.roa")) is None

    (module / "ta.cer").write_bytes(b"second")
    assert new_run(cache).trust_anchor(uri) == b"second"

    (module / "ta.cer").unlink()
    source = new_run(cache)
    assert source.trust_anchor(uri) == b"second"
    assert source.results[0].error is not None


@pytest.mark.usefixtures("needs_rsync")
def test_a_trust_anchor_by_https_is_left_to_other_uris(cache: Path) -> None:
    """Nothing is fetched for it, and the reason says so."""
    source = new_run(cache)

    assert source.trust_anchor("https://rpki.example.net/ta.cer") is None
    assert "is not an rsync:// URI" in source.unreadable["https://rpki.example.net/ta.cer"]
    assert source.results == []


def test_dubious_hosts_are_not_talked_to(rsync_daemon: RsyncDaemon, module: Path, cache: Path) -> None:
    """Unless allowed, no certificate makes us connect to our own machine."""
    uri = rsync_daemon.serve("m", module)
    source = FetchedDirectory(cache, Rsync())

    assert "refused outside a lab" in str(source.prepare(uri))
    assert source.trust_anchor(uri + "a/x.roa") is None
    assert source.results == []


def test_the_number_of_modules_is_bounded(
    rsync_daemon: RsyncDaemon, module: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An endless chain of repositories ends with an error; what was fetched stays."""
    monkeypatch.setattr(fetch, "MAX_RSYNC_MODULES", 2)
    uris = [rsync_daemon.serve(f"m{number}", module) for number in range(3)]
    source = new_run(cache)

    assert [source.prepare(uri) is None for uri in uris] == [True, True, False]
    assert "already fetched 2 modules" in str(source.prepare(uris[2]))
    assert source.prepare(uris[0]) is None


@pytest.mark.usefixtures("needs_rsync")
def test_a_crash_between_two_names_loses_nothing(cache: Path) -> None:
    """The next run gives the module its name back, or drops the copy that was replaced; abandoned fetches go."""
    staging = cache / ".staging"
    for left in (
        "old,rpki.example.net,lost",
        "old,rpki.example.net,replaced",
        "fetch-dead",
        "fetch-alive",
        "partial,a,b",
    ):
        (staging / left).mkdir(parents=True)
        (staging / left / "x.roa").write_bytes(b"old")
    (cache / "rpki.example.net/replaced").mkdir(parents=True)
    (cache / "rpki.example.net/replaced/x.roa").write_bytes(b"new")
    long_ago = time.time() - 2 * 24 * 3600
    for left in ("fetch-dead", "partial,a,b"):
        os.utime(staging / left, (long_ago, long_ago))

    source = new_run(cache)

    assert source.read("rsync://rpki.example.net/lost/x.roa") == b"old"
    assert source.read("rsync://rpki.example.net/replaced/x.roa") == b"new"
    assert {path.name for path in staging.iterdir()} == {"lock", "fetch-alive"}


def test_a_file_in_the_way_is_an_error_of_that_module(rsync_daemon: RsyncDaemon, module: Path, cache: Path) -> None:
    """Told as a sentence; other modules are not touched by it."""
    uri, other = rsync_daemon.serve("m", module), rsync_daemon.serve("other", module)
    (cache / "elsewhere").mkdir(parents=True)
    source = new_run(cache)
    shutil.rmtree(cache / ".staging")

    assert "cannot be kept in" in str(source.prepare(uri))
    (cache / ".staging").mkdir()
    assert source.prepare(other) is None


@pytest.mark.usefixtures("needs_rsync")
def test_a_directory_that_cannot_be_written_is_wrong_usage(tmp_path: Path) -> None:
    """It is told before anything is fetched."""
    (tmp_path / "file").touch()

    with pytest.raises(UsageError, match="cannot be written"):
        FetchedDirectory(tmp_path / "file/repository", Rsync())


def waiting_rsync(tmp_path: Path) -> tuple[Rsync, Path]:
    """A program that is never done, and the file in which it writes a line whenever it is started."""
    program, log = tmp_path / "waiting-rsync", tmp_path / "started"
    program.write_text(f"#!/bin/sh\nfor last; do :; done\necho x >> {log}\nexec sleep 600\n")
    program.chmod(0o755)
    return Rsync(str(program), total_seconds=0.5), log


def test_a_host_that_held_one_fetch_up_is_not_asked_again(tmp_path: Path, cache: Path) -> None:
    """A dozen modules of one server would else take an hour; another host is asked all the same."""
    rsync, log = waiting_rsync(tmp_path)
    source = new_run(cache, rsync)

    assert "was stopped" in str(source.prepare("rsync://slow.example/a/"))
    for number in range(10):
        assert "has already held up a fetch" in str(source.prepare(f"rsync://slow.example/{number}/"))
    assert source.trust_anchor("rsync://slow.example/ta/ta.cer") is None
    assert "was stopped" in str(source.prepare("rsync://other.example/a/"))
    assert log.read_text().count("x") == len(source.results) == 2


def test_a_host_that_only_refuses_is_asked_for_its_other_modules(
    rsync_daemon: RsyncDaemon, module: Path, cache: Path
) -> None:
    """It costs no time."""
    uri = rsync_daemon.serve("m", module)
    source = new_run(cache)

    assert "failed" in str(source.prepare(f"rsync://{rsync_daemon.authority}/unknown/"))
    assert source.prepare(uri) is None


def test_when_the_time_of_a_run_is_up_the_copies_on_disk_are_used(
    rsync_daemon: RsyncDaemon, module: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many slow servers cost each other's news, never the run."""
    uri = rsync_daemon.serve("m", module)
    new_run(cache).prepare(uri)
    (module / "a/x.roa").write_bytes(b"new")
    monkeypatch.setattr(fetch, "RSYNC_RUN_SECONDS", 0.0)
    source = new_run(cache)

    assert "seconds for all fetches of a run are up" in str(source.prepare(uri))
    assert source.read(uri + "a/x.roa") == b"old"
    assert source.results == []
