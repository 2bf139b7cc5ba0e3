"""Logs: to standard error, as text for people at a terminal and as JSON lines for everybody else."""

from __future__ import annotations

import logging
import sys

import structlog

from rpkival.log import console_renderer

__all__ = ["configure_logs"]

_SHOWN_CHARACTERS = 500
"""Of what a library tells: HTTP clients can make aiohttp quote 8 kB of theirs."""


def configure_logs(*, quiet: bool = False, verbose: bool = False) -> None:
    """Set up structlog for this process: warnings only when quiet, debug too when verbose."""
    level = logging.WARNING if quiet else logging.DEBUG if verbose else logging.INFO
    last: list[structlog.typing.Processor]
    if sys.stderr.isatty():
        last = [console_renderer()]
    else:
        last = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    root = logging.getLogger()
    for handler in [each for each in root.handlers if isinstance(each, _Libraries)]:
        root.removeHandler(handler)
    root.addHandler(_Libraries(tracebacks=verbose))


class _Libraries(logging.Handler):
    """What libraries log, as one event a record: a traceback of theirs would break the lines of JSON."""

    def __init__(self, *, tracebacks: bool) -> None:
        super().__init__()
        self._tracebacks = tracebacks

    def emit(self, record: logging.LogRecord) -> None:
        about: dict[str, object] = {"logger": record.name, "message": _one_line(record.getMessage())}
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            about["error"] = _one_line(f"{type(error).__name__}: {error}")
            if self._tracebacks:
                about["exc_info"] = record.exc_info
        # For aiohttp each request that is no HTTP is an error; it is the client's, and answered.
        level = min(record.levelno, logging.WARNING) if record.name == "aiohttp.server" else record.levelno
        structlog.get_logger().log(level, "library_log", **about)


def _one_line(text: str) -> str:
    return " ".join(text.split())[:_SHOWN_CHARACTERS]
