"""The process behind `rpkival rtr serve`: one cache, one server, and a source that is read again when it changes."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path

import typer

from rpkival.cli.event_loop import new_event_loop
from rpkival.cli.file_limit import allow_many_files
from rpkival.cli.rtr_upstreams import FollowedCaches
from rpkival.cli.source import Source
from rpkival.cli.terminal import counted
from rpkival.errors import FetchError, InputError, LimitError, RpkivalError
from rpkival.log import Log
from rpkival.payload.exceptions.files import FileWatch
from rpkival.payload.payload import Payload
from rpkival.payload.snapshot import Snapshot
from rpkival.rtr.cache import Cache
from rpkival.rtr.doors import Doors, open_doors
from rpkival.rtr.errors import ErrorCode
from rpkival.rtr.kept import KeptCache
from rpkival.rtr.pdu import Timers
from rpkival.rtr.server import RtrServer
from rpkival.storage import hold_directory

__all__ = ["POLL_CACHES_SECONDS", "POLL_SOURCE_SECONDS", "run_server"]

POLL_FILE_SECONDS = 1.0
"""How often a file's time and size are looked at; it is read when they changed and then stood still for one look."""

POLL_SOURCE_SECONDS = 600.0
"""How often any other source is asked again, as validators commonly run."""

POLL_CACHES_SECONDS = 60.0
"""How often caches that we follow are looked at without news of theirs: what they said may have expired."""

RENEW_STATE_SECONDS = 600.0
"""How often the state is told that the source still says the same: 20 MB are written then."""

STATE_NAME = "rtr.rpkival"
"""Another name than that of the snapshot of `rpkival up`, whose directory this may be."""

log = Log("rpkival.rtr")


def run_server(
    load: Callable[[], Source],
    *,
    files: Sequence[Path],
    poll_seconds: float | None,
    caches: FollowedCaches | None,
    make_server: Callable[[Cache], RtrServer],
    doors: Doors,
    timers: Timers,
    state: Path | None,
) -> None:
    """Serve what `load` gives until SIGINT, SIGTERM, or SIGQUIT, on which routers forget it.

    It is asked anew whenever any of `files` or what `caches` say changes, and every `poll_seconds` if given. The
    directory `state`, if given, has what the next process needs to go on as if it were this one.

    Raises `UsageError` and whatever the first `load` raises.
    """
    allow_many_files()
    with (
        hold_directory(state, "--state") if state else nullcontext(),
        asyncio.Runner(loop_factory=new_event_loop) as runner,
    ):
        # RFC 8210 section 5.1 recommends the clock for session ids: no two lives of a cache have the same.
        kept = KeptCache(state / STATE_NAME if state else None, int(time.time()), timers=timers)
        runner.run(_serve(load, files, make_server, doors, kept, poll_seconds, caches))


async def _serve(
    load: Callable[[], Source],
    files: Sequence[Path],
    make_server: Callable[[Cache], RtrServer],
    doors: Doors,
    kept: KeptCache,
    poll_seconds: float | None,
    caches: FollowedCaches | None,
) -> None:
    cache = kept.cache
    server = make_server(cache)
    stop, reload = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    farewell: ErrorCode | None = None

    def shut_down() -> None:
        nonlocal farewell
        farewell = ErrorCode.CACHE_SHUTDOWN
        stop.set()

    for number, event in ((signal.SIGINT, stop), (signal.SIGTERM, stop), (signal.SIGHUP, reload)):
        loop.add_signal_handler(number, event.set)
    # Routers that are told so forget everything at once, which no operator wants of a plain restart.
    loop.add_signal_handler(signal.SIGQUIT, shut_down)
    # Listening comes first: a taken port is told before a minute of reading, and early routers wait for the data.
    try:
        opened = await open_doors(server, doors)
        watch = FileWatch(files)
        last = _still_usable(kept)
        if last is not None:
            await asyncio.to_thread(_restore, kept, last)
            server.notify()
        if caches:
            if last is not None:
                caches.remember(last.payload, last.generated, last.generated + cache.timers.expire)
            caches.start(lambda: _set_from_thread(loop, reload))
        await _begin(load, kept, server, restored=last is not None)
        shown = ", ".join(f"{door} (TLS)" if door.tls else str(door) for door in opened)
        typer.echo(f"Serving {_counts(cache.payload)} over RTR on {shown}; session {cache.session_id}.")
        tasks = [
            asyncio.create_task(_watch(watch, reload)),
            asyncio.create_task(_follow(load, kept, server, reload)),
        ]
        if poll_seconds is not None:
            tasks.append(asyncio.create_task(_poll(reload, poll_seconds)))
        await stop.wait()
        for task in tasks:
            task.cancel()
    finally:
        if caches:
            caches.stop()
        await server.close(code=farewell)


def _still_usable(kept: KeptCache) -> Snapshot | None:
    """What the last process served, where routers may still use it."""
    last = kept.last
    if last is None or not len(last.payload) or time.time() >= last.generated + kept.cache.timers.expire:
        return None
    return last


def _restore(kept: KeptCache, last: Snapshot) -> None:
    """Begin with what the last process served; routers have it at once, for to read the source takes seconds."""
    kept.update(last.payload, last.generated)
    log.info(
        "rtr_state_restored",
        serial=last.serial,
        deltas=len(last.history),
        vrps=len(last.vrps),
        age_seconds=max(0, int(time.time()) - last.generated),
    )


async def _begin(load: Callable[[], Source], kept: KeptCache, server: RtrServer, *, restored: bool) -> None:
    """Read the source for the first time; what it says is a change of what the last process served."""
    try:
        source = await asyncio.to_thread(load)
    except (InputError, LimitError, FetchError) as error:
        if not restored:
            raise
        log.warning("source_unreadable", reason=str(error), kept_serial=kept.cache.serial)
        return
    _warn_if_stale(source)
    if kept.last and not restored:
        # No router may use that any longer, but the serials go on from it.
        await asyncio.to_thread(_restore, kept, kept.last)
    await asyncio.to_thread(kept.update, source.payload, _generated(source))
    server.notify()


def _generated(source: Source) -> int:
    return int(time.time()) if source.generated is None else source.generated


async def _watch(watch: FileWatch, reload: asyncio.Event) -> None:
    """Ask for a reload whenever a file has changed and is whole."""
    while True:
        await asyncio.sleep(POLL_FILE_SECONDS)
        if watch.look():
            reload.set()


def _set_from_thread(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    with suppress(RuntimeError):  # the loop has ended, and with it who would care
        loop.call_soon_threadsafe(event.set)


async def _poll(reload: asyncio.Event, seconds: float) -> None:
    """Ask for a reload whenever the time of a source that is no file has come."""
    while True:
        await asyncio.sleep(seconds)
        reload.set()


async def _follow(load: Callable[[], Source], kept: KeptCache, server: RtrServer, reload: asyncio.Event) -> None:
    """Read the source at each request; routers keep the old set where it cannot be read."""
    cache = kept.cache
    saved = time.monotonic()
    while True:
        await reload.wait()
        reload.clear()
        try:
            source = await asyncio.to_thread(load)
        except RpkivalError as error:
            log.warning("source_unreadable", reason=str(error), kept_serial=cache.serial)
        except Exception:
            log.exception("source_unreadable", kept_serial=cache.serial)
        else:
            _warn_if_stale(source)
            if await asyncio.to_thread(kept.update, source.payload, _generated(source)):
                saved = time.monotonic()
                log.info(
                    "new_serial",
                    serial=cache.serial,
                    vrps=len(cache.vrps),
                    aspas=len(cache.payload.aspas),
                    routers=len(server.sessions()),
                )
                server.notify()
            else:
                log.info("source_unchanged", serial=cache.serial)
                if time.monotonic() - saved >= RENEW_STATE_SECONDS:
                    await asyncio.to_thread(kept.renew, cache.payload, _generated(source))
                    saved = time.monotonic()


def _counts(payload: Payload) -> str:
    parts = [counted(len(payload.vrps), "VRP", "VRPs")]
    if payload.aspas:
        parts.append(counted(len(payload.aspas), "ASPA", "ASPAs"))
    if payload.router_keys:
        parts.append(counted(len(payload.router_keys), "router key", "router keys"))
    return ", ".join(parts)


def _warn_if_stale(source: Source) -> None:
    if source.generated is not None and source.stale(time.time()):
        generated = datetime.fromtimestamp(source.generated, UTC).isoformat()
        log.warning("source_stale", source=source.name, generated=generated)
