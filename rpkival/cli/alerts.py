"""`rpkival alerts`: incidents and their deliveries."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rpkival.cli.options import DataDirOption, OutputOption, ReportFormat, TextFormat, is_missing, state_directory
from rpkival.errors import UsageError

if TYPE_CHECKING:
    from rpkival.monitor.incidents import Incident
    from rpkival.storage import Database

__all__ = ["register"]

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="An incident, as inc_...")]


class StateFilter(StrEnum):
    """`--state`."""

    OPEN = "open"
    RESOLVED = "resolved"


def register(app: typer.Typer) -> None:
    """Add the verb."""
    alerts = typer.Typer(
        name="alerts",
        help="Incidents, and how far the alerts of them got.",
        epilog="Example: rpkival alerts list --state open",
        no_args_is_help=True,
    )
    alerts.command("list")(_list)
    alerts.command("show")(_show)
    alerts.command("ack")(_ack)
    alerts.command("test")(_test)
    alerts.command("redeliver")(_redeliver)
    app.add_typer(alerts)


def _list(
    state: Annotated[StateFilter | None, typer.Option("--state", help="Only incidents of this state.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="At most so many, newest first.")] = 50,
    data_dir: DataDirOption = None,
    listing: Annotated[TextFormat, typer.Option("--format", help="text, json, ndjson or csv.")] = TextFormat.TEXT,
    output: OutputOption = None,
) -> None:
    """List incidents, the newest first. Exit code 1 says that one of them is open.

    Example: rpkival alerts list --state open --format json
    """
    from rpkival.cli.incident_text import incident_records
    from rpkival.cli.output import open_output
    from rpkival.monitor.store import IncidentStore

    with _database(data_dir) as database:
        incidents = IncidentStore(database).list(state=state.value if state else None, limit=limit)
    with open_output(output) as stream:
        for octets in incident_records(incidents, listing.value):
            stream.write(octets)
    raise typer.Exit(1 if any(incident.state == "open" for incident in incidents) else 0)


def _show(
    id: IdArgument,  # noqa: A002 - the field's own name
    data_dir: DataDirOption = None,
    listing: Annotated[ReportFormat, typer.Option("--format", help="How to print.")] = ReportFormat.TEXT,
) -> None:
    """Show all that is known of an incident, and the deliveries of its alerts. Exit code 1 says that it is open.

    Example: rpkival alerts show inc_0199a1b2c3d4e5f6a7b8c9
    """
    import msgspec

    from rpkival.alerts.outbox import Outbox
    from rpkival.cli.incident_text import incident_page
    from rpkival.cli.terminal import counted
    from rpkival.monitor.incidents import format_time

    with _database(data_dir) as database:
        incident = _incident(database, id)
        reports = Outbox(database).reports(incident=id, limit=1000)
    if listing is ReportFormat.JSON:
        document = incident.as_data() | {"deliveries": reports}
        typer.echo(msgspec.json.format(msgspec.json.encode(document), indent=2))
    else:
        for line in incident_page(incident):
            typer.echo(line)
        for report in reports:
            answer = report.status or report.answer or "not tried yet"
            attempts = counted(report.attempts, "attempt", "attempts")
            typer.echo(
                f"  alert        {report.kind} {report.message_id} to {report.url}: {report.state}"
                f" after {attempts} ({answer}), {format_time(report.finished_at or report.due)}"
            )
    raise typer.Exit(1 if incident.state == "open" else 0)


def _ack(id: IdArgument, data_dir: DataDirOption = None) -> None:  # noqa: A002 - the field's own name
    """Note that somebody looks after an incident.

    Example: rpkival alerts ack inc_0199a1b2c3d4e5f6a7b8c9
    """
    import time

    from rpkival.monitor.store import IncidentStore

    with _database(data_dir) as database:
        _incident(database, id)
        IncidentStore(database).acknowledge(id, time.time())
    typer.echo(f"{id} is acknowledged.")


def _test(
    url: Annotated[str, typer.Argument(metavar="URL", help="The receiver.")],
    secret_file: Annotated[
        Path | None,
        typer.Option("--secret-file", metavar="FILE", help="whsec_..., one a line. [default: $RPKIVAL_WEBHOOK_SECRET]"),
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option("--allow", metavar="HOST|NETWORK", help="Private target to allow by name; repeatable."),
    ] = None,
) -> None:
    """Send a signed event of the type `test` and tell what came back. Exit code 1 says that it was not taken.

    Example: rpkival alerts test https://hooks.example.net/rpkival --secret-file /etc/rpkival/webhook.secret
    """
    import asyncio
    import secrets
    import time

    from rpkival.alerts.message import compose
    from rpkival.alerts.schedule import Answer
    from rpkival.alerts.webhook import Endpoint, open_session, post
    from rpkival.cli.webhook_secret import webhook_secrets

    endpoint = Endpoint(url, webhook_secrets(secret_file), tuple(allow or ()))
    now = time.time()
    body = compose("test", now, {"message": "This is a test of rpkival's alerts; nothing has happened."})

    async def send() -> Answer:
        async with open_session(endpoint) as session:
            return await post(session, endpoint, f"msg_{secrets.token_hex(16)}", body, now)

    answer = asyncio.run(send())
    said = f": {answer.text}" if answer.text else ""
    if answer.status is None:
        typer.echo(f"{url} could not be reached{said}.")
    else:
        typer.echo(f"{url} answered {answer.status} in {time.time() - now:.1f} s{said}")
    raise typer.Exit(0 if answer.is_success else 1)


def _redeliver(
    id: Annotated[str, typer.Argument(metavar="ID", help="An event, as msg_..., or an incident, as inc_...")],  # noqa: A002 - the field's own name
    data_dir: DataDirOption = None,
) -> None:
    """Send an event, or all events of an incident, once more; endpoints that had answered 410 are enabled again.

    Example: rpkival alerts redeliver msg_5f0c7a52e4ad4ed7b2c1d8f0a9b3c6e7
    """
    import time

    from rpkival.alerts.outbox import Outbox

    with _database(data_dir) as database:
        number = Outbox(database).redeliver(id, time.time())
    if not number:
        raise UsageError(f"There is no delivery of {id}; rpkival alerts show tells those of an incident.")
    deliveries = "1 delivery waits" if number == 1 else f"{number} deliveries wait"
    typer.echo(f"{deliveries} for the running rpkival up or watch of this data directory, or for its next start.")


@contextmanager
def _database(data_dir: Path | None) -> Iterator[Database]:
    """The database of a data directory. Raises `UsageError` where there is none: reading must not make one."""
    from rpkival.storage import DATABASE_NAME, open_database

    path = state_directory(data_dir) / DATABASE_NAME
    if is_missing(path):
        raise UsageError(
            f"There are no incidents in {path.parent}; name the --data-dir of rpkival up, or start it first."
        )
    database = open_database(path)
    try:
        yield database
    finally:
        database.close()


def _incident(database: Database, id: str) -> Incident:  # noqa: A002 - the field's own name
    from rpkival.monitor.store import IncidentStore

    incident = IncidentStore(database).get(id)
    if incident is None:
        raise UsageError(f"There is no incident {id}; rpkival alerts list shows those there are.")
    return incident
