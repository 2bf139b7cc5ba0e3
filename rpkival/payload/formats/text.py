"""Lines of text from columns, without a Python object for each row.

A text column is `uint8[n, width]`: each row's bytes with zeros anywhere between. Columns are laid side by side and the
zeros dropped, all rows at once; so a writer of a format is the list of its fields.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rpkival.payload.vrps import VrpColumns, Vrps
from rpkival.prefix_text import ipv6_texts
from rpkival.prefixes import Prefixes

__all__ = [
    "Field",
    "TextColumn",
    "chosen",
    "decimals",
    "family_lines",
    "joined",
    "lines",
    "prefix_texts",
    "times",
    "where",
]

TextColumn: TypeAlias = NDArray[np.uint8]
Field: TypeAlias = TextColumn | bytes

_ROWS_AT_ONCE = 1 << 14
"""Keeps memory flat, also where names are as long as they may be, and the first bytes early."""


def lines(vrps: Vrps, fields: Callable[[VrpColumns], Sequence[Field]]) -> Iterator[bytes]:
    """The text of all rows, IPv4 first, in chunks that end with a row; `fields` gives the fields of some of them."""
    for columns in (vrps.ipv4, vrps.ipv6):
        yield from family_lines(columns, fields)


def family_lines(columns: VrpColumns, fields: Callable[[VrpColumns], Sequence[Field]]) -> Iterator[bytes]:
    """As `lines`, of one family."""
    for start in range(0, len(columns), _ROWS_AT_ONCE):
        part = columns.take(slice(start, start + _ROWS_AT_ONCE))
        laid = [_laid(field, len(part)) for field in fields(part)]
        text = np.concatenate(laid, axis=1)
        yield text[text != 0].tobytes()


def joined(chunks: Iterable[bytes], separator: bytes) -> Iterator[bytes]:
    """`chunks` of rows that each end in `separator`, without the last one: JSON has none behind the last of a list."""
    between = b""
    for chunk in chunks:
        yield between + chunk[: -len(separator)]
        between = separator


def decimals(values: NDArray[Any], *, blank_zero: bool = False) -> TextColumn:
    """Numbers from 0 up, in decimal; 0 as nothing under `blank_zero`."""
    numbers = values.astype(np.uint64)
    digits = len(str(int(numbers.max(initial=0))))
    column = np.zeros((len(numbers), digits), np.uint8)
    for place in range(digits - 1, -1, -1):
        # A leading zero is where nothing is left of the number, except that zero itself has one digit.
        shown = numbers > 0
        if place == digits - 1 and not blank_zero:
            shown[:] = True
        column[:, place] = np.where(shown, numbers % np.uint64(10) + np.uint64(ord("0")), 0)
        numbers //= np.uint64(10)
    return column


def chosen(texts: Sequence[bytes], rows: NDArray[Any]) -> TextColumn:
    """`texts[row]` of each row; -1 is the last."""
    at = rows.astype(np.int64)
    if len(texts) > len(rows):
        # A table of all objects of the world, as wide as the longest name of a stranger, is made of those that occur.
        occurring, at = np.unique(at, return_inverse=True)
        texts = [texts[row] for row in occurring.tolist()]
    width = max(map(len, texts), default=0) or 1
    table = np.array(texts, f"S{width}").view(np.uint8).reshape(-1, width)
    return table[at]


def prefix_texts(prefixes: Prefixes) -> tuple[Field, ...]:
    """Address, slash and length."""
    length = decimals(prefixes.length)
    if prefixes.family == 6:
        addresses = np.array(ipv6_texts(*prefixes.words), "S45")
        return addresses.view(np.uint8).reshape(-1, 45), b"/", length
    octets = prefixes.words[0].astype(">u4").view(np.uint8).reshape(-1, 4)
    a, b, c, d = (_OCTETS[octets[:, place]] for place in range(4))
    return a, b".", b, b".", c, b".", d, b"/", length


def times(seconds: NDArray[np.int64], *, known: tuple[bytes, bytes, bytes], unknown: bytes) -> TextColumn:
    """Unix seconds as date and time of day with the three `known` before, between and behind them; 0 as `unknown`."""
    if not seconds.any():
        return _laid(unknown, len(seconds))
    days, second = np.divmod(seconds, 86_400)
    dates, date = np.unique(days, return_inverse=True)
    minute = second // 60
    fields: tuple[Field, ...] = (
        known[0],
        chosen(np.datetime_as_string(dates.astype("M8[D]")).astype(bytes).tolist(), date),
        known[1],
        *(_PAIRS[minute // 60], b":", _PAIRS[minute % 60], b":", _PAIRS[second % 60]),
        known[2],
    )
    text = np.concatenate([_laid(field, len(seconds)) for field in fields], axis=1)
    instead = np.frombuffer(unknown.ljust(text.shape[1], b"\0"), np.uint8)
    return np.where(seconds[:, None] == 0, instead, text)


def where(shown: NDArray[np.bool_], field: Field) -> TextColumn:
    """`field` in the rows that are `shown`, nothing in the others."""
    return _laid(field, len(shown)) * shown[:, None]


def _laid(field: Field, n: int) -> TextColumn:
    return np.broadcast_to(np.frombuffer(field, np.uint8), (n, len(field))) if isinstance(field, bytes) else field


_OCTETS = decimals(np.arange(256))
_PAIRS = np.array([b"%02d" % number for number in range(60)]).view(np.uint8).reshape(-1, 2)
