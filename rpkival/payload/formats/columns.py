"""Lists as a file gives them, row by row equal, to a checked and sorted VRP set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rpkival.asn import parse_asn
from rpkival.errors import AsnError, FormatError, LimitError, PrefixError
from rpkival.limits import MAX_ASN, MAX_UNIX_TIME, MAX_VRP_FILE_ANCHORS, MAX_VRPS
from rpkival.payload.vrps import VrpColumns, Vrps
from rpkival.prefixes import ADDRESS_BITS, Prefixes, Rows, split_families

__all__ = ["ABSENT", "RawVrps", "assemble", "numerals"]

ABSENT = -1
"""Stands for a max_length that a file leaves out: it is then the prefix length (RFC 9582 section 4.3.2.2)."""

_MAX_DIGITS = 18
"""What surely fits 64 bits; Python refuses to convert more than some thousand."""

_UNKNOWN = frozenset({"", "N/A"})
"""How files say that they do not know a name; N/A is Routinator's."""


@dataclass(slots=True)
class RawVrps:
    """One entry a VRP in each list; the lists that a file does not have stay empty."""

    prefixes: list[str]
    asns: Sequence[int | str]
    max_lengths: Sequence[int]
    trust_anchors: Sequence[str] = field(default_factory=tuple)
    expires: Sequence[int] = field(default_factory=tuple)
    sources: Sequence[str] = field(default_factory=tuple)


def assemble(raw: RawVrps, *, name: str) -> Vrps:
    """Sorted and unique. Raises `FormatError` that names a bad VRP (counted from 1), `LimitError`."""
    if len(raw.prefixes) > MAX_VRPS:
        raise LimitError(f"{name} has {len(raw.prefixes)} VRPs, more than {MAX_VRPS}; no honest set is that large.")
    asns = _asns(raw.asns, name)
    max_lengths = integers(raw.max_lengths, "max length", name)
    expires = _times(raw.expires, name) if raw.expires else None
    anchors, anchor_names = _numbered(raw.trust_anchors)
    if len(anchor_names) > MAX_VRP_FILE_ANCHORS:
        raise LimitError(f"{name} names {len(anchor_names)} trust anchors, more than {MAX_VRP_FILE_ANCHORS}.")
    sources, source_names = _numbered(raw.sources)
    try:
        families = split_families(raw.prefixes)
    except PrefixError as error:
        raise FormatError(f"{name}, VRP {error.row + 1}: {error}") from error
    parts = []
    for prefixes, rows in families:
        chosen = np.where(max_lengths[rows] == ABSENT, prefixes.length, max_lengths[rows])
        _check_max_lengths(prefixes, chosen, rows, name)
        parts.append(
            VrpColumns.of(
                prefixes,
                chosen.astype(np.uint8),
                asns[rows],
                # The unknown trust anchor is the first of the names.
                (anchors[rows] + 1).astype(np.uint16) if anchor_names else None,
                expires[rows] if expires is not None else None,
                sources[rows] if source_names else None,
            )
        )
    return Vrps(parts[0], parts[1], ("", *anchor_names), source_names).unique_sorted()


def integers(values: Sequence[int], what: str, name: str) -> NDArray[np.int64]:
    """`int64[n]`. Raises `FormatError` for the first that needs more than 64 bits."""
    try:
        return np.fromiter(values, np.int64, len(values))
    except OverflowError:
        row, value = next((row, value) for row, value in enumerate(values) if not -(2**63) <= value < 2**63)
        raise FormatError(f"{name}, VRP {row + 1}: {str(value)[:40]} is not a {what}.") from None


def _times(values: Sequence[int], name: str) -> NDArray[np.int64]:
    seconds = integers(values, "time", name)
    bad = np.flatnonzero((seconds < 0) | (seconds > MAX_UNIX_TIME))
    if len(bad):
        raise FormatError(f"{name}, VRP {int(bad[0]) + 1}: {seconds[bad[0]]} is not a time.")
    return seconds


def numerals(texts: Sequence[str], what: str, name: str) -> list[int]:
    """Decimal numbers as integers. Raises `FormatError` for the first text that is none."""
    joined = "".join(texts)
    if "" in texts or not (joined.isascii() and joined.isdecimal()) or max(map(len, texts)) > _MAX_DIGITS:
        for row, text in enumerate(texts):
            if not (text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS):
                raise FormatError(f"{name}, VRP {row + 1}: {text[:40]!r} is not a {what}.")
    return list(map(int, texts))


def _asns(values: Sequence[int | str], name: str) -> NDArray[np.uint32]:
    # numpy would read text too, but as Python's int does: " 1", "+1" and "1_0" as well.
    plain = values if set(map(type, values)) <= {int} else map(_plain_asn, values)
    try:
        asns = np.fromiter(plain, np.int64, len(values))
    except OverflowError:
        asns = np.full(len(values), -1, np.int64)
    if ((asns < 0) | (asns > MAX_ASN)).any():
        asns = np.fromiter((_asn_in(row, value, name) for row, value in enumerate(values)), np.int64, len(values))
    return asns.astype(np.uint32)


def _plain_asn(value: int | str) -> int:
    """`AS64496` or `64496` quickly; anything else is -1 and looked at again."""
    digits = value[2:] if isinstance(value, str) and value[:2] == "AS" else str(value)
    return int(digits) if len(digits) <= 10 and digits.isascii() and digits.isdecimal() else -1


def _asn_in(row: int, value: int | str, name: str) -> int:
    try:
        return parse_asn(value)
    except AsnError as error:
        raise FormatError(f"{name}, VRP {row + 1}: {error}") from error


def _check_max_lengths(prefixes: Prefixes, max_lengths: NDArray[Any], rows: Rows, name: str) -> None:
    """RFC 9582 section 4.3.2.2: at least the prefix length, at most the address's."""
    bad = np.flatnonzero((max_lengths < prefixes.length) | (max_lengths > ADDRESS_BITS[prefixes.family]))
    if len(bad):
        first = int(bad[0])
        text = prefixes.take(slice(first, first + 1)).texts()[0]
        raise FormatError(
            f"{name}, VRP {int(rows[first]) + 1}: max length {max_lengths[first]} is no length for {text}."
        )


def _numbered(names: Sequence[str]) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Each name's row in the names that follow, -1 for an unknown one."""
    known = tuple(name for name in dict.fromkeys(names) if name not in _UNKNOWN)
    rows = dict.fromkeys(_UNKNOWN, -1) | {name: row for row, name in enumerate(known)}
    return np.fromiter(map(rows.__getitem__, names), np.int32, len(names)), known
