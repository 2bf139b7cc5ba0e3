"""`rpkival watch`: follow feeds, live or recorded, and raise incidents."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rpkival.cli.options import (
    OutputOption,
    QuietOption,
    RtrOption,
    UrlOption,
    VerboseOption,
    VrpsOption,
    state_directory,
)
from rpkival.errors import UsageError

if TYPE_CHECKING:
    from rpkival.cli.mrt_files import MrtFiles
    from rpkival.cli.ris_files import RisFiles
    from rpkival.cli.source import Source
    from rpkival.cli.watching import Watch

__all__ = ["WatchFormat", "register"]


class WatchFormat(StrEnum):
    """`--format`."""

    TEXT = "text"
    NDJSON = "ndjson"


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def watch(
        feeds: Annotated[
            list[str] | None,
            typer.Argument(metavar="[FEED]...", help="ris-live, or mrt:PATH for a recorded one. [default: ris-live]"),
        ] = None,
        own: Annotated[
            list[str] | None,
            typer.Option(
                "--own",
                metavar="ASN|PREFIX",
                help="What is yours: an AS (its prefixes come from its VRPs) or a prefix; repeatable.",
            ),
        ] = None,
        replay: Annotated[
            list[Path] | None,
            typer.Option("--replay", metavar="FILE", help="Follow a recording: MRT, or RIS Live messages, one a line."),
        ] = None,
        vrps: VrpsOption = None,
        rtr: RtrOption = None,
        url: UrlOption = None,
        min_peers: Annotated[
            int, typer.Option("--min-peers", min=1, help="Distinct peers that must have seen it before it is one.")
        ] = 1,
        webhook: Annotated[
            str | None, typer.Option("--webhook", metavar="URL", help="Send each incident there, signed.")
        ] = None,
        webhook_secret_file: Annotated[
            Path | None,
            typer.Option(
                "--webhook-secret-file",
                metavar="FILE",
                help="Its whsec_..., one a line. [default: $RPKIVAL_WEBHOOK_SECRET]",
            ),
        ] = None,
        webhook_allow: Annotated[
            list[str] | None,
            typer.Option(
                "--webhook-allow", metavar="HOST|NETWORK", help="Private target to allow by name; repeatable."
            ),
        ] = None,
        data_dir: Annotated[
            Path | None,
            typer.Option(
                "--data-dir",
                metavar="DIR",
                envvar="RPKIVAL_DATA_DIR",
                help="Where incidents are kept. [default: the platform's; a replay keeps them in memory]",
            ),
        ] = None,
        ris_live_url: Annotated[
            str | None, typer.Option("--ris-live-url", metavar="URL", help="Another server that speaks RIS Live.")
        ] = None,
        listing: Annotated[WatchFormat, typer.Option("--format", help="text, or a JSON object a line.")] = (
            WatchFormat.TEXT
        ),
        output: OutputOption = None,
        quiet: QuietOption = False,
        verbose: VerboseOption = False,
    ) -> None:
        """Follow BGP feeds, print the incidents of your prefixes, and send them as signed webhooks.

        Exit code 1 says that there were incidents, 3 that a file is damaged, an alert could not be delivered, or the
        VRPs are old.

        Example: rpkival watch --own AS64496 --own 192.0.2.0/24

        Example: rpkival watch --own AS3333 --replay updates.20260730.1400.bz2 --vrps vrps.json --format ndjson
        """
        recorded = _recorded(feeds or [], replay or [])
        if not own:
            raise UsageError("Tell what is yours with --own AS64496 or --own 192.0.2.0/24; nothing else is watched.")

        import time
        from contextlib import ExitStack

        from rpkival.cli.logs import configure_logs
        from rpkival.cli.mrt_files import MrtFiles
        from rpkival.cli.output import check_writable, open_output
        from rpkival.cli.ris_files import RisFiles, are_ris_dumps
        from rpkival.cli.source import load_vrps, warn_if_stale
        from rpkival.cli.terminal import note
        from rpkival.cli.watching import Watch, read_endpoint
        from rpkival.monitor.expectations import Own
        from rpkival.storage import DATABASE_NAME, hold_directory, open_database

        configure_logs(quiet=quiet, verbose=verbose)
        mine = Own.of(own)
        endpoint = read_endpoint(webhook, webhook_secret_file, tuple(webhook_allow or ()))
        check_writable(output)
        reader = RisFiles if are_ris_dumps(recorded) else MrtFiles

        def load() -> Source:
            return load_vrps(vrps=vrps, rtr=rtr, url=url, data_dir=data_dir, quiet=quiet)

        source = load()
        with ExitStack() as stack:
            place = None if recorded and data_dir is None else state_directory(data_dir)
            if place is not None:
                stack.enter_context(hold_directory(place))
            database = open_database(place / DATABASE_NAME if place else None)
            stack.callback(database.close)
            stream = stack.enter_context(open_output(output))
            session = Watch(
                database,
                source,
                mine,
                endpoint,
                min_peers=min_peers,
                stream=stream,
                as_json=listing is WatchFormat.NDJSON,
            )
            if recorded:
                incomplete = _replay(session, reader(recorded, quiet=quiet), place)
            else:
                incomplete = warn_if_stale(source, time.time())
                session.watch(ris_live_url, load, quiet=quiet)
            if not quiet:
                note(session.summary())
            found = session.opened or session.open
        raise typer.Exit(3 if incomplete else 1 if found else 0)


def _replay(session: Watch, files: MrtFiles | RisFiles, place: Path | None) -> bool:
    """Follow recordings and send what they give rise to; whether anything was missing at either end."""
    from rpkival.cli.terminal import note

    session.replay(files.batches())
    waiting = session.deliver()
    if waiting:
        alerts = "1 alert" if waiting == 1 else f"{waiting} alerts"
        after = f"the next watch with --data-dir {place} tries again" if place else "a replay in memory keeps nothing"
        note(f"rpkival: {alerts} could not be delivered; {after}.")
    return bool(waiting) or files.incomplete


def _recorded(feeds: list[str], replay: list[Path]) -> list[Path]:
    """The files to replay; none where a live feed is to be followed. Raises `UsageError`."""
    files = list(replay)
    for feed in feeds:
        if feed.startswith("mrt:"):
            files.append(Path(feed.removeprefix("mrt:")))
        elif feed != "ris-live":
            raise UsageError(f"{feed!r} is not a feed that can be watched; give ris-live or mrt:PATH.")
    if files and "ris-live" in feeds:
        raise UsageError("Recorded files are followed by their own clock; watch ris-live in a run of its own.")
    return files
