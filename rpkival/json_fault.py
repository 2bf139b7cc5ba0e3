"""What is wrong with a JSON document, from msgspec's words, which are of Python's types, to those of JSON."""

from __future__ import annotations

import re
from typing import Any, get_args, get_origin

import msgspec

__all__ = ["json_fault"]

_WORDS = {
    "int": "a whole number",
    "float": "a number with a fraction",
    "str": "text in quotes",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
}


def json_fault(error: msgspec.ValidationError, kind: type[msgspec.Struct] | None = None) -> str:
    """Where a document is not of `kind`, and how: `$.slurmVersion: expected a whole number, got text in quotes`."""
    what, _, place = str(error).partition(" - at `$")
    place = place.removesuffix("`")
    if unknown := re.search(r"unknown field `(.*)`", what):
        told = f"there is no member {unknown[1]!r}, only {', '.join(_members(kind, place))}"
    elif missing := re.search(r"missing required field `(.*)`", what):
        told = f"the member {missing[1]!r} is missing"
    else:
        told = re.sub(r"`(\w+(?: \| \w+)*)`", lambda types: _in_words(types[1]), what)
        told = told[:1].lower() + told[1:]
    return f"${place}: {told}" if place else f"its top: {told}"


def _in_words(types: str) -> str:
    # What may be left out may also be null, which nobody has to be told who wrote something else.
    return " or ".join(_WORDS.get(each, each) for each in types.removesuffix(" | null").split(" | "))


def _members(kind: Any, place: str) -> list[str]:
    """Of the objects at a place as `.validationOutputFilters.prefixFilters[0]`."""
    for name in re.findall(r"\.(\w+)", place):
        kind = next(field.type for field in msgspec.structs.fields(kind) if field.encode_name == name)
        kind = get_args(kind)[0] if get_origin(kind) is list else kind
    return [field.encode_name for field in msgspec.structs.fields(kind)]
