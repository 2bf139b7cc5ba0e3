"""`rpkival rtr serve` and `rpkival rtr dump`: VRPs to routers, and from caches."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from rpkival.cli.options import (
    DataDirOption,
    ExceptionsOption,
    OutputOption,
    QuietOption,
    UrlOption,
    VerboseOption,
    VrpsOption,
    parse_listen,
)
from rpkival.cli.rtr_load import load
from rpkival.cli.rtr_routers import routers
from rpkival.errors import UsageError
from rpkival.limits import MAX_RTR_SESSIONS, MAX_RTR_SESSIONS_PER_ADDRESS

__all__ = ["register"]

QuorumOption = Annotated[
    int | None,
    typer.Option("--quorum", metavar="K", min=1, help="Believe what at least K of the caches say, and nothing else."),
]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    rtr = typer.Typer(
        help="RTR (RFC 8210): serve routers, print what a cache serves, load a cache, see who is connected.",
        epilog="Example: rpkival rtr serve --vrps vrps.json",
        no_args_is_help=True,
    )
    rtr.command()(serve)
    rtr.command()(dump)
    rtr.command()(load)
    rtr.command()(routers)
    app.add_typer(rtr, name="rtr")


def serve(
    vrps: VrpsOption = None,
    rtr: Annotated[
        list[str] | None,
        typer.Option(
            "--rtr",
            metavar="CACHE",
            help="A cache to follow: HOST:PORT, tls://HOST:PORT, ssh://USER@HOST:PORT; of several the first that has "
            "data, or a --quorum.",
        ),
    ] = None,
    rtr_ca_file: Annotated[
        Path | None, typer.Option("--rtr-ca-file", metavar="FILE", help="Whom to trust there. (default: the system's)")
    ] = None,
    rtr_cert: Annotated[
        Path | None, typer.Option("--rtr-cert", metavar="FILE", help="The certificate to show there, in PEM.")
    ] = None,
    rtr_key: Annotated[Path | None, typer.Option("--rtr-key", metavar="FILE", help="Its key, in PEM.")] = None,
    rtr_md5_key_file: Annotated[
        str | None,
        typer.Option("--rtr-md5-key-file", metavar="FILE", help="Sign by TCP-MD5 to those that are HOST:PORT."),
    ] = None,
    rtr_ao_key: Annotated[str | None, typer.Option("--rtr-ao-key", metavar="ID:FILE", help="Or by TCP-AO.")] = None,
    quorum: QuorumOption = None,
    url: UrlOption = None,
    data_dir: DataDirOption = None,
    listen: Annotated[
        str, typer.Option("--listen", metavar="ADDR:PORT", help="Where routers connect to.")
    ] = "127.0.0.1:3323",
    refresh: Annotated[
        int, typer.Option("--refresh", metavar="SECONDS", help="How often routers ask without being notified.")
    ] = 3600,
    retry: Annotated[
        int | None,
        typer.Option(
            "--retry",
            metavar="SECONDS",
            help="How long they wait after a failure. (default: 600, or --refresh where that is less)",
        ),
    ] = None,
    expire: Annotated[
        int | None,
        typer.Option(
            "--expire",
            metavar="SECONDS",
            help="When they drop what they could not renew. (default: 7200, or twice --refresh where that is more)",
        ),
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option("--allow", metavar="NETWORK", help="Only routers from here may connect; repeatable."),
    ] = None,
    max_routers: Annotated[
        int, typer.Option("--max-routers", metavar="N", min=1, help="Routers at a time.")
    ] = MAX_RTR_SESSIONS,
    max_routers_per_address: Annotated[
        int, typer.Option("--max-routers-per-address", metavar="N", min=1, help="Routers of one address at a time.")
    ] = MAX_RTR_SESSIONS_PER_ADDRESS,
    tls_listen: Annotated[
        str | None, typer.Option("--tls-listen", metavar="ADDR:PORT", help="Where routers connect that speak TLS.")
    ] = None,
    cert: Annotated[
        Path | None, typer.Option("--cert", metavar="FILE", help="For TLS: our certificate, in PEM.")
    ] = None,
    key: Annotated[Path | None, typer.Option("--key", metavar="FILE", help="For TLS: its key, in PEM.")] = None,
    client_ca: Annotated[
        Path | None,
        typer.Option(
            "--client-ca", metavar="FILE", help="For TLS: routers must show a certificate of this CA for their address."
        ),
    ] = None,
    client_names: Annotated[
        list[str] | None,
        typer.Option("--client-name", metavar="NAME", help="Or for this name of theirs, in place of the address."),
    ] = None,
    md5: Annotated[
        list[str] | None,
        typer.Option(
            "--md5", metavar="NETWORK=FILE", help="Routers from here sign by TCP-MD5 with the key in FILE; repeatable."
        ),
    ] = None,
    ao: Annotated[
        list[str] | None,
        typer.Option("--ao", metavar="NETWORK=ID:FILE", help="The same by TCP-AO; repeatable."),
    ] = None,
    exceptions: ExceptionsOption = None,
    state: Annotated[
        Path | None,
        typer.Option(
            "--state", metavar="DIR", help="Keep session, serial and history here: no restart resets a router."
        ),
    ] = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Serve VRPs, ASPAs and router keys to routers over RTR versions 0, 1 and 2 until stopped.

    The files of --vrps and --exceptions are read again when they change, every source on SIGHUP; routers that are
    connected are notified and fetch only what changed. Where the new files cannot be read, what was served stays and
    the log says why. On SIGTERM they keep what they have until it expires; SIGQUIT tells those of version 2 that the
    cache is gone for good, on which they forget it all.

    Example: rpkival rtr serve --vrps vrps.json --listen 192.0.2.1:3323

    Example: rpkival rtr serve --vrps vrps.json --exceptions /etc/rpkival/slurm.json --state /var/lib/rpkival-rtr

    Example: rpkival rtr serve --rtr cache.example.net:3323 --rtr other.example.net:323

    Example: rpkival rtr serve --rtr a.example.net:323 --rtr b.example.net:323 --rtr c.example.net:323 --quorum 2

    Example: rpkival rtr serve --rtr tls://cache.example.net:324 --rtr-ca-file ca.pem --rtr-cert me.pem --rtr-key me.key

    Example: rpkival rtr serve --vrps vrps.json --allow 192.0.2.0/24 --tls-listen 192.0.2.1:324 --cert c.pem --key k.pem

    Example: rpkival rtr serve --vrps vrps.json --listen 192.0.2.1:323 --md5 198.51.100.0/24=/etc/rpkival/md5.key
    """
    from rpkival.cli.logs import configure_logs
    from rpkival.cli.rtr_dial import Reach
    from rpkival.cli.rtr_serve import POLL_CACHES_SECONDS, POLL_SOURCE_SECONDS, run_server
    from rpkival.cli.rtr_upstreams import FollowedCaches, check_quorum
    from rpkival.cli.source import Source, check_source, load_vrps
    from rpkival.payload.exceptions.files import load_exceptions
    from rpkival.rtr.access import Access
    from rpkival.rtr.doors import Doors
    from rpkival.rtr.pdu import Timers
    from rpkival.rtr.server import RtrServer

    make_server = partial(
        RtrServer,
        access=Access.of(allow or ()),
        max_sessions=max_routers,
        max_sessions_per_address=max_routers_per_address,
    )
    doors = Doors.of(
        parse_listen(listen),
        tls_at=parse_listen(tls_listen) if tls_listen else None,
        certificate=cert,
        key=key,
        client_ca=client_ca,
        client_names=client_names or (),
        md5=md5 or (),
        ao=ao or (),
    )
    try:
        timers = Timers.of(refresh, retry, expire)
    except ValueError as error:
        raise UsageError(str(error)) from error
    peers = tuple(rtr or ())
    check_source(vrps=vrps, rtr=peers[0] if peers else None, url=url, data_dir=data_dir)
    check_quorum(peers, quorum)
    reach = Reach(
        ca_file=rtr_ca_file,
        cert=rtr_cert,
        key=rtr_key,
        md5_key_file=rtr_md5_key_file,
        ao_key=rtr_ao_key,
        options="--rtr-",
    )
    dials = reach.dials(peers)
    caches = FollowedCaches(dials, quorum) if peers else None
    configure_logs(quiet=quiet, verbose=verbose)
    slurm = tuple(exceptions or ())
    load_exceptions(slurm)  # what is wrong with them is told before anything is served

    def load() -> Source:
        source = caches.load() if caches else load_vrps(vrps=vrps, rtr=None, url=url, data_dir=data_dir, quiet=True)
        applied = load_exceptions(slurm).apply(source.payload.unique_sorted())
        return replace(source, payload=applied.payload)

    run_server(
        load,
        files=(vrps, *slurm) if vrps else slurm,
        poll_seconds=POLL_CACHES_SECONDS if caches else POLL_SOURCE_SECONDS if vrps is None else None,
        caches=caches,
        make_server=make_server,
        doors=doors,
        timers=timers,
        state=state,
    )


def dump(
    caches: Annotated[
        list[str],
        typer.Argument(
            metavar="CACHE...",
            help="The RTR cache to ask: HOST:PORT, tls://HOST:PORT, ssh://USER@HOST:PORT; of several the first that "
            "answers, or a --quorum.",
        ),
    ],
    fmt: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="csv, json or another format of VRPs (docs/formats.md), or all: with ASPAs and router keys.",
        ),
    ] = "csv",
    output: OutputOption = None,
    timeout: Annotated[float, typer.Option("--timeout", metavar="SECONDS", help="For the whole set.")] = 60.0,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse a cache of version 2 that sends in another order than it must.")
    ] = False,
    tls: Annotated[
        bool, typer.Option("--tls", help="As tls:// for all; the cache must show a certificate of its name.")
    ] = False,
    ca_file: Annotated[
        Path | None, typer.Option("--ca-file", metavar="FILE", help="Of TLS: who may have signed that certificate.")
    ] = None,
    cert: Annotated[
        Path | None, typer.Option("--cert", metavar="FILE", help="Of TLS: the certificate to show, in PEM.")
    ] = None,
    key: Annotated[Path | None, typer.Option("--key", metavar="FILE", help="Of TLS: its key, in PEM.")] = None,
    md5_key_file: Annotated[
        str | None,
        typer.Option("--md5-key-file", metavar="FILE", help="Sign by TCP-MD5 with the key in FILE (or env:NAME)."),
    ] = None,
    ao_key: Annotated[
        str | None,
        typer.Option("--ao-key", metavar="ID:FILE", help="Sign by TCP-AO with the key in FILE (or env:NAME)."),
    ] = None,
    ssh: Annotated[
        str | None,
        typer.Option("--ssh", metavar="USER", help="As ssh://USER@ for all: through ssh, to the subsystem rpki-rtr."),
    ] = None,
    quorum: QuorumOption = None,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE", help="With --quorum: who disagrees about what, as JSON."),
    ] = None,
) -> None:
    """Print what an RTR cache serves, or what a quorum of several does.

    With --quorum, caches that disagree are named on standard error (exit code 1), and those that do not answer
    (exit code 3).

    Example: rpkival rtr dump 127.0.0.1:3323

    Example: rpkival rtr dump rtr.rpki.example.net:323 --format json --output vrps.json

    Example: rpkival rtr dump 127.0.0.1:3323 --format all --strict

    Example: rpkival rtr dump tls://rtr.rpki.example.net:324 --ca-file ca.pem

    Example: rpkival rtr dump ssh://rpki@rtr.rpki.example.net:22

    Example: rpkival rtr dump a.example.net:323 b.example.net:323 c.example.net:323 --quorum 2 --report report.json
    """
    import time

    from rpkival.cli.output import check_writable, open_output
    from rpkival.cli.rtr_dial import Reach
    from rpkival.cli.rtr_dump import write_all
    from rpkival.cli.rtr_upstreams import ask_all, check_quorum, tell_of_dissent, write_report
    from rpkival.payload.formats import check_format, write_payload
    from rpkival.rtr.client import fetch_payload
    from rpkival.rtr.upstreams import Word

    check_format(fmt, "all")
    check_writable(output)
    check_quorum(caches, quorum)
    if report and quorum is None:
        raise UsageError("A --report tells who disagrees, which only a --quorum finds out; give that too.")
    reach = Reach(tls=tls, ca_file=ca_file, cert=cert, key=key, md5_key_file=md5_key_file, ao_key=ao_key, ssh=ssh)
    dials = reach.dials(caches)

    def fetch(cache: str) -> Word:
        dial = dials[cache]
        return cache, fetch_payload(dial.host, dial.port, timeout=timeout, strict_order=strict, dial=dial)

    combined, failed = ask_all(caches, quorum, fetch)
    payload = combined.payload
    with open_output(output) as stream:
        if fmt == "all":
            write_all(payload, stream)
        else:
            write_payload(payload, fmt, stream, generated=int(time.time()))
    if quorum is None:
        return
    if report:
        write_report(combined, failed, quorum, report)
    if tell_of_dissent(combined) or failed:
        raise typer.Exit(3 if failed else 1)
