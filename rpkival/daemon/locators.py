"""Trust anchor locators from files: those named, or the five registries' that ship with us."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rpkival.errors import FormatError, InputError, LimitError, UsageError
from rpkival.objects.constraints import parse_constraints
from rpkival.objects.tal import Tal, Terms, parse_tal
from rpkival.resources import resource

__all__ = ["read_locators"]


def read_locators(
    paths: Sequence[Path] = (), constraints: Sequence[Path] = (), *, reconsidered: bool = False
) -> tuple[Tal, ...]:
    """One locator a file, named as the file, with the constraints that are to bind its trust anchor.

    NAME.constraints beside NAME.tal binds NAME, and so does one of `constraints` of that name, which goes before it.
    If `reconsidered`, certificates of RFC 8360 are taken.

    Raises `UsageError`, `FormatError`, `LimitError` that name the file.
    """
    found: dict[str, Tal] = {}
    bounds = {path.stem: path for path in constraints}
    for path in paths or sorted(resource("tals").glob("*.tal")):
        if path.stem in found:
            raise UsageError(f"Two trust anchor locators are named {path.stem}; give each its own name.")
        try:
            tal = parse_tal(_read(path, "trust anchor locator"), "it")
        except (InputError, LimitError) as error:
            raise FormatError(f"{path} is not a trust anchor locator: {error}") from error
        beside = path.with_suffix(".constraints")
        bound = bounds.pop(path.stem, beside if beside.exists() else None)
        bounds_of = None if bound is None else parse_constraints(_read(bound, "file of constraints"), str(bound))
        found[path.stem] = replace(tal, name=path.stem, terms=Terms(bounds_of, reconsidered))
    if bounds:
        name = next(iter(bounds))
        raise UsageError(f"There are constraints for {name}, but no trust anchor locator {name}.tal.")
    return tuple(found.values())


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"The {what} {path} cannot be read: {error.strerror}.") from error
