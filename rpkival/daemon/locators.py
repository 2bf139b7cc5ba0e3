"""Trust anchor locators from files: those named, or the five registries' that ship with us."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rpkival.errors import FormatError, InputError, LimitError, UsageError
from rpkival.objects.tal import Tal, parse_tal
from rpkival.resources import resource

__all__ = ["read_locators"]


def read_locators(paths: Sequence[Path] = ()) -> tuple[Tal, ...]:
    """One locator a file, named as the file. Raises `UsageError`, `FormatError` that name the file."""
    found: dict[str, Tal] = {}
    for path in paths or sorted(resource("tals").glob("*.tal")):
        if path.stem in found:
            raise UsageError(f"Two trust anchor locators are named {path.stem}; give each its own name.")
        try:
            found[path.stem] = parse_tal(path.read_bytes(), path.stem)
        except OSError as error:
            raise UsageError(f"The trust anchor locator {path} cannot be read: {error.strerror}.") from error
        except (InputError, LimitError) as error:
            raise FormatError(f"{path} is not a trust anchor locator: {error}") from error
    return tuple(found.values())
