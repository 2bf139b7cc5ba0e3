"""Which share of a payload each repository and each trust anchor has, and what of it may be unsafe to rest on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rpkival.payload.collect import roa_heads, said_prefixes
from rpkival.payload.payload import Payload
from rpkival.prefixes import Family, Prefixes, Words
from rpkival.validation.report import Share, ValidationRun

__all__ = ["KINDS", "overlapping", "with_shares"]

KINDS: Final = ("ipv4", "ipv6", "aspas", "router_keys")
"""Of `Share.kind`."""

_Ranges = tuple[tuple[int, int], ...]
_Key = tuple[str, str, str]
"""Trust anchor, repository and kind."""


def with_shares(run: ValidationRun, payload: Payload) -> ValidationRun:
    """The run with its reports completed; `payload` is what `collect` made of it."""
    valid, unique, unsafe = Counter[_Key](), Counter[_Key](), Counter[_Key]()
    _count_vrps(run, payload, valid, unique, unsafe)
    for kind, said in (
        ("aspas", ((each.trust_anchor, each.uri, 1) for each in run.aspas)),
        ("router_keys", ((each.trust_anchor, each.uri, _size(each.asns)) for each in run.router_keys)),
    ):
        _count(kind, said, run.servers, valid)
    for kind, had in (("aspas", payload.aspas), ("router_keys", payload.router_keys)):
        _count(kind, ((each.trust_anchor, each.source, 1) for each in had), run.servers, unique)

    def share(kind: str, *keys: _Key) -> Share:
        here, ours = (sum(number[key] for key in keys) for number in (valid, unique))
        return Share(kind, here, ours, here - ours, sum(unsafe[key] for key in keys))

    repositories = tuple(
        replace(each, shares=tuple(share(kind, (each.trust_anchor, each.uri, kind)) for kind in KINDS))
        for each in run.repositories
    )
    keys = {(anchor, server) for anchor, server, _ in valid}
    anchors = tuple(
        replace(
            each,
            shares=tuple(share(kind, *((*key, kind) for key in keys if key[0] == each.name)) for kind in KINDS),
        )
        for each in run.trust_anchors
    )
    return replace(run, trust_anchors=anchors, repositories=repositories)


def _count_vrps(
    run: ValidationRun, payload: Payload, valid: Counter[_Key], unique: Counter[_Key], unsafe: Counter[_Key]
) -> None:
    tables = run.roas.tables
    keys = [(table.trust_anchor, server) for table in tables for server in table.servers]
    starts = np.cumsum([0, *(len(table.servers) for table in tables)])
    # One row a ROA, as in `Vrps.source`.
    parts = [np.frombuffer(table.served_by, "<u4") + start for table, start in zip(tables, starts[:-1], strict=True)]
    served_by = np.concatenate([np.zeros(0, np.int64), *parts])
    heads = roa_heads(run)
    families: tuple[tuple[str, Family, _Ranges], ...] = (("ipv4", 4, run.lost.ipv4), ("ipv6", 6, run.lost.ipv6))
    for kind, family, lost in families:

        def add(number: Counter[_Key], rows: NDArray[Any], kind: str = kind) -> None:
            for (anchor, server), count in zip(keys, np.bincount(rows, minlength=len(keys)).tolist(), strict=True):
                number[anchor, server, kind] += count

        said = np.repeat(served_by, heads[kind])
        add(valid, said)
        add(unique, served_by[payload.vrps.family(family).source])
        if lost:
            add(unsafe, said[overlapping(said_prefixes(run, family), lost)])


def _count(
    kind: str,
    said: Iterable[tuple[str, str, int]],
    servers: Mapping[tuple[str, str], str],
    number: Counter[_Key],
) -> None:
    """What is said so often under a trust anchor by the object of a URI."""
    for anchor, uri, times in said:
        number[anchor, servers.get((anchor, f"{uri.rpartition('/')[0]}/"), ""), kind] += times


def _size(ranges: _Ranges) -> int:
    return sum(last - first + 1 for first, last in ranges)


def overlapping(prefixes: Prefixes, ranges: _Ranges) -> NDArray[np.bool_]:
    """`bool[n]`: whether a prefix shares an address with any of the ranges, which are in order and apart."""
    starts, ends = prefixes.words, prefixes.last_words()
    firsts, lasts = (_words(prefixes.family, addresses) for addresses in zip(*ranges, strict=True))
    found = _touching(firsts[0], lasts[0], starts[0], ends[0])
    if prefixes.family == 6:
        # Few are left whose upper halves touch; only those are compared as a whole, which takes longer.
        rows = np.flatnonzero(found)
        chosen = (tuple(word[rows] for word in words) for words in (starts, ends))
        found[rows] = _touching(*map(_octets, (firsts, lasts, *chosen)))
    return found


def _touching(firsts: NDArray[Any], lasts: NDArray[Any], starts: NDArray[Any], ends: NDArray[Any]) -> NDArray[np.bool_]:
    """For each pair of ends, whether more ranges have begun there than are over where it starts."""
    return np.searchsorted(firsts, ends, side="right") > np.searchsorted(lasts, starts, side="left")


def _words(family: Family, addresses: Sequence[int]) -> Words:
    return Prefixes.of_integers(family, addresses, [0] * len(addresses)).words


def _octets(words: Words) -> NDArray[Any]:
    """IPv6 addresses as sixteen octets each, which sort as they do."""
    return np.stack(words, axis=1).astype(">u8").view("S16")[:, 0]
