"""The history in the database: written once with each change of the payload, asked for by time, prefix and AS."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from itertools import islice

from rpkival.history.record import Change
from rpkival.limits import MAX_HISTORY_ROWS, MAX_HISTORY_ROWS_PER_CHANGE
from rpkival.prefixes import Prefixes, split_families
from rpkival.storage import Database

__all__ = ["History", "Recorded"]

_COLUMNS = "announced, kind, prefix, max_length, asn, value, trust_anchor, source, cause, sentence"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A change that was kept. `at` is unix seconds; `serial` that of RTR from which it is in force."""

    number: int
    at: float
    serial: int
    change: Change


class History:
    """What changed, the newest first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, changes: Iterable[Change], at: float, serial: int) -> int:
        """Keep the changes of one serial, all or none; how many there were kept. Raises `StateError`.

        Of more than `MAX_HISTORY_ROWS_PER_CHANGE` the rest is left out.
        """
        rows = list(islice(changes, MAX_HISTORY_ROWS_PER_CHANGE))
        ranges = _ranges([row.prefix for row in rows])
        self._database.write_many(
            f"INSERT INTO changes (at, serial, {_COLUMNS}, first, last) VALUES ({', '.join('?' * 14)})",  # noqa: S608 - constants
            [(at, serial, *astuple(row), *ends) for row, ends in zip(rows, ranges, strict=True)],
        )
        return len(rows)

    def list(
        self,
        *,
        since: float = 0,
        before: int | None = None,
        prefix: str = "",
        asn: int | None = None,
        cause: str = "",
        limit: int = 100,
    ) -> list[Recorded]:
        """The newest first: from `since` on, numbered below `before`, of what covers `prefix` or lies in it, of an AS.

        Raises `PrefixError`, `StateError`.
        """
        conditions, parameters = ["at >= ?"], [since]
        values: list[object] = [*parameters]
        if before is not None:
            conditions.append("number < ?")
            values.append(before)
        if prefix:
            first, last = _ranges([prefix])[0]
            conditions.append("((first <= ? AND last >= ?) OR (first >= ? AND last <= ?))")
            values += [first, last, first, last]
        if asn is not None:
            conditions.append("asn = ?")
            values.append(asn)
        if cause:
            conditions.append("cause = ?")
            values.append(cause)
        rows = self._database.rows(
            f"SELECT number, at, serial, {_COLUMNS} FROM changes WHERE {' AND '.join(conditions)}"  # noqa: S608 - constants
            " ORDER BY number DESC LIMIT ?",
            (*values, limit),
        )
        return [
            Recorded(
                row.pop("number"),
                row.pop("at"),
                row.pop("serial"),
                Change(**{**row, "announced": bool(row["announced"])}),
            )
            for row in rows
        ]

    def prune(self, before: float) -> int:
        """Forget what is older than `before`, and the oldest beyond `MAX_HISTORY_ROWS`; how many rows went."""
        return self._database.write(
            "DELETE FROM changes WHERE at < ? OR number <= (SELECT max(number) FROM changes) - ?",
            (before, MAX_HISTORY_ROWS),
        )


def _ranges(texts: list[str]) -> list[tuple[str, str]]:
    """First and last address of each prefix as text that sorts as addresses do; IPv4 before IPv6, "" for none."""
    ranges = [("", "")] * len(texts)
    at = [row for row, text in enumerate(texts) if text]
    for prefixes, rows in split_families([texts[row] for row in at]):
        for ends, row in zip(_ends(prefixes), rows.tolist(), strict=True):
            ranges[at[row]] = ends
    return ranges


def _ends(prefixes: Prefixes) -> list[tuple[str, str]]:
    bits = 32 if prefixes.family == 4 else 128
    ends = []
    for first, length in zip(prefixes.integers(), prefixes.length.tolist(), strict=True):
        last = first | ((1 << (bits - length)) - 1)
        ends.append((f"{prefixes.family}{first:032x}", f"{prefixes.family}{last:032x}"))
    return ends
