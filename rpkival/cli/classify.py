"""`rpkival classify`: announcements of MRT files, judged by RFC 6811."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from rpkival.cli.options import DataDirOption, OutputOption, QuietOption, RtrOption, TextFormat, UrlOption, VrpsOption
from rpkival.errors import UsageError

__all__ = ["OnlyState", "register"]


class OnlyState(StrEnum):
    """`--only`."""

    VALID = "valid"
    INVALID = "invalid"
    NOT_FOUND = "not-found"


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def classify(
        files: Annotated[
            list[Path], typer.Argument(metavar="FILE...", help="MRT files, plain, gz or bz2; - reads one.")
        ],
        vrps: VrpsOption = None,
        rtr: RtrOption = None,
        url: UrlOption = None,
        data_dir: DataDirOption = None,
        listing: Annotated[
            TextFormat, typer.Option("--format", help="text counts; json, ndjson and csv list every announcement.")
        ] = TextFormat.TEXT,
        summary: Annotated[bool, typer.Option("--summary", help="Only count, in any format.")] = False,
        only: Annotated[OnlyState | None, typer.Option("--only", help="List only announcements of this state.")] = None,
        output: OutputOption = None,
        quiet: QuietOption = False,
    ) -> None:
        """Classify the announcements of MRT files (RIBs or updates) as valid, invalid or not-found (RFC 6811).

        Announcements without a single origin, as their path is empty or ends in an AS_SET, are counted apart.

        Exit code 1 says that there are invalid announcements, 3 that a file is damaged (what could be read is counted).

        Example: rpkival classify updates.20260730.1400.bz2 --vrps vrps.json

        Example: rpkival classify rib.20260730.1400.bz2 --only invalid --format csv --output invalid.csv
        """
        from rpkival.cli.classified import LISTINGS, Tally, has_origin
        from rpkival.cli.mrt_files import MrtFiles
        from rpkival.cli.output import check_writable, open_output
        from rpkival.cli.source import load_vrps, warn_if_stale
        from rpkival.origin.index import OriginIndex

        if only and (summary or listing is TextFormat.TEXT):
            raise UsageError("--only chooses what is listed; give --format csv, ndjson or json, and no --summary.")
        check_writable(output)
        # The first routes are decoded in a thread while the VRPs are loaded.
        mrt = MrtFiles(files, quiet=quiet)
        source = load_vrps(vrps=vrps, rtr=rtr, url=url, data_dir=data_dir, quiet=quiet)
        index = OriginIndex.build(source.vrps)
        tally = Tally(source.name, source.generated, len(index.vrps), mrt.reports)
        with open_output(output) as stream:
            report = LISTINGS[listing](stream, only, rows=not summary)
            for batch in mrt.batches():
                verdicts = index.classify(batch.prefixes, batch.origin, has_origin(batch))
                tally.add(batch, verdicts)
                report.add(batch, verdicts)
            report.finish(tally)
        # A file of VRPs that somebody chose may be meant for routes of its day; the summary tells its age.
        stale = vrps is None and warn_if_stale(source, time.time())
        if mrt.incomplete or stale:
            raise typer.Exit(3)
        raise typer.Exit(1 if tally.invalid else 0)
