"""`rpkival up`: everything as one service."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from rpkival.cli.options import DataDirOption, ExceptionsOption, QuietOption, VerboseOption, parse_listen

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def up(
        lab: Annotated[
            bool, typer.Option("--lab", help="Run on a small Internet of its own on loopback: nothing to configure.")
        ] = False,
        config: Annotated[
            Path | None, typer.Option("--config", "-c", metavar="FILE", help="Configuration in TOML.")
        ] = None,
        own: Annotated[
            list[str] | None,
            typer.Option("--own", metavar="ASN|PREFIX", help="What is yours and to be watched; repeatable."),
        ] = None,
        listen: Annotated[
            str | None,
            typer.Option("--listen", metavar="ADDR:PORT", help="Page, API, metrics. (default: 127.0.0.1:8323)"),
        ] = None,
        rtr_listen: Annotated[
            str | None, typer.Option("--rtr-listen", metavar="ADDR:PORT", help="RTR. (default: 127.0.0.1:3323)")
        ] = None,
        bgp_port: Annotated[
            int, typer.Option("--bgp-port", min=0, max=65535, help="With --lab: where your router finds a neighbour.")
        ] = 11790,
        hijack_lasts: Annotated[
            int,
            typer.Option(
                "--hijack-lasts", metavar="SECONDS", min=1, max=86400, help="With --lab: how long the hijack goes on."
            ),
        ] = 52,
        exceptions: ExceptionsOption = None,
        data_dir: DataDirOption = None,
        quiet: QuietOption = False,
        verbose: VerboseOption = False,
    ) -> None:
        """Validate, serve routers, watch feeds, raise alerts, and show a page, all as one service.

        Example: rpkival up --lab

        Example: rpkival up --own AS64496 --own 192.0.2.0/24

        Example: rpkival up --exceptions /etc/rpkival/slurm.json

        Example: rpkival up --config /etc/rpkival.toml
        """
        import asyncio

        import msgspec

        from rpkival.cli.event_loop import new_event_loop
        from rpkival.cli.file_limit import allow_many_files
        from rpkival.cli.logs import configure_logs
        from rpkival.cli.source import default_data_dir
        from rpkival.config import load_config
        from rpkival.daemon.lab_run import run_lab
        from rpkival.daemon.live import run_live

        configure_logs(quiet=quiet, verbose=verbose)
        allow_many_files()
        settings = load_config(config, os.environ)
        if own:
            settings = msgspec.structs.replace(
                settings, monitor=msgspec.structs.replace(settings.monitor, own=(*settings.monitor.own, *own))
            )
        if exceptions:
            files = (*settings.slurm.files, *exceptions)
            settings = msgspec.structs.replace(settings, slurm=msgspec.structs.replace(settings.slurm, files=files))
        rtr = parse_listen(rtr_listen or settings.rtr.listen)
        http = parse_listen(listen or settings.http.listen)
        place = data_dir or settings.data_dir
        if lab:
            run = run_lab(settings, place, rtr=rtr, http=http, bgp_port=bgp_port, hijack_lasts=hijack_lasts, say=_say)
        else:
            run = run_live(settings, place or default_data_dir(), rtr=rtr, http=http, say=_say)
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(run)


def _say(line: str) -> None:
    typer.echo(line)
