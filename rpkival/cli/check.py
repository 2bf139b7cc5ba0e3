"""`rpkival check`: the RFC 6811 state of announcements, with the reasons."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rpkival.cli.options import (
    AtOption,
    DataDirOption,
    OutputOption,
    QuietOption,
    RtrOption,
    TextFormat,
    UrlOption,
    VrpsOption,
    parse_time,
)
from rpkival.errors import InputError, UsageError

if TYPE_CHECKING:
    from rpkival.cli.routes_input import Unreadable

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def check(
        prefix: Annotated[str | None, typer.Argument(metavar="PREFIX", help="As 192.0.2.0/24.")] = None,
        origin: Annotated[str | None, typer.Argument(metavar="[ORIGIN]", help="As AS64496 or 64496.")] = None,
        routes: Annotated[
            Path | None,
            typer.Option("--input", metavar="FILE", help="Many at once: a prefix and an origin in each line; - reads."),
        ] = None,
        vrps: VrpsOption = None,
        rtr: RtrOption = None,
        url: UrlOption = None,
        data_dir: DataDirOption = None,
        listing: Annotated[TextFormat, typer.Option("--format", help="json is Routinator's.")] = TextFormat.TEXT,
        at: AtOption = None,
        output: OutputOption = None,
        quiet: QuietOption = False,
    ) -> None:
        """Say whether an announcement is valid, invalid or not-found (RFC 6811), why, and which VRPs decided it.

        Without ORIGIN, say what is signed for the prefix.

        Exit code 1 says that an announcement is invalid, 3 that the VRPs are old or a line could not be read.

        Example: rpkival check 192.0.2.0/24 AS64496 --vrps vrps.json

        Example: rpkival check --input routes.txt --format csv --output states.csv
        """
        import time

        from rpkival.cli import check_output
        from rpkival.cli.output import check_writable, open_output
        from rpkival.cli.source import load_vrps, warn_if_stale
        from rpkival.cli.terminal import note
        from rpkival.origin.explain import covering_vrps, explain
        from rpkival.origin.index import OriginIndex
        from rpkival.origin.verdict import State
        from rpkival.prefixes import parse_prefix

        if (prefix is None) == (routes is None):
            raise UsageError("Give one PREFIX to check, as 192.0.2.0/24, or many with --input FILE.")
        check_writable(output)
        now = parse_time(at) if at else int(time.time())
        unreadable: list[Unreadable] = []
        if prefix is not None:
            wanted, asn = _parse(prefix, origin)
            source = load_vrps(vrps=vrps, rtr=rtr, url=url, data_dir=data_dir, quiet=quiet)
            if asn is None:
                answer = check_output.allowed(wanted, list(covering_vrps(source.vrps, parse_prefix(wanted))), listing)
                invalid = False
            else:
                validity = explain(source.vrps, wanted, asn)
                answer = check_output.one(validity, listing, source.generated)
                invalid = validity.state is State.INVALID
            with open_output(output) as stream:
                stream.write(answer)
        else:
            from rpkival.cli.routes_input import Route, read_routes

            assert routes is not None
            read = read_routes(routes)
            source = load_vrps(vrps=vrps, rtr=rtr, url=url, data_dir=data_dir, quiet=quiet)
            index = OriginIndex.build(source.vrps)
            verdicts = [explain(index, route.prefix, route.asn) for route in read if isinstance(route, Route)]
            with open_output(output) as stream:
                stream.writelines(check_output.many(verdicts, listing, source.generated))
            unreadable = [route for route in read if not isinstance(route, Route)]
            invalid = any(validity.state is State.INVALID for validity in verdicts)
        for bad in unreadable:
            note(f"rpkival: {bad.place}: {bad.sentence}")
        if warn_if_stale(source, now) or unreadable:
            raise typer.Exit(3)
        raise typer.Exit(1 if invalid else 0)


def _parse(prefix: str, origin: str | None) -> tuple[str, int | None]:
    """Wrong words on the command line are wrong usage, not wrong data."""
    from rpkival.asn import parse_asn
    from rpkival.prefixes import parse_prefix

    try:
        return parse_prefix(prefix).texts()[0], None if origin is None else parse_asn(origin)
    except InputError as error:
        raise UsageError(str(error)) from error
