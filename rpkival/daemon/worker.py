"""`python -m rpkival.daemon.worker`: one job on standard input, its outcome or its error on standard output.

Validation is minutes of computing on bytes from strangers. In a process of its own it cannot delay a router, its memory
goes back to the system, and what breaks it breaks only this run.
"""

from __future__ import annotations

import pickle
import signal
import sys
from types import FrameType

from rpkival.daemon.job import run
from rpkival.errors import RpkivalError
from rpkival.garbage import collect_rarely

__all__ = ["main"]


def main() -> None:
    """Read the job, do it, write what came of it."""
    signal.signal(signal.SIGTERM, _leave)
    collect_rarely()
    job = pickle.load(sys.stdin.buffer)  # noqa: S301 - the parent process wrote it
    try:
        answer: object = run(job)
    except RpkivalError as error:
        answer = error
    pickle.dump(answer, sys.stdout.buffer, pickle.HIGHEST_PROTOCOL)
    sys.stdout.buffer.flush()


def _leave(number: int, _frame: FrameType | None) -> None:
    """As an exception, so that an rsync under way is ended with us."""
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
