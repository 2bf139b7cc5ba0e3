"""The command line in this process, with the user's directories elsewhere."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog

from rpkival.cli.logs import configure_logs
from rpkival.cli.main import main


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def platform_directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes what belongs to whoever runs it."""
    for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))


@pytest.fixture(autouse=True)
def logs_of_this_test_only() -> Iterator[None]:
    """A command sends logs to the standard error of its test, which later tests do not have."""
    root = logging.getLogger()
    yield
    structlog.reset_defaults()
    for handler in list(root.handlers):
        if type(handler).__module__ == configure_logs.__module__:
            root.removeHandler(handler)


@pytest.fixture
def rpkival(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ended]:
    """`rpkival("check", "192.0.2.0/24", ...)` runs a command to its end."""

    def run(*words: str | Path) -> Ended:
        monkeypatch.setattr(sys, "argv", ["rpkival", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capfd.readouterr()
        return Ended(int(ended.value.code or 0), captured.out, captured.err)

    return run
