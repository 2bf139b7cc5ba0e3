"""One process at a time in a data directory."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rpkival.errors import UsageError
from rpkival.storage import hold_directory

HOLD = """
import sys, time
from pathlib import Path
from rpkival.storage import hold_directory
held = hold_directory(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(600)
"""


def test_it_is_made_and_let_go(tmp_path: Path) -> None:
    """Also with the directories above it; the same process may come back."""
    path = tmp_path / "a" / "b"

    for _ in range(2):
        with hold_directory(path):
            assert path.is_dir()
            with pytest.raises(UsageError, match="Another rpkival uses"):
                hold_directory(path)


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    """No stale lock file has to be removed by hand."""
    with subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(UsageError, match="Another rpkival uses"):
            hold_directory(tmp_path)
        process.send_signal(signal.SIGKILL)

    hold_directory(tmp_path).close()


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    """Named, with what to do."""
    (tmp_path / "file").write_text("")

    with pytest.raises(UsageError, match=r"cannot be written: .*choose another --data-dir"):
        hold_directory(tmp_path / "file")
