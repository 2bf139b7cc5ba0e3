"""What people see on standard error, and what scripts do not."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

from rpkival.cli.terminal import counted

PROGRAM = """
import sys
from rpkival.cli.terminal import progress
with progress(quiet={quiet}, in_bytes=True) as bars:
    bar = bars.add_task("Reading", total=2_000_000)
    bars.update(bar, completed=1_000_000)
print("rich" in sys.modules)
"""


@pytest.mark.parametrize("quiet", [False, True])
def test_nothing_off_a_terminal(quiet: bool) -> None:
    """A pipe gets no bars, and nobody waits for them to be imported."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(quiet=quiet)], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_bars_on_a_terminal() -> None:
    """Somebody who looks sees how many of how many bytes are done."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "120"}
    argv = [sys.executable, "-c", PROGRAM.format(quiet=False)]
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=theirs, env=environment, text=True, check=True)
    os.close(theirs)
    seen = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert done.stdout == "True\n"
    assert "Reading" in seen
    assert "1.0/2.0 MB" in seen


def test_one_is_singular() -> None:
    """Large numbers are grouped."""
    shown = [counted(number, "prefix", "prefixes") for number in (0, 1, 2, 2000)]
    assert shown == ["0 prefixes", "1 prefix", "2 prefixes", "2,000 prefixes"]
