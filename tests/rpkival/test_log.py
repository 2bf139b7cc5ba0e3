"""Tests for rpkival.log."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
import structlog

from rpkival.log import Log


@pytest.fixture
def nobody_has_set_up_logs() -> Iterator[None]:
    """As it is in a verb that runs and ends."""
    configured, before = structlog.is_configured(), structlog.get_config()
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
    if configured:
        structlog.configure(**before)


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_an_event_is_told_at_its_level(level: str) -> None:
    """With what there is to know about it."""
    with structlog.testing.capture_logs() as logs:
        getattr(Log("rpkival"), level)("something_happened", level="ours", count=3)
    assert logs == [{"event": "something_happened", "level": "ours", "count": 3, "log_level": level}]


def test_an_exception_is_told_with_its_traceback() -> None:
    """Of the one that is being handled."""
    with structlog.testing.capture_logs() as logs:
        try:
            int("no number")
        except ValueError:
            Log("rpkival").exception("something_broke", uri="rsync://h.example/m/")
    assert logs == [{"event": "something_broke", "uri": "rsync://h.example/m/", "exc_info": True, "log_level": "error"}]


@pytest.mark.usefixtures("nobody_has_set_up_logs")
def test_standard_output_is_for_what_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """A line of a log in a payload would break its format."""
    Log("rpkival").error("store_damaged", reason="not a database")
    out, err = capsys.readouterr()
    assert out == ""
    assert "store_damaged" in err
    assert "not a database" in err


@pytest.mark.usefixtures("nobody_has_set_up_logs")
def test_a_traceback_has_no_values_of_variables(tell_no_secret: Callable[[], None]) -> None:
    """Keys and secrets would be among them."""
    tell_no_secret()


def test_structlog_is_loaded_when_there_is_something_to_say() -> None:
    """Not by who may have something to say."""
    code = (
        "import sys; from rpkival.log import Log; log = Log('a'); assert 'structlog' not in sys.modules; "
        "log.info('b'); assert 'structlog' in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0
