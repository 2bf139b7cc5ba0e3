"""Where results go: whole files, and never in the stead of what is no file."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rpkival.cli.output import check_writable, open_output
from rpkival.errors import UsageError

VRPS = "ASN,IP Prefix,Max Length\nAS64496,192.0.2.0/24,24\n"


def write(path: Path, content: bytes) -> None:
    """As a verb does it."""
    check_writable(path)
    with open_output(path) as stream:
        stream.write(content)


def names(directory: Path) -> set[str]:
    """What is in it, hidden files too."""
    return {entry.name for entry in directory.iterdir()}


class TestFiles:
    """They appear whole or not at all."""

    def test_a_file_is_there_when_it_is_whole(self, tmp_path: Path) -> None:
        """What was there before stays until then."""
        path = tmp_path / "result"
        path.write_bytes(b"old")
        with open_output(path) as stream:
            stream.write(b"new")
            stream.flush()
            assert path.read_bytes() == b"old"
        assert path.read_bytes() == b"new"
        assert names(tmp_path) == {"result"}

    def test_a_failure_leaves_the_old_file(self, tmp_path: Path) -> None:
        """And nothing beside it."""
        path = tmp_path / "result"
        path.write_bytes(b"old")

        def half() -> Iterator[bytes]:
            yield b"new"
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError), open_output(path) as stream:
            stream.writelines(half())
        assert path.read_bytes() == b"old"
        assert names(tmp_path) == {"result"}

    def test_a_symbolic_link_stays_and_its_target_is_written(self, tmp_path: Path) -> None:
        """Whether what it names is there or not; nothing is left in either directory."""
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        for target in (elsewhere / "there", elsewhere / "not-yet"):
            link = tmp_path / f"link-to-{target.name}"
            link.symlink_to(target)
        (elsewhere / "there").write_bytes(b"old")

        write(tmp_path / "link-to-there", b"1")
        write(tmp_path / "link-to-not-yet", b"2")

        assert all(link.is_symlink() for link in tmp_path.iterdir() if link != elsewhere)
        assert (elsewhere / "there").read_bytes() == b"1"
        assert (elsewhere / "not-yet").read_bytes() == b"2"
        assert names(elsewhere) == {"there", "not-yet"}


class TestSpecial:
    """Devices and pipes are written, not replaced."""

    @pytest.mark.parametrize("linked", [False, True])
    def test_a_named_pipe_is_written_as_it_is(self, tmp_path: Path, linked: bool) -> None:
        """Its reader gets the result, and it stays a pipe."""
        pipe = path = tmp_path / "pipe"
        os.mkfifo(pipe)
        if linked:
            path = tmp_path / "link"
            path.symlink_to(pipe)
        read: list[bytes] = []
        # A daemon, so that a pipe nobody writes to fails the test instead of holding it up for ever.
        reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
        reader.start()
        write(path, b"result")
        reader.join(timeout=30)

        assert read == [b"result"]
        assert stat.S_ISFIFO(pipe.stat().st_mode)
        assert names(tmp_path) == {"pipe", "link"} if linked else {"pipe"}
        assert path.is_symlink() == linked

    def test_a_socket_is_refused_and_stays(self, tmp_path: Path) -> None:
        """It cannot be opened as a file."""
        import socket

        path = tmp_path / "s"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            with pytest.raises(UsageError, match="cannot be written: No such device or address"):
                write(path, b"result")
            assert path.is_socket()


class TestSentences:
    """What is said before the work begins."""

    def test_the_option_is_named(self, tmp_path: Path) -> None:
        """A verb may have several."""
        with pytest.raises(UsageError, match="is a directory; give --report a file name"):
            check_writable(tmp_path, "--report")
        with pytest.raises(UsageError, match="does not exist; make it first or choose another --report"):
            check_writable(tmp_path / "none" / "report.json", "--report")
        with (
            pytest.raises(UsageError, match="is a directory; give --report a file name"),
            open_output(tmp_path, "--report"),
        ):
            pass

    def test_an_empty_name_is_none(self) -> None:
        """As a script has it whose variable is not set."""
        with pytest.raises(UsageError, match="--output needs the name of a file"):
            check_writable(Path(""))  # noqa: PTH201 - what the command line makes of ''

    def test_links_in_a_circle_are_told(self, tmp_path: Path) -> None:
        """They lead to nothing that could be written."""
        (tmp_path / "a").symlink_to(tmp_path / "b")
        (tmp_path / "b").symlink_to(tmp_path / "a")
        with pytest.raises(UsageError, match="leads back to itself"):
            check_writable(tmp_path / "a")


def test_the_verbs_name_the_right_option(tmp_path: Path, rpkival: Callable[..., Any]) -> None:
    """`--report` of validate is not `--output`."""
    ended = rpkival("validate", "--offline", "--report", tmp_path)
    assert ended.code == 2
    assert "give --report a file name" in ended.err


def test_a_dash_is_standard_output(
    tmp_path: Path, rpkival: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no file of that name."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vrps.csv").write_text(VRPS)
    ended = rpkival("check", "192.0.2.0/24", "AS64496", "--vrps", "vrps.csv", "--format", "csv", "--output", "-")
    assert ended.code == 0
    assert "192.0.2.0/24" in ended.out
    assert not (tmp_path / "-").exists()
