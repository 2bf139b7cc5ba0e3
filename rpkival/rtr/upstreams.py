"""Several caches followed at a time, each in a thread of its own: the preferred one's word, or what a quorum says.

As a router does (RFC 8210 section 10), only together: a cache that is gone keeps its voice until what it said expires.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from rpkival.errors import FetchError, RpkivalError
from rpkival.limits import RTR_UPSTREAM_RETRY_SECONDS
from rpkival.log import Log
from rpkival.payload.payload import Payload
from rpkival.payload.quorum import Dissent, agree
from rpkival.rtr.client import RtrClient

__all__ = ["Combined", "Upstream", "Upstreams", "combine"]

_LOOK_SECONDS = 1.0
"""How long a thread waits for news without looking whether it is to end."""

log = Log("rpkival.rtr")

Word: TypeAlias = tuple[str, Payload | None]
"""The name of a cache, and what it says; None where it says nothing, or no longer."""


@dataclass(frozen=True, slots=True)
class Combined:
    """`dissents`: by the name of each cache that says anything, how it differs; empty without a quorum."""

    payload: Payload
    dissents: tuple[tuple[str, Dissent], ...] = ()


def combine(words: Sequence[Word], quorum: int | None) -> Combined:
    """What the first of `words` that says anything says; with `quorum` what so many of them say.

    Raises `FetchError` where too few say anything.
    """
    said = [(name, payload) for name, payload in words if payload is not None]
    if len(said) < (quorum or 1):
        raise FetchError(
            f"{len(said)} of {len(words)} RTR caches have data, and {quorum or 1} must; see the log for the others."
        )
    if quorum is None:
        return Combined(said[0][1])
    agreement = agree([payload for _, payload in said], quorum)
    names = (name for name, _ in said)
    return Combined(agreement.payload, tuple(zip(names, agreement.dissents, strict=True)))


class Upstream:
    """One cache, followed by notifications, Serial Queries and deltas until `stop`.

    `changed` is called in the thread whenever what it says has changed.
    """

    def __init__(self, name: str, client: RtrClient, changed: Callable[[], None]) -> None:
        self.name = name
        self._client = client
        self._changed = changed
        self._stop = threading.Event()
        self._said: tuple[Payload, float] | None = None
        self._error = ""
        self._thread = threading.Thread(target=self._run, name=f"rtr {name}", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """End; the thread may take as long as one answer."""
        self._stop.set()

    def word(self, now: float) -> Word:
        """What the cache says at `now` (of the monotonic clock)."""
        said = self._said
        return self.name, said[0] if said and now < said[1] else None

    @property
    def failing(self) -> str:
        """Why the cache cannot be read now, in a sentence; empty where it can."""
        return self._error

    def _run(self) -> None:
        with self._client as client:
            while not self._stop.is_set():
                try:
                    self._sync(client)
                    self._wait(client)
                except (RpkivalError, OSError) as error:
                    client.close()
                    if str(error) != self._error:
                        log.warning("rtr_upstream_lost", cache=self.name, reason=str(error))
                    self._error = str(error)
                    self._changed()
                    self._stop.wait(RTR_UPSTREAM_RETRY_SECONDS)

    def _sync(self, client: RtrClient) -> None:
        before = self._said
        client.sync()
        self._said = client.payload, time.monotonic() + client.timers.expire
        if self._error or before is None:
            log.info("rtr_upstream_followed", cache=self.name, vrps=len(client.vrps))
        self._error = ""
        if before is None or before[0] is not client.payload:
            self._changed()

    def _wait(self, client: RtrClient) -> None:
        """Until the cache has news, or its refresh time is over."""
        until = time.monotonic() + client.timers.refresh
        while time.monotonic() < until and not self._stop.is_set():
            if client.wait_for_notify(_LOOK_SECONDS):
                return


class Upstreams:
    """All of them as one source. `quorum` None: the first is preferred, then the second, and so on."""

    def __init__(self, upstreams: Sequence[Upstream], quorum: int | None) -> None:
        self._upstreams = upstreams
        self._quorum = quorum
        self._had_any = False

    def start(self) -> None:
        """Follow all."""
        for upstream in self._upstreams:
            upstream.start()

    def stop(self) -> None:
        """Follow none."""
        for upstream in self._upstreams:
            upstream.stop()

    def now(self) -> Combined:
        """What is to be served now. Raises `FetchError` where there never was enough.

        Once there was, and all has expired, it is nothing at all: no router may use data beyond its expiry.
        """
        try:
            combined = combine([each.word(time.monotonic()) for each in self._upstreams], self._quorum)
        except FetchError as error:
            if not self._had_any:
                raise
            log.error("rtr_upstreams_expired", reason=str(error))
            return Combined(Payload.empty())
        self._had_any = True
        return combined

    def wait(self, seconds: float) -> Combined:
        """As `now`, once every cache has spoken or failed, or after `seconds` with what there is."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not all(
            each.word(time.monotonic())[1] is not None or each.failing for each in self._upstreams
        ):
            time.sleep(0.05)
        return self.now()
