"""`rpkival router`: configuration that makes a router use us and reject what is invalid, and nothing else."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import Annotated

import typer

from rpkival.cli.options import OutputOption, parse_peer
from rpkival.errors import UsageError

__all__ = ["register"]

_SOFTWARE = frozenset({"gobgp", "bird", "frr", "openbgpd"})
"""These may run on the same machine; the others cannot reach our loopback."""


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def router(
        vendor: Annotated[
            str,
            typer.Argument(
                metavar="VENDOR",
                help="bird, frr, openbgpd, gobgp, cisco-xr, cisco-xe, juniper, arista, nokia or mikrotik.",
            ),
        ],
        server: Annotated[
            str | None,
            typer.Option(
                "--server", metavar="HOST:PORT", help="Where the router finds our RTR. (default: what is configured)"
            ),
        ] = None,
        config: Annotated[
            Path | None, typer.Option("--config", "-c", metavar="FILE", help="Configuration of rpkival up.")
        ] = None,
        output: OutputOption = None,
    ) -> None:
        """Print the configuration by which a router takes our VRPs and rejects invalid routes, and no others.

        Example: rpkival router bird --server 192.0.2.1:3323

        Example: rpkival router cisco-xr --config /etc/rpkival.toml
        """
        from rpkival.cli.output import open_output
        from rpkival.config import load_config

        address, port = parse_peer(server or load_config(config, os.environ).rtr.listen)
        text = _configuration(vendor, address, port)
        if vendor not in _SOFTWARE and _is_local(address):
            typer.echo(
                f"A router cannot reach {address}; let rpkival up listen elsewhere, and name that with --server.",
                err=True,
            )
        with open_output(output) as stream:
            stream.write(text.encode())


def _configuration(vendor: str, address: str, port: int) -> str:
    from string import Template

    from rpkival.resources import resource

    known = {path.stem: path for path in sorted(resource("routers").glob("*.txt"))}
    if vendor not in known:
        raise UsageError(f"{vendor!r} is no router that is known here; choose one of {', '.join(known)}.")
    return Template(known[vendor].read_text("ascii")).substitute(address=address, port=port)


def _is_local(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address == "localhost"
    return parsed.is_loopback or parsed.is_unspecified
