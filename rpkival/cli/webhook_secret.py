"""Webhook secrets of the command line: from a file or the environment, never an option, which every user can see."""

from __future__ import annotations

import os
from pathlib import Path

from rpkival.alerts.signature import Secret, read_secrets
from rpkival.errors import UsageError

__all__ = ["VARIABLE", "webhook_secrets"]

VARIABLE = "RPKIVAL_WEBHOOK_SECRET"
"""One secret, or two while rotating, with a space between them."""


def webhook_secrets(path: Path | None) -> tuple[Secret, ...]:
    """The secrets of a file, or of the environment where there is none. Raises `UsageError`."""
    if path is not None:
        return read_secrets(path)
    words = os.environ.get(VARIABLE, "").split()
    if not words:
        raise UsageError(
            "A webhook needs a secret, or receivers could not tell our alerts from others'; put one in a file and name"
            f" it with the option for secret files, or set {VARIABLE}."
        )
    return tuple(map(Secret.parse, words))
