"""Logs: whatever is logged, and by whomever, a line of JSON is an event."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from rpkival.cli.logs import configure_logs
from rpkival.http_server import listen

JUNK = {
    "url": b"GET %ZZ HTTP/1.1\r\n\r\n",
    "length": b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    "long-url": b"GET /" + b"a" * 10_000 + b" HTTP/1.1\r\n\r\n",
    "long-header": b"GET / HTTP/1.1\r\nX: " + b"a" * 10_000 + b"\r\n\r\n",
}


def events(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What was logged; each line must be JSON."""
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
async def test_a_request_that_is_no_http_is_one_warning(junk: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    """Anybody can send one, so it is neither an error nor a page of traceback."""
    configure_logs()
    server = await listen(web.Application(), "127.0.0.1", 0, "A web server")
    try:
        reader, writer = await asyncio.open_connection(*server.address)
        writer.write(junk)
        assert b" 400 " in await reader.readline()
        writer.close()
    finally:
        await server.close()

    (event,) = events(capsys)
    assert (event["level"], event["logger"]) == ("warning", "aiohttp.server")
    assert event["message"] == "Error handling request from 127.0.0.1"
    assert ": 400, message:" in event["error"]
    assert len(event["error"]) <= 500
    assert "exception" not in event


def fault() -> None:
    """A library that logs a fault of its own."""
    try:
        int("two\nlines")
    except ValueError:
        logging.getLogger("library.part").exception("it %s", "failed")


def test_a_fault_of_a_library_keeps_its_level(capsys: pytest.CaptureFixture[str]) -> None:
    """With the error as text, on one line."""
    configure_logs(quiet=True)
    fault()
    (event,) = events(capsys)
    del event["timestamp"]
    assert event == {
        "event": "library_log",
        "level": "error",
        "logger": "library.part",
        "message": "it failed",
        "error": r"ValueError: invalid literal for int() with base 10: 'two\nlines'",
    }


def test_verbose_logs_have_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    """Inside the event; and a second call does not log twice."""
    configure_logs()
    configure_logs(verbose=True)
    fault()
    (event,) = events(capsys)
    assert event["exception"].startswith("Traceback")


def test_a_terminal_is_shown_no_values_of_variables(
    tell_no_secret: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A traceback has the secrets of webhooks among them, and runs to thousands of lines."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    configure_logs()
    tell_no_secret()
