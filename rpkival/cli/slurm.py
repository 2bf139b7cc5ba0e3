"""`rpkival slurm check`: what SLURM files say, whether they can be used together, and what they would do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rpkival.cli.options import DataDirOption, QuietOption, RtrOption, UrlOption, VrpsOption

if TYPE_CHECKING:
    from rpkival.payload.exceptions.exceptions import Exceptions

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    slurm = typer.Typer(
        help="Local exceptions to the RPKI: SLURM files (RFC 8416).",
        epilog="Example: rpkival slurm check /etc/rpkival/slurm.json",
        no_args_is_help=True,
    )
    slurm.command()(check)
    # A command alone would take the place of its group.
    slurm.callback()(lambda: None)
    app.add_typer(slurm, name="slurm")


def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="SLURM files to be used together.")],
    vrps: VrpsOption = None,
    rtr: RtrOption = None,
    url: UrlOption = None,
    data_dir: DataDirOption = None,
    quiet: QuietOption = False,
) -> None:
    """Check SLURM files: strictly (RFC 8416, or version 2 with ASPAs), and against each other (section 4.2).

    Exit code 3 and one sentence with the place of the fault where one is wrong or two overlap. With a source of VRPs,
    tells also what would be taken away and added.

    Example: rpkival slurm check /etc/rpkival/slurm.json

    Example: rpkival slurm check ours.json customers.json --vrps vrps.json
    """
    from rpkival.payload.exceptions.files import load_exceptions

    exceptions = load_exceptions(files)
    for file in exceptions.files:
        typer.echo(f"{file.name}: SLURM version {file.version}, {file.filters} filters, {file.assertions} assertions.")
    if vrps or rtr or url:
        _tell_effect(exceptions, vrps, rtr, url, data_dir, quiet=quiet)


def _tell_effect(
    exceptions: Exceptions, vrps: Path | None, rtr: str | None, url: str | None, data_dir: Path | None, *, quiet: bool
) -> None:
    import time

    from rpkival.cli.exceptions_text import exception_sentences
    from rpkival.cli.source import load_vrps, warn_if_stale

    source = load_vrps(vrps=vrps, rtr=rtr, url=url, data_dir=data_dir, quiet=quiet)
    sentences = list(exception_sentences(exceptions.apply(source.payload.unique_sorted())))
    for sentence in sentences or ["They change nothing here."]:
        typer.echo(sentence)
    if warn_if_stale(source, time.time()):
        raise typer.Exit(3)
