"""`rpkival guard`: what a sudden loss has been held back, and its release."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rpkival.cli.options import DataDirOption, ReportFormat, is_missing, state_directory
from rpkival.errors import UsageError

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    guard = typer.Typer(
        name="guard",
        help="Sudden losses of VRPs, ASPAs and router keys that rpkival up holds back, and their release.",
        epilog="Example: rpkival guard show",
        no_args_is_help=True,
    )
    guard.command("show")(_show)
    guard.command("release")(_release)
    app.add_typer(guard)


def _show(
    data_dir: DataDirOption = None,
    listing: Annotated[ReportFormat, typer.Option("--format", help="How to print.")] = ReportFormat.TEXT,
) -> None:
    """Show what is held back, and why. Exit code 1 says that something is.

    Example: rpkival guard show --format json
    """
    import msgspec

    from rpkival.daemon.guarding import read_held
    from rpkival.monitor.incidents import format_time

    held = read_held(_used_directory(data_dir))
    if listing is ReportFormat.JSON:
        typer.echo(msgspec.json.format(msgspec.json.encode(held), indent=2))
    elif not held.holds:
        typer.echo("Nothing is held back.")
    else:
        typer.echo(f"{held.id}, since {format_time(held.since)}")
        for hold in held.holds:
            typer.echo(f"  {hold.number} of {hold.total} {hold.kind.noun} of {hold.trust_anchor} ({hold.share:.1%})")
            for cause, number in sorted(hold.causes.items()):
                typer.echo(f"    {cause}: {number}")
            typer.echo(f"    such as: {hold.example}")
        typer.echo(f"Routers keep them until their signatures end. To let them go: rpkival guard release {held.id}")
    raise typer.Exit(1 if held.holds else 0)


def _release(
    id: Annotated[str, typer.Argument(metavar="ID", help="What is held, as hold_...")],  # noqa: A002 - the field's own name
    data_dir: DataDirOption = None,
) -> None:
    """Let go what is held: the running rpkival up of this data directory does so within seconds.

    Example: rpkival guard release hold_0123456789ab
    """
    from rpkival.daemon.guarding import release

    release(_used_directory(data_dir), id)
    typer.echo(f"{id} is released.")


def _used_directory(data_dir: Path | None) -> Path:
    """The data directory of a `rpkival up`: of any other, "nothing is held" would be no answer."""
    from rpkival.daemon.guarding import GUARD_NAME
    from rpkival.storage import DATABASE_NAME

    directory = state_directory(data_dir)
    if is_missing(directory / GUARD_NAME) and is_missing(directory / DATABASE_NAME):
        raise UsageError(f"No rpkival up has kept anything in {directory}; name its --data-dir.")
    return directory
