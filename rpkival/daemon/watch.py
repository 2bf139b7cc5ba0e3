"""The watch over what is ours: the monitor, the feed it follows, and the delivery of what it finds."""

from __future__ import annotations

import asyncio

from feeds.ris_live import RisLive, Subscription
from rpkival.alerts.deliverer import Deliverer
from rpkival.alerts.webhook import Endpoint
from rpkival.config import Config
from rpkival.daemon.following import follow, subscription_to, watch_silence
from rpkival.daemon.tasks import Tasks
from rpkival.monitor.expectations import Expectations, Own
from rpkival.monitor.monitor import Monitor
from rpkival.monitor.store import IncidentStore
from rpkival.storage import Database
from web.view import View

__all__ = ["Watch"]


class Watch:
    """Judges by the payload on `view`, and shows its incidents and its feed there. `url` is the page's."""

    def __init__(
        self,
        config: Config,
        own: Own,
        database: Database,
        endpoints: tuple[Endpoint, ...],
        url: str,
        view: View,
        tasks: Tasks,
    ) -> None:
        self._settings = config.monitor
        self._url = config.http.public_url or url
        self._own = own
        self._view = view
        self._tasks = tasks
        self._store = IncidentStore(database)
        # Before the first incident: an endpoint is told what happens after it became known.
        self._deliverer = Deliverer(database, endpoints)
        self._monitor: Monitor | None = None
        self._feed: RisLive | None = None
        self._subscription: Subscription | None = None
        self._following: tuple[asyncio.Task[None], ...] = ()
        view.incidents = self._store
        view.feeds = lambda: (self._feed.status,) if self._feed else ()
        tasks.keep("deliver", self._deliverer.run)

    def payload_changed(self) -> None:
        """Judge by the view's payload from now on. The first one starts it all: before, nothing could be judged."""
        snapshot, index = self._view.snapshot, self._view.index
        if snapshot is None or index is None or not (self._own.asns or self._own.prefixes):
            return
        expectations = Expectations.build(snapshot.vrps, self._own)
        if self._monitor is None:
            self._monitor = Monitor(
                self._store,
                expectations=expectations,
                index=index,
                url_base=self._url,
                min_peers=self._settings.min_peers,
            )
        else:
            self._monitor.update(expectations, index)
        subscription = subscription_to(self._monitor.expectations)
        if subscription and subscription != self._subscription and "ris-live" in self._settings.feeds:
            self._subscription = subscription
            self._follow(RisLive(self._settings.ris_live_url, subscribe=subscription), self._monitor)

    def _follow(self, feed: RisLive, monitor: Monitor) -> None:
        """Follow this feed in place of the one before, which asked for other prefixes."""
        for task in self._following:
            task.cancel()
        self._feed = feed
        self._following = (
            self._tasks.keep("follow", lambda: follow(feed, monitor)),
            self._tasks.keep("silence", lambda: watch_silence(feed, self._deliverer.outbox)),
        )
