"""Lines of text from columns, without a Python object for each row.

A text column is `uint8[n, width]`: each row's bytes with zeros anywhere between. Columns are laid side by side and the
zeros dropped, all rows at once; so a writer of a format is the list of its fields.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rpkival.payload.vrps import VrpColumns
from rpkival.prefix_text import ipv6_texts
from rpkival.prefixes import Prefixes

__all__ = ["Field", "TextColumn", "chosen", "decimals", "lines", "prefix_texts"]

TextColumn: TypeAlias = NDArray[np.uint8]
Field: TypeAlias = TextColumn | bytes

_ROWS_AT_ONCE = 1 << 16
"""Keeps memory flat and the first bytes early."""


def lines(columns: VrpColumns, fields: Callable[[VrpColumns], Sequence[Field]]) -> Iterator[bytes]:
    """The text of all rows, in chunks that end with a row; `fields` gives the fields of some of them."""
    for start in range(0, len(columns), _ROWS_AT_ONCE):
        part = columns.take(slice(start, start + _ROWS_AT_ONCE))
        laid = [_laid(field, len(part)) for field in fields(part)]
        text = np.concatenate(laid, axis=1)
        yield text[text != 0].tobytes()


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
    """`texts[row]` of each row."""
    width = max(map(len, texts), default=0) or 1
    table = np.array(texts, f"S{width}").view(np.uint8).reshape(-1, width)
    return table[rows.astype(np.int64)]


def prefix_texts(prefixes: Prefixes) -> tuple[Field, ...]:
    """Address, slash and length."""
    length = decimals(prefixes.length)
    if prefixes.family == 6:
        addresses = np.array(ipv6_texts(*prefixes.words), "S45")
        return addresses.view(np.uint8).reshape(-1, 45), b"/", length
    octets = prefixes.words[0].astype(">u4").view(np.uint8).reshape(-1, 4)
    a, b, c, d = (_OCTETS[octets[:, place]] for place in range(4))
    return a, b".", b, b".", c, b".", d, b"/", length


def _laid(field: Field, n: int) -> TextColumn:
    return np.broadcast_to(np.frombuffer(field, np.uint8), (n, len(field))) if isinstance(field, bytes) else field


_OCTETS = decimals(np.arange(256))
