"""What `rpkival classify` writes: counts, and announcements with their verdicts."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import BinaryIO

import msgspec
import numpy as np
from numpy.typing import NDArray

from feeds.route_batch import OriginKind, RouteBatch
from rpkival.cli.mrt_files import FileReport
from rpkival.cli.options import TextFormat
from rpkival.origin.verdict import Reason, State, Verdicts

__all__ = ["LISTINGS", "Listing", "Tally", "has_origin"]


@dataclass(slots=True)
class Tally:
    """Counts of announcements, and what they were judged by. Those without a single origin are in no state."""

    vrps: str
    vrps_generated: int | None
    vrps_count: int
    files: list[FileReport]
    states: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(State), np.int64))
    reasons: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(Reason), np.int64))
    origins: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(OriginKind), np.int64))
    withdrawals: int = 0

    def add(self, batch: RouteBatch, verdicts: Verdicts) -> None:
        """Count one batch."""
        judged = has_origin(batch)
        self.states += np.bincount(verdicts.state[judged], minlength=len(State))
        self.reasons += np.bincount(verdicts.reason[judged], minlength=len(Reason))
        self.origins += np.bincount(batch.origin_kind[batch.announced], minlength=len(OriginKind))
        self.withdrawals += int((~batch.announced).sum())

    @property
    def invalid(self) -> int:
        """Invalid announcements."""
        return int(self.states[State.INVALID])

    def counts(self) -> dict[str, int]:
        """The counts by the names that JSON and CSV use."""
        return {
            "announcements": int(self.origins.sum()),
            "valid": int(self.states[State.VALID]),
            "invalid": self.invalid,
            "invalid_as": int(self.reasons[Reason.AS]),
            "invalid_length": int(self.reasons[Reason.LENGTH]),
            "not_found": int(self.states[State.NOT_FOUND]),
            "as_set_origin": int(self.origins[OriginKind.AS_SET]),
            "empty_path": int(self.origins[OriginKind.EMPTY]),
            "withdrawals": self.withdrawals,
            "records": sum(report.stats.records.total() for report in self.files),
            "malformed_records": sum(report.stats.malformed for report in self.files),
            "unsupported_records": sum(report.stats.unsupported for report in self.files),
        }

    def document(self) -> dict[str, object]:
        """All of it for JSON."""
        return {
            "vrps": {"source": self.vrps, "generated": self._generated(), "count": self.vrps_count},
            "files": [
                {
                    "name": report.name,
                    "records": dict(report.stats.records),
                    "malformed": report.stats.malformed,
                    "unsupported": report.stats.unsupported,
                    "complaint": report.complaint or None,
                }
                for report in self.files
            ],
            "summary": self.counts(),
        }

    def text(self) -> str:
        """The counts for people."""
        counts = self.counts()
        judged = max(counts["valid"] + counts["invalid"] + counts["not_found"], 1)

        def line(name: str, key: str, remark: str = "") -> str:
            return f"{name:<18}{counts[key]:>13,}  {remark}".rstrip()

        def share(name: str, key: str) -> str:
            return line(name, key, f"{100 * counts[key] / judged:5.1f} %")

        generated = self._generated()
        rows = [
            f"{_many(counts['announcements'], 'announcement')} in {_many(len(self.files), 'file')}, "
            f"judged by {_many(self.vrps_count, 'VRP')} from {self.vrps}" + (f" of {generated}" if generated else ""),
            "",
            share("valid", "valid"),
            share("invalid", "invalid"),
            line("  by origin AS", "invalid_as", "       no VRP that covers the prefix has the origin"),
            line("  by length", "invalid_length", "       longer than the VRPs of its origin allow"),
            share("not-found", "not_found"),
            "",
            line("AS_SET origins", "as_set_origin", "not judged: the path ends in a set"),
            line("empty paths", "empty_path", "not judged: the path has no origin"),
            line("withdrawals", "withdrawals"),
            line("records", "records", _record_remark(counts)),
        ]
        return "\n".join(rows) + "\n"

    def _generated(self) -> str | None:
        if self.vrps_generated is None:
            return None
        return datetime.fromtimestamp(self.vrps_generated, UTC).isoformat().replace("+00:00", "Z")


def has_origin(batch: RouteBatch) -> NDArray[np.bool_]:
    """`bool[n]`: announcements with a single origin AS."""
    return np.asarray(batch.announced & (batch.origin_kind == OriginKind.AS), np.bool_)


def _many(n: int, noun: str) -> str:
    return f"{n:,} {noun}" + ("" if n == 1 else "s")


def _record_remark(counts: dict[str, int]) -> str:
    remarks = [
        f"{counts[key]:,} {word}"
        for key, word in (("malformed_records", "malformed"), ("unsupported_records", "of other kinds or families"))
        if counts[key]
    ]
    return ", ".join(remarks)


class _Row(msgspec.Struct):
    """An announcement; `state` and `reason` are null where there is no single origin to judge."""

    time: float
    collector: str
    peer: str
    peer_asn: int
    prefix: str
    origin: int | None
    state: str | None
    reason: str | None
    path: str


def rows_of(batch: RouteBatch, verdicts: Verdicts, only: str | None) -> Iterator[_Row]:
    """The announcements of a batch, all or of one state, in order."""
    judged = has_origin(batch)
    if only is None:
        chosen = np.flatnonzero(batch.announced)
    else:
        wanted = next(state for state in State if state.text == only)
        chosen = np.flatnonzero(judged & (verdicts.state == wanted))
    states = [state.text for state in State]
    reasons = [reason.text or None for reason in Reason]
    paths: dict[int, str] = {}
    for prefix, time, peer, path, origin, known, state, reason in zip(
        batch.prefixes.take(chosen).texts(),
        batch.time[chosen].tolist(),
        batch.peer[chosen].tolist(),
        batch.path[chosen].tolist(),
        batch.origin[chosen].tolist(),
        judged[chosen].tolist(),
        verdicts.state[chosen].tolist(),
        verdicts.reason[chosen].tolist(),
        strict=True,
    ):
        if path not in paths:
            paths[path] = batch.paths.text(path)
        who = batch.peers[peer]
        yield _Row(
            time,
            batch.collector,
            who.address,
            who.asn,
            prefix,
            origin if known else None,
            states[state] if known else None,
            reasons[reason] if known else None,
            paths[path],
        )


class Listing:
    """One `--format`. `only`: the one state to list; `rows`: False where only counts are wanted."""

    def __init__(self, stream: BinaryIO, only: str | None, *, rows: bool) -> None:
        self._stream, self._only, self._rows = stream, only, rows

    def add(self, batch: RouteBatch, verdicts: Verdicts) -> None:
        """List one batch."""
        raise NotImplementedError

    def finish(self, tally: Tally) -> None:
        """Write what comes last."""
        raise NotImplementedError


class _Text(Listing):
    def add(self, batch: RouteBatch, verdicts: Verdicts) -> None:
        """Text is for people, and nobody reads half a million lines."""

    def finish(self, tally: Tally) -> None:
        self._stream.write(tally.text().encode())


class _Ndjson(Listing):
    def add(self, batch: RouteBatch, verdicts: Verdicts) -> None:
        if self._rows:
            self._stream.write(msgspec.json.Encoder().encode_lines(list(rows_of(batch, verdicts, self._only))))

    def finish(self, tally: Tally) -> None:
        if not self._rows:
            self._stream.write(msgspec.json.encode(tally.document()) + b"\n")


class _Json(Listing):
    """One document: `announcements`, unless only counts are wanted, then what `Tally.document` has."""

    def __init__(self, stream: BinaryIO, only: str | None, *, rows: bool) -> None:
        super().__init__(stream, only, rows=rows)
        self._between = b'{"announcements":[\n'

    def add(self, batch: RouteBatch, verdicts: Verdicts) -> None:
        if not self._rows:
            return
        encoder = msgspec.json.Encoder()
        rows = [encoder.encode(row) for row in rows_of(batch, verdicts, self._only)]
        if rows:
            self._stream.write(self._between + b",\n".join(rows))
            self._between = b",\n"

    def finish(self, tally: Tally) -> None:
        document = msgspec.json.encode(tally.document())
        if self._rows:
            opening = b"" if self._between == b",\n" else self._between
            document = opening + b"\n]," + document[1:]
        self._stream.write(document + b"\n")


class _Csv(Listing):
    def __init__(self, stream: BinaryIO, only: str | None, *, rows: bool) -> None:
        super().__init__(stream, only, rows=rows)
        self._write([_Row.__struct_fields__ if rows else ("count", "value")])

    def add(self, batch: RouteBatch, verdicts: Verdicts) -> None:
        if self._rows:
            self._write(msgspec.structs.astuple(row) for row in rows_of(batch, verdicts, self._only))

    def finish(self, tally: Tally) -> None:
        if not self._rows:
            self._write(tally.counts().items())

    def _write(self, rows: Iterable[Iterable[object]]) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        self._stream.write(text.getvalue().encode())


LISTINGS: dict[TextFormat, type[Listing]] = {
    TextFormat.TEXT: _Text,
    TextFormat.JSON: _Json,
    TextFormat.NDJSON: _Ndjson,
    TextFormat.CSV: _Csv,
}
