"""The process behind `rpkival rtr serve`: one cache, one server, and a source that is read again when it changes."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import structlog
import typer

from rpkival.cli.event_loop import new_event_loop
from rpkival.cli.file_limit import allow_many_files
from rpkival.cli.rtr_upstreams import FollowedCaches
from rpkival.cli.source import Source
from rpkival.cli.terminal import counted
from rpkival.errors import RpkivalError
from rpkival.payload.exceptions.files import FileWatch
from rpkival.payload.payload import Payload
from rpkival.rtr.cache import Cache
from rpkival.rtr.doors import Doors, open_doors
from rpkival.rtr.errors import ErrorCode
from rpkival.rtr.pdu import Timers
from rpkival.rtr.server import RtrServer

__all__ = ["POLL_CACHES_SECONDS", "POLL_SOURCE_SECONDS", "run_server"]

POLL_FILE_SECONDS = 1.0
"""How often a file's time and size are looked at; it is read when they changed and then stood still for one look."""

POLL_SOURCE_SECONDS = 600.0
"""How often any other source is asked again, as validators commonly run."""

POLL_CACHES_SECONDS = 60.0
"""How often caches that we follow are looked at without news of theirs: what they said may have expired."""

log = structlog.get_logger("rpkival.rtr")


def run_server(
    load: Callable[[], Source],
    *,
    files: Sequence[Path],
    poll_seconds: float | None,
    caches: FollowedCaches | None,
    make_server: Callable[[Cache], RtrServer],
    doors: Doors,
    timers: Timers,
) -> None:
    """Serve what `load` gives until SIGINT, SIGTERM, or SIGQUIT, on which routers forget it.

    It is asked anew whenever any of `files` or what `caches` say changes, and every `poll_seconds` if given.

    Raises `UsageError` and whatever the first `load` raises.
    """
    allow_many_files()
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_serve(load, files, make_server, doors, timers, poll_seconds, caches))


async def _serve(
    load: Callable[[], Source],
    files: Sequence[Path],
    make_server: Callable[[Cache], RtrServer],
    doors: Doors,
    timers: Timers,
    poll_seconds: float | None,
    caches: FollowedCaches | None,
) -> None:
    # RFC 8210 section 5.1 recommends the clock for session ids: no two lives of a cache have the same.
    cache = Cache(int(time.time()), timers=timers)
    server = make_server(cache)
    stop, reload = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    farewell = ErrorCode.CACHE_RESTART

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
        address, port = await open_doors(server, doors)
        watch = FileWatch(files)
        if caches:
            caches.start(lambda: _set_from_thread(loop, reload))
        source = await asyncio.to_thread(load)
        _warn_if_stale(source)
        cache.update(source.payload)
        server.notify()
        shown = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        typer.echo(f"Serving {_counts(cache.payload)} over RTR on {shown}, session {cache.session_id}.")
        tasks = [
            asyncio.create_task(_watch(watch, reload)),
            asyncio.create_task(_follow(load, cache, server, reload)),
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


async def _follow(load: Callable[[], Source], cache: Cache, server: RtrServer, reload: asyncio.Event) -> None:
    """Read the source at each request; routers keep the old set where it cannot be read."""
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
            if await asyncio.to_thread(cache.update, source.payload):
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
