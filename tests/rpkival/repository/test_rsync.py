"""Tests for rpkival.repository.rsync, with the real program against a real daemon on loopback."""

from __future__ import annotations

import os
import socket
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rpkival.errors import UsageError
from rpkival.lab.rsync_daemon import RsyncDaemon
from rpkival.limits import MAX_OBJECT_BYTES
from rpkival.repository import rsync
from rpkival.repository.rsync import Rsync


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """A module with two objects."""
    directory = tmp_path / "module"
    (directory / "a").mkdir(parents=True)
    (directory / "a/x.roa").write_bytes(b"x")
    (directory / "a/y.xyz").write_bytes(b"y")
    return directory


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where fetches go."""
    (tmp_path / "place").mkdir()
    return tmp_path / "place"


def names(directory: Path) -> set[str]:
    """Everything under a directory."""
    return {str(path.relative_to(directory)) for path in directory.rglob("*")}


def test_a_module_comes_whole(rsync_daemon: RsyncDaemon, module: Path, place: Path) -> None:
    """With files of unknown types, and with figures of the transfer."""
    result = Rsync().fetch(rsync_daemon.serve("m", module), place)

    assert result.error is None
    assert result.exit_code == 0
    assert result.received is not None
    assert 0 < result.received < 10_000
    assert 0 < result.seconds < 60
    assert names(place) == {"a", "a/x.roa", "a/y.xyz"}


def test_a_single_file_comes_alone(rsync_daemon: RsyncDaemon, module: Path, place: Path) -> None:
    """As the file that was asked for, and a directory of that name does not come in its place."""
    uri = rsync_daemon.serve("m", module)

    assert Rsync().fetch(uri + "a/x.roa", place / "x.roa").error is None
    assert (place / "x.roa").read_bytes() == b"x"
    Rsync().fetch(uri + "a", place / "a")
    assert names(place) == {"x.roa"}


def test_nothing_but_plain_files_of_bearable_size_comes(rsync_daemon: RsyncDaemon, module: Path, place: Path) -> None:
    """No links, no pipes, no set-user-ID bits, no modes that lock us out, nothing beyond the limit."""
    (module / "link.roa").symlink_to("/etc/passwd")
    os.mkfifo(module / "pipe.roa")
    (module / "a/x.roa").chmod(0o4777)
    (module / "a/y.xyz").chmod(0o000 if os.geteuid() == 0 else 0o400)
    with (module / "large.roa").open("wb") as large:
        large.truncate(MAX_OBJECT_BYTES + 1)

    assert Rsync().fetch(rsync_daemon.serve("m", module), place).error is None
    assert names(place) == {"a", "a/x.roa", "a/y.xyz"}
    assert stat.S_IMODE((place / "a/x.roa").stat().st_mode) & 0o7111 == 0
    assert (place / "a/y.xyz").stat().st_mode & stat.S_IRUSR


def test_unchanged_files_are_shared_with_the_last_fetch(
    rsync_daemon: RsyncDaemon, module: Path, place: Path, tmp_path: Path
) -> None:
    """They are hard links; what changed is a new file, and the old copy keeps what it had."""
    uri = rsync_daemon.serve("m", module)
    Rsync().fetch(uri, place)
    (module / "a/x.roa").write_bytes(b"changed")
    (tmp_path / "next").mkdir()

    assert Rsync().fetch(uri, tmp_path / "next", known=[place]).error is None
    assert (tmp_path / "next/a/y.xyz").samefile(place / "a/y.xyz")
    assert (tmp_path / "next/a/x.roa").read_bytes() == b"changed"
    assert (place / "a/x.roa").read_bytes() == b"x"


def test_a_refusal_is_a_sentence(rsync_daemon: RsyncDaemon, place: Path) -> None:
    """Of the daemon, and of the system where nobody listens."""
    result = Rsync().fetch(f"rsync://{rsync_daemon.authority}/nothing/", place)
    assert result.exit_code == 5
    assert result.error is not None
    assert "Unknown module 'nothing' (exit code 5)." in result.error

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    result = Rsync().fetch(f"rsync://127.0.0.1:{port}/m/", place)
    assert "Connection refused" in str(result.error)


@pytest.mark.usefixtures("needs_rsync")
def test_a_daemon_that_says_nothing_is_left_in_time(place: Path) -> None:
    """The deadline is for the whole, and the process is gone after it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        result = Rsync(total_seconds=0.5).fetch(f"rsync://127.0.0.1:{silent.getsockname()[1]}/m/", place)

    assert result.error is not None
    assert "was stopped: it took longer than 0.5 seconds" in result.error
    assert result.exit_code < 0
    assert result.seconds < 30


def test_what_was_there_before_counts_too(
    rsync_daemon: RsyncDaemon, module: Path, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module cannot outgrow its limit by growing a little at each run."""
    (module / "large.roa").write_bytes(b"x" * 2000)
    uri = rsync_daemon.serve("m", module)
    monkeypatch.setattr(rsync, "MAX_RSYNC_MODULE_BYTES", 3000)
    assert Rsync().fetch(uri, place).error is None
    (module / "more.roa").write_bytes(b"x" * 2000)
    (tmp_path / "next").mkdir()

    assert "it has more than 3000 bytes" in str(Rsync().fetch(uri, tmp_path / "next", known=[place]).error)


def test_talking_does_not_buy_time(tmp_path: Path, place: Path) -> None:
    """A program that always has something to say is stopped like any other."""
    script = tmp_path / "rsync"
    script.write_text("#!/bin/sh\nexec yes\n")
    script.chmod(0o755)

    result = Rsync(str(script), total_seconds=0.5).fetch("rsync://rpki.example.net/m/", place)

    assert "was stopped: it took longer than 0.5 seconds" in str(result.error)


def test_the_whole_process_group_ends_at_the_deadline(tmp_path: Path, place: Path) -> None:
    """Also a child that keeps the output open and would go on alone."""
    script = tmp_path / "rsync"
    script.write_text(
        f"#!/bin/sh\nsleep 600 & echo $! >{tmp_path}/pid.new; mv {tmp_path}/pid.new {tmp_path}/pid\nwait\n"
    )
    script.chmod(0o755)

    result = Rsync(str(script), total_seconds=3).fetch("rsync://rpki.example.net/m/", place)

    assert "was stopped" in str(result.error)
    child = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 30
    while alive(child):
        assert time.monotonic() < deadline, "the child survived its group"
        time.sleep(0.01)


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("variable", ["RSYNC_RSH", "RSYNC_CONNECT_PROG"])
def test_the_environment_makes_rsync_run_nothing(
    rsync_daemon: RsyncDaemon, module: Path, place: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """Neither variable that names a program reaches it."""
    monkeypatch.setenv(variable, "touch executed")
    monkeypatch.chdir(place.parent)

    assert Rsync().fetch(rsync_daemon.serve("m", module), place).error is None
    assert not (place.parent / "executed").exists()


def test_much_talk_is_not_kept(tmp_path: Path, place: Path) -> None:
    """A program that says more than anybody reads is heard to its end, and its complaint is cut and made printable."""
    script = tmp_path / "rsync"
    script.write_text("#!/bin/sh\nhead -c 3000000 /dev/zero\nprintf '\\nrsync: \\033[2Jno %0500d\\n' 1\nexit 23\n")
    script.chmod(0o755)

    result = Rsync(str(script)).fetch("rsync://rpki.example.net/m/", place)

    assert result.exit_code == 23
    assert result.error is not None
    assert "rsync: [2Jno 000" in result.error
    assert len(result.error) < 300
    assert result.error.isprintable()


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        ("MAX_RSYNC_MODULE_BYTES", "was stopped: it has more than 300 bytes."),
        ("MAX_RSYNC_MODULE_FILES", "was stopped: it has more than 300 files."),
    ],
)
def test_a_module_has_an_end(
    rsync_daemon: RsyncDaemon, module: Path, place: Path, monkeypatch: pytest.MonkeyPatch, limit: str, sentence: str
) -> None:
    """To its bytes, and to the number of its files; the limits are played down to what a test can make."""
    for number in range(400):
        (module / f"{number}.roa").write_bytes(b"x" if limit.endswith("FILES") else b"12345")
    uri = rsync_daemon.serve("m", module)
    monkeypatch.setattr(rsync, limit, 300)

    result = Rsync().fetch(uri, place)

    assert result.error == f"rsync of {uri} {sentence}"
    assert result.exit_code < 0


def test_a_missing_program_is_wrong_usage(program: Callable[..., str]) -> None:
    """And the sentence says what to do."""
    with pytest.raises(UsageError, match="is not installed; install it, or use --offline"):
        Rsync("no-such-rsync")
