"""What the rooms log by: structlog, which is loaded when there is something to say.

It brings along rich and asyncio, and takes longer to load than many a verb takes to run.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from structlog.typing import Processor

__all__ = ["Log", "console_renderer"]


def console_renderer() -> Processor:
    """What makes of an event a line for people.

    Tracebacks are plain: structlog would show all variables on the way, with the keys and secrets among them.
    """
    import structlog

    return structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)


class Log:
    """A logger of this name, with structlog's ways to say an event and what there is to know about it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def debug(self, event: str, **about: object) -> None:
        """What only `--verbose` shows."""
        self._say("debug", event, about)

    def info(self, event: str, **about: object) -> None:
        """What goes on."""
        self._say("info", event, about)

    def warning(self, event: str, **about: object) -> None:
        """What somebody may want to look at."""
        self._say("warning", event, about)

    def error(self, event: str, **about: object) -> None:
        """What somebody should look at."""
        self._say("error", event, about)

    def exception(self, event: str, **about: object) -> None:
        """A fault of ours, with the traceback of the exception that is being handled."""
        self._say("exception", event, about)

    def _say(self, level: str, event: str, about: dict[str, object]) -> None:
        import structlog

        # Where nobody has set up logs, a verb prints what it was asked for: standard output is for that alone.
        logger = (
            structlog.get_logger(self._name)
            if structlog.is_configured()
            else structlog.wrap_logger(
                structlog.PrintLogger(sys.stderr),
                processors=[
                    structlog.processors.add_log_level,
                    structlog.processors.TimeStamper(fmt="iso", utc=True),
                    console_renderer(),
                ],
            )
        )
        getattr(logger, level)(event, **about)
