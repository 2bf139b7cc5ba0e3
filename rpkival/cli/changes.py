"""`rpkival changes`: what came into the payload and what went, when, and because of which object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rpkival.cli.options import DataDirOption, OutputOption, TextFormat, is_missing, parse_time, state_directory
from rpkival.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rpkival.history.store import Recorded

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def changes(
        prefix: Annotated[
            str, typer.Option("--prefix", metavar="PREFIX", help="Only what covers it or lies in it.")
        ] = "",
        asn: Annotated[str, typer.Option("--asn", metavar="ASN", help="Only of this origin, customer or router.")] = "",
        cause: Annotated[
            str,
            typer.Option(
                "--cause",
                metavar="CAUSE",
                help="Only: added, withdrawn, revoked, expired, rejected, point-failed, ca-lost, anchor-lost or "
                "exception.",
            ),
        ] = "",
        since: Annotated[
            str | None, typer.Option("--since", metavar="TIME", help="Only from this time on (RFC 3339).")
        ] = None,
        limit: Annotated[int, typer.Option("--limit", min=1, max=1_000_000, help="At most so many.")] = 100,
        data_dir: DataDirOption = None,
        listing: Annotated[TextFormat, typer.Option("--format", help="text, json, ndjson or csv.")] = TextFormat.TEXT,
        output: OutputOption = None,
    ) -> None:
        """Show what changed in the payload of rpkival up, the newest first.

        Example: rpkival changes --prefix 192.0.2.0/24

        Example: rpkival changes --cause revoked --since 2026-11-01T00:00:00Z --format csv
        """
        from rpkival.asn import parse_asn
        from rpkival.cli.output import open_output
        from rpkival.cli.terminal import note
        from rpkival.history.record import CAUSES
        from rpkival.history.store import History
        from rpkival.storage import DATABASE_NAME, open_database

        if cause and cause not in CAUSES:
            raise UsageError(f"{cause!r} is no cause of a change; choose one of {', '.join(CAUSES)}.")
        path = state_directory(data_dir) / DATABASE_NAME
        if is_missing(path):
            raise UsageError(f"There is no history in {path.parent}; name the --data-dir of rpkival up.")
        database = open_database(path)
        try:
            found = History(database).list(
                since=parse_time(since) if since else 0,
                prefix=prefix,
                asn=parse_asn(asn) if asn else None,
                cause=cause,
                limit=limit,
            )
        finally:
            database.close()
        if not found:
            filtered = prefix or asn or cause or since
            note(
                "No such change is kept."
                if filtered
                else "No change is kept: there was none since the first payload, or it is too old."
            )
        with open_output(output) as stream:
            stream.writelines(_records(found, listing.value))


def _records(found: Sequence[Recorded], listing: str) -> Iterator[bytes]:
    import csv
    import io

    import msgspec

    from rpkival.history.data import CHANGE_FIELDS, change_data

    rows = [change_data(each) for each in found]
    if listing == "json":
        yield msgspec.json.format(msgspec.json.encode({"changes": rows}), indent=2) + b"\n"
    elif listing == "ndjson":
        yield from (msgspec.json.encode(row) + b"\n" for row in rows)
    elif listing == "csv":
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(CHANGE_FIELDS)
        writer.writerows([getattr(row, name) for name in CHANGE_FIELDS] for row in rows)
        yield text.getvalue().encode()
    else:
        for row in rows:
            what = f"{row.prefix}-{row.max_length}" if row.kind == "vrp" else f"{row.kind} {row.value}"
            why = f" {row.sentence}" if row.sentence else ""
            yield f"{row.at} {row.action:<9} {row.asn} {what} {row.cause}: {row.source}{why}\n".encode()
