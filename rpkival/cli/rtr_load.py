"""`rpkival rtr load`: how many routers a cache bears, and how fast it is then."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rpkival.cli.options import ReportFormat
from rpkival.errors import UsageError
from rpkival.limits import MAX_RTR_LOAD_ROUTERS

if TYPE_CHECKING:
    from rpkival.rtr.load.measures import Measures
    from rpkival.rtr.load.routers import Behaviour

__all__ = ["load"]

_NAMES = {
    "connect": "connection stands",
    "full_sync": "full sync",
    "after_notify": "delta after notify",
    "poll": "serial query",
}


def load(
    cache: Annotated[str, typer.Argument(metavar="HOST:PORT", help="The RTR cache to load.")],
    routers: Annotated[
        int, typer.Option("--routers", "-n", min=1, max=MAX_RTR_LOAD_ROUTERS, help="How many at once.")
    ] = 100,
    duration: Annotated[float, typer.Option("--duration", metavar="SECONDS", min=0.1, help="How long.")] = 30.0,
    mix: Annotated[
        str,
        typer.Option(
            "--mix",
            metavar="KIND=SHARE,...",
            help="follow: sync, then Serial Queries; reset: Reset Queries only; slow: reads slowly; drop: leaves amid "
            "the answer.",
        ),
    ] = "follow=1",
    every: Annotated[
        float, typer.Option("--every", metavar="SECONDS", min=0.01, help="Between a router's queries, on average.")
    ] = 10.0,
    ramp: Annotated[
        float,
        typer.Option("--ramp", metavar="SECONDS", min=0, help="Within which the routers come. (default: at once)"),
    ] = 0.0,
    patience: Annotated[
        float, typer.Option("--patience", metavar="SECONDS", min=0.1, help="For one answer; later it is an error.")
    ] = 120.0,
    slow_rate: Annotated[
        float, typer.Option("--slow-rate", metavar="OCTETS", min=1, help="That a slow router reads in a second.")
    ] = 65536.0,
    version: Annotated[int, typer.Option("--version", min=0, max=2, help="Of RTR; routers step down from it.")] = 2,
    sources: Annotated[
        list[str] | None,
        typer.Option("--source", metavar="ADDR", help="Address of ours to connect from; repeatable, taken in turn."),
    ] = None,
    tls: Annotated[bool, typer.Option("--tls", help="Speak TLS.")] = False,
    ca_file: Annotated[
        Path | None, typer.Option("--ca-file", metavar="FILE", help="For TLS: whom to trust. (default: the system's)")
    ] = None,
    cert: Annotated[
        Path | None, typer.Option("--cert", metavar="FILE", help="For TLS: the routers' certificate, in PEM.")
    ] = None,
    key: Annotated[Path | None, typer.Option("--key", metavar="FILE", help="For TLS: its key, in PEM.")] = None,
    listing: Annotated[ReportFormat, typer.Option("--format", help="How to print.")] = ReportFormat.TEXT,
) -> None:
    """Load an RTR cache with many routers, and print how long they waited.

    Any cache will do. Of all times the 50th, 90th and 99th percentile and the longest are told. The exit code is 1
    where there were errors.

    Example: rpkival rtr load 127.0.0.1:3323 --routers 1000 --duration 60

    Example: rpkival rtr load 127.0.0.1:3323 --mix follow=80,reset=10,slow=5,drop=5 --every 5 --format json

    Example: rpkival rtr load cache.example.net:324 --tls --ca-file ca.pem

    Example: rpkival rtr load 127.0.0.1:3323 -n 2000 --source 127.0.0.1 --source 127.0.0.2
    """
    import asyncio

    from rpkival.cli.event_loop import new_event_loop
    from rpkival.cli.file_limit import allow_many_files
    from rpkival.cli.rtr_dial import Reach
    from rpkival.cli.terminal import note
    from rpkival.rtr.load.routers import Load
    from rpkival.rtr.load.run import run_load, share_out

    dial = Reach(tls=tls, ca_file=ca_file, cert=cert, key=key).dials([cache])[cache]
    if dial.ssh:
        raise UsageError("Routers are played over TCP and TLS only.")
    context = dial.tls.context() if dial.tls else None
    shares = share_out(routers, _weights(mix))
    if allow_many_files(routers) < routers:
        note("rpkival: this process may not open so many files; some routers will not connect. Raise ulimit -n.")
    what = Load(dial.host, dial.port, every, patience, slow_rate, version, context, _addresses(sources or []))
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        measures = runner.run(run_load(what, shares, seconds=duration, ramp=ramp))
    typer.echo(_json(measures, shares, duration) if listing is ReportFormat.JSON else _text(measures, shares, duration))
    if measures.errors:
        raise typer.Exit(1)


def _addresses(sources: Sequence[str]) -> tuple[str, ...]:
    for source in sources:
        try:
            ipaddress.ip_address(source)
        except ValueError:
            raise UsageError(f"{source!r} is not an IP address of this machine to connect from.") from None
    return tuple(sources)


def _weights(mix: str) -> dict[Behaviour, float]:
    from rpkival.rtr.load.routers import Behaviour

    weights: dict[Behaviour, float] = {}
    for part in mix.split(","):
        kind, _, share = part.partition("=")
        try:
            weights[Behaviour(kind.strip())] = float(share or 1)
        except ValueError:
            raise UsageError(f"{part!r} is not a share of routers; write the mix as follow=80,reset=20.") from None
    if not all(0 <= weight < 1e9 for weight in weights.values()) or not sum(weights.values()):
        raise UsageError("Shares of routers are numbers from 0 on, and not all 0.")
    return weights


def _json(measures: Measures, shares: dict[Behaviour, int], seconds: float) -> str:
    import msgspec

    return msgspec.json.encode(
        {
            "routers": shares,
            "seconds": seconds,
            "durations": measures.durations(),
            "octets": measures.octets,
            "records": measures.records,
            "notifies": measures.notifies,
            "cache_resets": measures.cache_resets,
            "drops": measures.drops,
            "unfinished": measures.unfinished,
            "errors": measures.errors,
        }
    ).decode()


def _text(measures: Measures, shares: dict[Behaviour, int], seconds: float) -> str:
    mixed = ", ".join(f"{count} {kind}" for kind, count in shares.items())
    lines = [
        f"Routers: {mixed}; {seconds:g} s.",
        "",
        f"{'seconds':20}{'count':>9}{'p50':>10}{'p90':>10}{'p99':>10}{'max':>10}",
    ]
    for name, told in measures.durations().items():
        values = (told.p50, told.p90, told.p99, told.longest) if told.count else ()
        lines.append(f"{_NAMES[name]:20}{told.count:>9}" + "".join(f"{value:>10.4f}" for value in values))
    rate = measures.octets / seconds / 1e6
    lines.append(f"\nReceived {measures.octets / 1e6:,.1f} MB, {rate:,.1f} MB/s, {measures.records:,} PDUs with data.")
    lines.append(f"{measures.notifies} Serial Notifies, {measures.cache_resets} Cache Resets.")
    lines.append(f"{measures.drops} left amid an answer, {measures.unfinished} still waited at the end.")
    if not measures.errors:
        return "\n".join([*lines, "No errors."])
    return "\n".join([*lines, "Errors:", *(f"{count:>9} {error}" for error, count in measures.errors.most_common(20))])
