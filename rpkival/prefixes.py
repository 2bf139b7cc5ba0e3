"""Columns of IP prefixes of one family: parse, format, mask, sort, compare.

An address is one or two machine words, most significant first: one uint32 for IPv4, two uint64 for IPv6. Code that
loops over `words` serves both families, and no Python object is made for a single prefix. A single question is a
batch of one.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import compress
from operator import not_
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rpkival.errors import PrefixError
from rpkival.prefix_text import ipv4_columns, ipv4_texts, ipv6_columns, ipv6_texts

__all__ = ["Family", "Prefixes", "Rows", "Words", "format_prefix", "parse_prefix", "split_families"]

Family: TypeAlias = Literal[4, 6]
Words: TypeAlias = tuple[NDArray[Any], ...]
Rows: TypeAlias = NDArray[np.int64]

_WORD_BITS: dict[Family, int] = {4: 32, 6: 64}
_WORD_DTYPE: dict[Family, Any] = {4: np.uint32, 6: np.uint64}
ADDRESS_BITS: dict[Family, int] = {4: 32, 6: 128}


@dataclass(frozen=True, slots=True, eq=False)
class Prefixes:
    """`n` prefixes of one family.

    `words`: the addresses, `(uint32[n],)` for IPv4 and `(uint64[n], uint64[n])` (high, low) for IPv6.
    `length`: `uint8[n]`, the prefix lengths in bits.
    """

    words: Words
    length: NDArray[np.uint8]

    @property
    def family(self) -> Family:
        """4 or 6."""
        return 4 if len(self.words) == 1 else 6

    def __len__(self) -> int:
        return len(self.length)

    @classmethod
    def empty(cls, family: Family) -> Prefixes:
        """No prefixes of this family."""
        words = tuple(np.zeros(0, _WORD_DTYPE[family]) for _ in range(1 if family == 4 else 2))
        return cls(words, np.zeros(0, np.uint8))

    @classmethod
    def of_integers(cls, family: Family, addresses: Sequence[int], lengths: Sequence[int]) -> Prefixes:
        """Build from addresses as Python integers. Raises `PrefixError` where a length is beyond the family's."""
        length = np.array(lengths, np.int64)
        bad = np.flatnonzero((length < 0) | (length > ADDRESS_BITS[family]))
        if len(bad):
            row = int(bad[0])
            raise PrefixError(f"Prefix length {lengths[row]} does not exist in IPv{family}.", row)
        if family == 4:
            return cls((np.array(addresses, np.uint32),), length.astype(np.uint8))
        high = np.array([address >> 64 for address in addresses], np.uint64)
        low = np.array([address & 0xFFFF_FFFF_FFFF_FFFF for address in addresses], np.uint64)
        return cls((high, low), length.astype(np.uint8))

    @classmethod
    def concat(cls, parts: Sequence[Prefixes]) -> Prefixes:
        """All rows of `parts` (at least one, all of one family), in order."""
        words = tuple(np.concatenate(columns) for columns in zip(*(part.words for part in parts), strict=True))
        return cls(words, np.concatenate([part.length for part in parts]))

    def take(self, rows: Rows | NDArray[np.bool_] | slice) -> Prefixes:
        """The given rows, as numpy indexing selects them."""
        return Prefixes(tuple(word[rows] for word in self.words), self.length[rows])

    def masked(self, length: NDArray[np.uint8] | int | None = None) -> Prefixes:
        """Each prefix cut to `length` bits (default its own), all bits behind it zero."""
        lengths = self.length if length is None else np.broadcast_to(np.asarray(length, np.uint8), self.length.shape)
        masks = word_masks(self.family, lengths)
        return Prefixes(tuple(word & mask for word, mask in zip(self.words, masks, strict=True)), lengths)

    def host_bits(self) -> NDArray[np.bool_]:
        """`bool[n]`: True where a bit behind the prefix length is set."""
        masks = word_masks(self.family, self.length)
        found = np.zeros(len(self), np.bool_)
        for word, mask in zip(self.words, masks, strict=True):
            found |= (word & ~mask) != 0
        return found

    def last_words(self) -> Words:
        """The last address of each prefix, as `words`."""
        masks = word_masks(self.family, self.length)
        return tuple(word | ~mask for word, mask in zip(self.words, masks, strict=True))

    def order(self, *then: NDArray[Any]) -> Rows:
        """Rows that sort by address, then length, then the columns of `then` in turn."""
        return np.lexsort((*reversed(then), self.length, *reversed(self.words)))

    def equal(self, other: Prefixes) -> NDArray[np.bool_]:
        """`bool[n]`: row by row equality of two columns of the same length and family."""
        same = self.length == other.length
        for mine, theirs in zip(self.words, other.words, strict=True):
            same = same & (mine == theirs)
        return np.asarray(same, np.bool_)

    def integers(self) -> list[int]:
        """The addresses as Python integers; for edges, not for hot loops."""
        if self.family == 4:
            return [int(word) for word in self.words[0]]
        return [(int(high) << 64) | int(low) for high, low in zip(*self.words, strict=True)]

    def texts(self) -> list[str]:
        """Canonical text (RFC 5952 for IPv6) of each prefix."""
        addresses = ipv4_texts(*self.words) if self.family == 4 else ipv6_texts(*self.words)
        return [f"{address}/{length}" for address, length in zip(addresses, self.length.tolist(), strict=True)]


def _mask_table(family: Family) -> Words:
    """The network mask of each length that the family has, as words."""
    bits, word_bits = ADDRESS_BITS[family], _WORD_BITS[family]
    masks = [(1 << bits) - (1 << (bits - length)) for length in range(bits + 1)]
    word = 2**word_bits - 1
    return tuple(
        np.array([mask >> (bits - word_bits - start) & word for mask in masks], _WORD_DTYPE[family])
        for start in range(0, bits, word_bits)
    )


_MASKS: dict[Family, Words] = {4: _mask_table(4), 6: _mask_table(6)}


def word_masks(family: Family, length: NDArray[np.uint8]) -> Words:
    """For each length, the network mask as words."""
    return tuple(table[length] for table in _MASKS[family])


def parse_prefix(text: str) -> Prefixes:
    """One prefix, strictly: no host bits, no missing length. Raises `PrefixError`."""
    (ipv4, _), (ipv6, _) = split_families([text.strip()])
    return ipv4 if len(ipv4) else ipv6


def format_prefix(prefixes: Prefixes, row: int = 0) -> str:
    """Text of one row."""
    return prefixes.take(slice(row, row + 1)).texts()[0]


def split_families(texts: Iterable[str]) -> tuple[tuple[Prefixes, Rows], tuple[Prefixes, Rows]]:
    """Parse prefixes of both families, strictly: no host bits, no missing length.

    Returns IPv4 then IPv6, each as its prefixes and `int64[n]`, the rows of `texts` they stand in. Raises `PrefixError`
    whose `row` is the first text that is not a prefix.
    """
    rows = texts if isinstance(texts, list) else list(texts)
    colons = [":" in text for text in rows]
    is_ipv6 = np.array(colons, np.bool_)
    ipv4 = ipv4_columns(list(compress(rows, map(not_, colons))))
    ipv6 = ipv6_columns(list(compress(rows, colons)))
    if ipv4 is None or ipv6 is None:
        raise _first_error(rows)
    prefixes4, prefixes6 = Prefixes(ipv4[:1], ipv4[1]), Prefixes(ipv6[:2], ipv6[2])
    if prefixes4.host_bits().any() or prefixes6.host_bits().any():
        raise _first_error(rows)
    return (prefixes4, np.flatnonzero(~is_ipv6)), (prefixes6, np.flatnonzero(is_ipv6))


def _first_error(texts: list[str]) -> PrefixError:
    """The error of the first text that is not a prefix; at least one must be none."""
    for row, text in enumerate(texts):
        columns = ipv6_columns([text]) if ":" in text else ipv4_columns([text])
        if columns is None or Prefixes(columns[:-1], columns[-1]).host_bits()[0]:
            return PrefixError(_why_not_a_prefix(text), row)
    raise AssertionError("every text is a prefix")


def _why_not_a_prefix(text: str) -> str:
    if "/" not in text:
        return f"{_shortened(text)} has no prefix length; write it as 192.0.2.0/24 or 2001:db8::/32."
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        network = None
    if network is None or "%" in text:
        return f"{_shortened(text)} is not an IP prefix; write it as 192.0.2.0/24 or 2001:db8::/32."
    if str(network.network_address) == text.partition("/")[0]:
        return f"{_shortened(text)} is not written as a prefix usually is; write it as {network}."
    return f"{_shortened(text)} has host bits set; did you mean {network}?"


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
