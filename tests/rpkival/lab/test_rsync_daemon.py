"""Tests for rpkival.lab.rsync_daemon."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from rpkival.errors import UsageError
from rpkival.lab.rsync_daemon import RsyncDaemon


def rsync(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The client, as anybody would use it."""
    return subprocess.run(["rsync", *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_a_directory_may_appear_after_it_is_served(rsync_daemon: RsyncDaemon, tmp_path: Path) -> None:
    """As the trees of a publisher do, which needs the port for its URIs before it has anything to publish."""
    uri = rsync_daemon.serve("m", tmp_path / "later")
    assert rsync(uri).returncode != 0
    (tmp_path / "later").mkdir()
    (tmp_path / "later/x.roa").write_bytes(b"x")

    assert rsync("-r", uri, tmp_path / "copy").returncode == 0
    assert (tmp_path / "copy/x.roa").read_bytes() == b"x"


def test_nobody_writes(rsync_daemon: RsyncDaemon, tmp_path: Path) -> None:
    """Modules are for reading."""
    (tmp_path / "module").mkdir()
    (tmp_path / "x.roa").write_bytes(b"x")

    assert "read only" in rsync(tmp_path / "x.roa", rsync_daemon.serve("m", tmp_path / "module")).stderr
    assert list((tmp_path / "module").iterdir()) == []


def test_its_client_finds_every_host_here(
    program: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Other arguments are what they were, and the real program may lie where a shell would stumble."""
    programs = tmp_path / "it's $HOME; really"
    programs.mkdir()
    (programs / "rsync").symlink_to(program("rsync"))
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    (tmp_path / "module").mkdir()
    (tmp_path / "module/x.roa").write_bytes(b"x")
    client, copy = tmp_path / "rsync", tmp_path / "a 'copy' of\\*"
    copy.mkdir()
    with RsyncDaemon() as daemon:
        daemon.serve("m", tmp_path / "module")
        daemon.write_client(client)

        for host in ("rpki.example.net", "user@192.0.2.1:8873", "[2001:db8::1]"):
            argv = (client, "-r", f"rsync://{host}/m/x.roa", copy / host)
            done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
            assert (done.returncode, done.stderr) == (0, "")

    assert [path.read_bytes() for path in copy.iterdir()] == [b"x"] * 3


def test_closing_ends_every_connection(rsync_daemon: RsyncDaemon) -> None:
    """Those that are open see their end, and nobody gets a new one."""
    host, port = rsync_daemon.authority.split(":")
    with socket.create_connection((host, int(port)), 60) as connection:
        assert connection.recv(8) == b"@RSYNCD:"

        rsync_daemon.close()

        while connection.recv(1024):
            pass
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), 60)


def test_without_rsync_there_is_no_daemon(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And the sentence says what to do."""
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(UsageError, match="rsync is not installed"):
        RsyncDaemon()
