"""`rpkival rtr serve` and `rpkival rtr dump`: VRPs to routers, and from caches."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from rpkival.cli.options import (
    DataDirOption,
    ExceptionsOption,
    OutputOption,
    QuietOption,
    RtrOption,
    UrlOption,
    VerboseOption,
    VrpsOption,
    parse_listen,
    parse_peer,
)
from rpkival.cli.rtr_load import load
from rpkival.errors import UsageError

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    rtr = typer.Typer(help="Serve VRPs to routers (RFC 8210), or print what a cache serves.", no_args_is_help=True)
    rtr.command()(serve)
    rtr.command()(dump)
    rtr.command()(load)
    app.add_typer(rtr, name="rtr")


def serve(
    vrps: VrpsOption = None,
    rtr: RtrOption = None,
    url: UrlOption = None,
    data_dir: DataDirOption = None,
    listen: Annotated[
        str, typer.Option("--listen", metavar="ADDR:PORT", help="Where routers connect to.")
    ] = "127.0.0.1:3323",
    refresh: Annotated[
        int, typer.Option("--refresh", metavar="SECONDS", help="How often routers ask without being notified.")
    ] = 3600,
    exceptions: ExceptionsOption = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Serve VRPs, ASPAs and router keys to routers over RTR versions 0, 1 and 2 until stopped.

    The files of --vrps and --exceptions are read again when they change, every source on SIGHUP; routers that are
    connected are notified and fetch only what changed. Where the new files cannot be read, what was served stays and
    the log says why. SIGTERM tells routers of version 2 that the cache restarts, SIGQUIT that it is gone for good, on
    which they forget it all.

    Example: rpkival rtr serve --vrps vrps.json --listen 192.0.2.1:3323

    Example: rpkival rtr serve --vrps vrps.json --exceptions /etc/rpkival/slurm.json

    Example: rpkival rtr serve --rtr cache.example.net:3323
    """
    from rpkival.cli.logs import configure_logs
    from rpkival.cli.rtr_serve import run_server
    from rpkival.cli.source import Source, check_source, load_vrps
    from rpkival.payload.exceptions.files import load_exceptions
    from rpkival.rtr.pdu import Timers

    host, port = parse_listen(listen)
    try:
        # Routers that are told a short refresh are told to retry no later, and to forget after two missed polls.
        timers = Timers(refresh, min(600, refresh), max(7200, 2 * refresh))
    except ValueError as error:
        raise UsageError(f"--refresh {refresh} cannot be: {error}") from error
    check_source(vrps=vrps, rtr=rtr, url=url, data_dir=data_dir)
    configure_logs(quiet=quiet, verbose=verbose)
    slurm = tuple(exceptions or ())
    load_exceptions(slurm)  # what is wrong with them is told before anything is served

    def load() -> Source:
        source = load_vrps(vrps=vrps, rtr=rtr, url=url, data_dir=data_dir, quiet=True)
        applied = load_exceptions(slurm).apply(source.payload.unique_sorted())
        return replace(source, payload=applied.payload)

    run_server(
        load,
        files=(vrps, *slurm) if vrps else slurm,
        polled=vrps is None,
        host=host,
        port=port,
        timers=timers,
    )


def dump(
    cache: Annotated[str, typer.Argument(metavar="HOST:PORT", help="The RTR cache to ask.")],
    fmt: Annotated[
        str, typer.Option("--format", help="csv, json or another format of VRPs, or all: with ASPAs and router keys.")
    ] = "csv",
    output: OutputOption = None,
    timeout: Annotated[float, typer.Option("--timeout", metavar="SECONDS", help="For the whole set.")] = 60.0,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse a cache of version 2 that sends in another order than it must.")
    ] = False,
) -> None:
    """Print what an RTR cache serves.

    Example: rpkival rtr dump 127.0.0.1:3323

    Example: rpkival rtr dump rtr.rpki.example.net:323 --format json --output vrps.json

    Example: rpkival rtr dump 127.0.0.1:3323 --format all --strict
    """
    import time

    from rpkival.cli.output import check_writable, open_output
    from rpkival.cli.rtr_dump import write_all
    from rpkival.payload.formats import check_format, write_payload
    from rpkival.rtr.client import fetch_payload

    check_format(fmt, "all")
    check_writable(output)
    host, port = parse_peer(cache)
    payload = fetch_payload(host, port, timeout=timeout, strict_order=strict)
    with open_output(output) as stream:
        if fmt == "all":
            write_all(payload, stream)
        else:
            write_payload(payload, fmt, stream, generated=int(time.time()))
