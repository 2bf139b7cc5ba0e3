"""The work of `rpkival watch`: routes to the monitor, incidents to the screen and to the webhook."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import msgspec
import numpy as np

from feeds.ris_live import RIS_LIVE_URL, RisLive
from feeds.route_batch import RouteBatch
from rpkival.alerts.deliverer import Deliverer
from rpkival.alerts.webhook import Endpoint
from rpkival.asn import format_asn
from rpkival.cli.event_loop import new_event_loop
from rpkival.cli.incident_text import incident_line
from rpkival.cli.source import Source
from rpkival.cli.terminal import counted, note
from rpkival.cli.webhook_secret import webhook_secrets
from rpkival.daemon.following import follow, subscription_to, watch_silence
from rpkival.daemon.stopping import until_stopped
from rpkival.errors import RpkivalError, UsageError
from rpkival.log import Log
from rpkival.monitor.expectations import Expectations, Own
from rpkival.monitor.incidents import IncidentChange, format_time
from rpkival.monitor.monitor import Monitor
from rpkival.monitor.store import IncidentStore
from rpkival.origin.index import OriginIndex
from rpkival.storage import Database

__all__ = ["Watch", "read_endpoint"]

_RELOAD_SECONDS = 600.0
"""How often a live watch asks its source of VRPs again, as validators commonly run."""

log = Log("rpkival.watch")


def read_endpoint(url: str | None, secret_file: Path | None, allow: tuple[str, ...]) -> Endpoint | None:
    """The webhook of the command line, None where there is none. Raises `UsageError`."""
    if url is None:
        if secret_file is not None:
            raise UsageError("--webhook-secret-file without --webhook sends nothing; give --webhook URL too.")
        return None
    return Endpoint(url, webhook_secrets(secret_file), allow)


class Watch:
    """A monitor whose changes are printed to `stream` as they come; `opened` counts the incidents of this run.

    Raises `UsageError` where there is nothing to watch.
    """

    def __init__(
        self,
        database: Database,
        source: Source,
        own: Own,
        endpoint: Endpoint | None,
        *,
        min_peers: int,
        stream: BinaryIO,
        as_json: bool,
    ) -> None:
        # Before the first event: an endpoint is told what happens after it became known.
        self._deliverer = Deliverer(database, [endpoint] if endpoint else [])
        self._own, self._stream, self._as_json = own, stream, as_json
        self._store = IncidentStore(database)
        self._expectations = expectations = Expectations.build(source.vrps, own)
        self._monitor = Monitor(
            self._store, expectations=expectations, index=OriginIndex.build(source.vrps), min_peers=min_peers
        )
        self.opened = self.resolved = self.routes = 0
        _check(own, expectations, source)

    @property
    def open(self) -> int:
        """Incidents that are open now."""
        return self._store.counts()["open"]

    def summary(self) -> str:
        """What happened, in one sentence."""
        incidents = "1 incident" if self.opened == 1 else f"{self.opened:,} incidents"
        return f"{self.routes:,} routes seen; {incidents} opened, {self.resolved:,} resolved; {self.open:,} open now."

    def replay(self, batches: Iterable[RouteBatch]) -> None:
        """Follow recorded routes by their own clock."""
        now = 0.0
        for batch in batches:
            for part in _by_minute(batch):
                now = max(now, float(part.time.max()))
                self.routes += len(part)
                for change in self._monitor.process(part, now):
                    self._tell(change, now)

    def deliver(self) -> int:
        """Try what is due once, at the end of a replay; how many deliveries still wait."""
        asyncio.run(self._deliverer.deliver_due(time.time()))
        return sum(report.state == "waiting" for report in self._deliverer.outbox.reports(limit=-1))

    def watch(self, url: str | None, load: Callable[[], Source], *, quiet: bool) -> None:
        """Follow RIS Live until SIGINT or SIGTERM; `load` gives newer VRPs from time to time."""
        if not quiet:
            watched = counted(len(self._expectations), "prefix", "prefixes")
            note(f"Watching {watched} on {url or 'RIS Live'}; end with Ctrl-C.")
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(self._follow(url or RIS_LIVE_URL, load))

    async def _follow(self, url: str, load: Callable[[], Source]) -> None:
        feed = RisLive(url, subscribe=subscription_to(self._monitor.expectations))
        tasks = [
            asyncio.create_task(work)
            for work in (
                until_stopped(),
                follow(feed, self._monitor, lambda change: self._tell(change, time.time())),
                self._deliverer.run(),
                watch_silence(feed, self._deliverer.outbox),
                self._reload(load),
            )
        ]
        done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        self.routes = feed.status.routes
        for task in done:
            task.result()

    async def _reload(self, load: Callable[[], Source]) -> None:
        while True:
            await asyncio.sleep(_RELOAD_SECONDS)
            try:
                source = await asyncio.to_thread(load)
            except RpkivalError as error:
                log.warning("source_unreadable", reason=str(error))
                continue
            index = await asyncio.to_thread(OriginIndex.build, source.vrps)
            self._monitor.update(Expectations.build(source.vrps, self._own), index)

    def _tell(self, change: IncidentChange, now: float) -> None:
        self.opened += change.change == "opened"
        self.resolved += change.change == "resolved"
        self._stream.write(_json(change, now) if self._as_json else _text(change))
        self._stream.flush()


def _by_minute(batch: RouteBatch) -> Iterator[RouteBatch]:
    """Parts of a batch in their order, each of one minute, so that time passes in a replay as it did."""
    minute = np.maximum.accumulate(batch.time) // 60
    cuts = np.flatnonzero(np.diff(minute)) + 1
    for start, end in pairwise((0, *cuts.tolist(), len(batch))):
        if end > start:
            yield batch.take(slice(start, end))


def _json(change: IncidentChange, now: float) -> bytes:
    """The same object that a webhook carries."""
    event = {"type": f"incident.{change.change}", "timestamp": format_time(now), "data": change.incident.as_data()}
    return msgspec.json.encode(event) + b"\n"


def _text(change: IncidentChange) -> bytes:
    incident = change.incident
    at = {"opened": incident.first_seen, "updated": incident.last_seen}.get(change.change, incident.resolved_at)
    return f"{incident_line(change.change, at or incident.last_seen, incident)}\n".encode()


def _check(own: Own, expectations: Expectations, source: Source) -> None:
    """Tell what would make the silence, or the noise, of this watch misleading."""
    if not len(expectations):
        names = ", ".join(map(format_asn, sorted(own.asns)))
        raise UsageError(f"No VRP of {source.name} names {names}, so there is nothing to watch; add --own PREFIX.")
    if nobody := expectations.without_origin():
        more = f" and {len(nobody) - 3} more" if len(nobody) > 3 else ""
        note(
            f"rpkival: nobody is expected to announce {', '.join(nobody[:3])}{more}: no VRP covers it, so every"
            " announcement is an incident; add --own ASN."
        )
