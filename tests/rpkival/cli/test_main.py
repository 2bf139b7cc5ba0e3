"""The process as a shell sees it: what it does where its output cannot go, and when it is interrupted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

MODULE = [sys.executable, "-m", "rpkival"]
VRPS = "ASN,IP Prefix,Max Length\n"


@pytest.fixture
def many_vrps(tmp_path: Path) -> Path:
    """More of them than a pipe holds (64 kB), so that its writer learns that the reader went."""
    path = tmp_path / "vrps.csv"
    rows = (f"AS64496,10.{high}.{low}.0/24,24\n" for high in range(40) for low in range(256))
    path.write_text(VRPS + "".join(rows))
    return path


def shell(words: str, redirection: str, **names: Path) -> subprocess.CompletedProcess[str]:
    """Run it as a user types it, every `$name` as a variable of the shell."""
    command = f'"$PYTHON" -m rpkival {words} {redirection}'
    variables = {**os.environ, "PYTHON": sys.executable} | {name: str(path) for name, path in names.items()}
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(params=["", "1"], ids=["buffered", "unbuffered"], autouse=True)
def buffering(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Containers often set this; what fails then fails at other places."""
    monkeypatch.setenv("PYTHONUNBUFFERED", request.param)


LISTS = ['check --input "$routes" --vrps "$vrps" --format csv', "--help", "--version"]


@pytest.mark.parametrize("words", [*LISTS, 'check --input "$routes" --vrps "$vrps" --format csv --output -'])
def test_a_full_standard_output_is_told(words: str, many_vrps: Path, tmp_path: Path) -> None:
    """It is the user's to mend, whether much or little was to be written."""
    routes = tmp_path / "routes"
    routes.write_text("10.0.0.0/24 AS64496\n" * 2000)
    ended = shell(words, "> /dev/full", vrps=many_vrps, routes=routes)
    assert ended.stderr == "rpkival: Standard output cannot be written: No space left on device.\n"
    assert ended.returncode == 2


def test_a_closed_standard_output_is_told(many_vrps: Path) -> None:
    """The answer has nowhere to go."""
    ended = shell('check 10.0.0.0/24 AS64496 --vrps "$vrps"', ">&-", vrps=many_vrps)
    assert ended.stderr == "rpkival: Standard output cannot be written: it is closed.\n"
    assert ended.returncode == 2


@pytest.mark.parametrize("words", [*LISTS, 'check --input "$routes" --vrps "$vrps" --format csv --output -'])
def test_a_reader_that_goes_away_is_no_fault(words: str, many_vrps: Path, tmp_path: Path) -> None:
    """As `| head` does: it has what it wanted. Here it is gone before anything is written."""
    routes = tmp_path / "routes"
    routes.write_text("10.0.0.0/24 AS64496\n" * 2000)
    reading, writing = os.pipe()
    os.close(reading)
    variables = {**os.environ, "PYTHON": sys.executable, "vrps": str(many_vrps), "routes": str(routes)}
    try:
        ended = subprocess.run(
            ["bash", "-c", f'exec "$PYTHON" -m rpkival {words}'],
            env=variables,
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writing)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_other_ends_keep_their_code() -> None:
    """Only a broken pipe is made a 0 of."""
    ended = shell("check --nonsense", "> /dev/null")
    assert ended.returncode == 2
    assert "--nonsense" in ended.stderr


def test_ctrl_c_is_quiet_while_modules_are_imported() -> None:
    """It takes a tenth of a second until the command line can catch it."""
    interrupted = """
import runpy, sys

class Interrupted:
    def find_spec(self, name, path=None, target=None):
        if name == "rpkival.cli.main":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupted())
sys.argv = ["rpkival", "--version"]
runpy.run_module("rpkival", run_name="__main__")
"""
    ended = subprocess.run([sys.executable, "-c", interrupted], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


THREADS = """
import pathlib
from rpkival.cli.main import main
try:
    main()
finally:
    import numpy
    print(len(list(pathlib.Path("/proc/self/task").iterdir())))
"""


def test_numpy_begins_no_threads() -> None:
    """One for each processor would cost addresses that workers need, and time."""
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    command = [sys.executable, "-c", THREADS, "--version"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "1"


LOADED = """
import sys
from rpkival.cli.main import main
try:
    main()
finally:
    print(*sys.modules.keys() & {"aiohttp", "asyncio", "prometheus_client", "rich", "structlog"})
"""


def test_a_run_that_fetches_nothing_loads_nothing_to_fetch_with(tmp_path: Path) -> None:
    """Nor an event loop, nor what colours logs: of a small tree's time the start is a quarter."""
    command = [sys.executable, "-c", LOADED, "validate", "--offline", "--quiet", "--output", "/dev/null"]
    ended = subprocess.run(
        [*command, "--repository-dir", tmp_path], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 3, ended.stderr
    assert ended.stdout.split() == []
