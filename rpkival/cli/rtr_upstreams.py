"""Several RTR caches as one source of the command line, and the report of who disagrees."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from rpkival.cli.source import Source
from rpkival.cli.terminal import counted, note
from rpkival.errors import FetchError, RpkivalError, UsageError
from rpkival.limits import MAX_RTR_UPSTREAMS, VRP_RTR_SECONDS
from rpkival.log import Log
from rpkival.payload.payload import Payload
from rpkival.payload.quorum import Dissent
from rpkival.rtr.client import RtrClient
from rpkival.rtr.dial import Dial
from rpkival.rtr.upstreams import Combined, Upstream, Upstreams, Word, combine

__all__ = ["FollowedCaches", "ask_all", "check_quorum", "tell_of_dissent", "write_report"]

_EXAMPLES = 20
"""VRPs named of a cache that disagrees; the number is always told."""

log = Log("rpkival.rtr")


def check_quorum(caches: Sequence[str], quorum: int | None) -> None:
    """Raises `UsageError` for too many or doubled caches, and for a quorum that they cannot reach."""
    if len(caches) > MAX_RTR_UPSTREAMS:
        raise UsageError(f"{len(caches)} RTR caches are more than the {MAX_RTR_UPSTREAMS} that are followed at a time.")
    if len(set(caches)) < len(caches):
        raise UsageError("The same RTR cache is given twice; it has one voice.")
    if quorum is not None and quorum > len(caches):
        named = counted(len(caches), "RTR cache", "RTR caches")
        raise UsageError(f"{named} cannot reach a quorum of {quorum}; name more caches, or lower the quorum.")


class FollowedCaches:
    """The source of `rpkival rtr serve --rtr`: caches followed in threads, told of by `changed`."""

    def __init__(self, dials: Mapping[str, Dial], quorum: int | None) -> None:
        self._dials = dials
        self._quorum = quorum
        self._upstreams: Upstreams | None = None
        self._told: dict[str, tuple[int, int]] = {}
        self._former: Source | None = None
        self._former_until = 0.0

    def remember(self, payload: Payload, said: int, until: float) -> None:
        """What they said at `said` counts up to `until` (unix seconds) as long as too few say anything."""
        self._former = Source(payload, "what the RTR caches said before", said)
        self._former_until = until

    def start(self, changed: Callable[[], None]) -> None:
        """Follow all; `changed` is called in any thread."""
        followed = [
            Upstream(name, RtrClient(dial.host, dial.port, timeout=VRP_RTR_SECONDS, dial=dial), changed)
            for name, dial in self._dials.items()
        ]
        self._upstreams = Upstreams(followed, self._quorum)
        self._upstreams.start()

    def stop(self) -> None:
        """Follow none."""
        if self._upstreams:
            self._upstreams.stop()

    def load(self) -> Source:
        """What they say now; at first as soon as each has answered or failed. Raises `FetchError`."""
        assert self._upstreams is not None
        try:
            combined = self._upstreams.wait(VRP_RTR_SECONDS)
        except FetchError as error:
            if self._former is None:
                raise
            expired = time.time() >= self._former_until
            log.error("rtr_upstreams_out_of_reach", reason=str(error), served_until=int(self._former_until))
            return replace(self._former, payload=Payload.empty()) if expired else self._former
        self._former = None
        for name, dissent in combined.dissents:
            counts = len(dissent.extra), len(dissent.missing)
            if self._told.get(name, (0, 0)) != counts:
                self._told[name] = counts
                log.warning("rtr_quorum_dissent", cache=name, **_report(dissent))
        return Source(combined.payload, " and ".join(self._dials), None)


def ask_all(
    caches: Sequence[str], quorum: int | None, fetch: Callable[[str], Word], *, tell: Callable[[str], None] = note
) -> tuple[Combined, list[str]]:
    """Ask each of `caches` once: all at a time for a quorum, else in turn until one answers.

    Gives also the names of those that could not be asked. Raises `FetchError`, and what `fetch` raises of a single one.
    """
    if len(caches) == 1:
        return combine([fetch(caches[0])], quorum), []
    failed: list[str] = []

    def ask(cache: str) -> Word:
        try:
            return fetch(cache)
        except RpkivalError as error:
            tell(f"rpkival: {cache} has no voice: {error}")
            failed.append(cache)
            return cache, None

    if quorum is None:
        for cache in caches:
            _, payload = ask(cache)
            if payload is not None:
                return Combined(payload), failed
        raise FetchError(f"None of the {len(caches)} RTR caches has given its data.")
    with ThreadPoolExecutor(len(caches)) as threads:
        words = list(threads.map(ask, caches))
    return combine(words, quorum), failed


def tell_of_dissent(combined: Combined) -> bool:
    """Who differs from what was agreed and by what, on standard error; whether anybody does."""
    for name, dissent in combined.dissents:
        if len(dissent):
            report = _report(dissent)
            example = next(iter((*report["extra_vrps"], *report["missing_vrps"])), "no VRP")
            note(f"rpkival: {name} says {report['extra']} more and {report['missing']} less than agreed: {example} ...")
    return any(len(dissent) for _, dissent in combined.dissents)


def write_report(combined: Combined, failed: Sequence[str], quorum: int, path: Path) -> None:
    """The same as JSON. Raises `UsageError`."""
    voters = [{"cache": name, "answered": True, **_report(dissent)} for name, dissent in combined.dissents]
    voters += [{"cache": name, "answered": False} for name in sorted(failed)]
    content = {"quorum": quorum, "agreed": len(combined.payload), "voters": voters}
    try:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error


def _report(dissent: Dissent) -> dict[str, Any]:
    return {
        "extra": len(dissent.extra),
        "missing": len(dissent.missing),
        "extra_vrps": _examples(dissent.extra),
        "missing_vrps": _examples(dissent.missing),
    }


def _examples(payload: Payload) -> list[str]:
    return [
        f"{vrp.prefix}-{vrp.max_length} AS{vrp.asn}" for vrp, _ in zip(payload.vrps, range(_EXAMPLES), strict=False)
    ]
