"""`rpkival rtr routers`: who is connected to a running `rpkival up`, and how each router does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from rpkival.cli.options import ReportFormat
from rpkival.errors import FetchError, FormatError, UsageError
from rpkival.limits import MAX_STATUS_ANSWER_BYTES, STATUS_ANSWER_SECONDS

if TYPE_CHECKING:
    from rpkival.rtr.server import SessionInfo

__all__ = ["routers"]


def routers(
    url: Annotated[
        str, typer.Option("--url", metavar="URL", help="Where the page of rpkival up is.")
    ] = "http://127.0.0.1:8323",
    listing: Annotated[ReportFormat, typer.Option("--format", help="How to print.")] = ReportFormat.TEXT,
) -> None:
    """Show the routers that are connected to a running rpkival up, those that lag most first.

    The exit code is 1 where a router is behind.

    Example: rpkival rtr routers

    Example: rpkival rtr routers --url https://rpki.example.net --format json
    """
    import msgspec

    from rpkival.cli.download import download
    from rpkival.rtr.server import SessionInfo

    answer: Any = msgspec.defstruct("Answer", [("routers", list[SessionInfo])])
    address = url.rstrip("/") + "/api/v1/status"
    try:
        body = download(address, limit=MAX_STATUS_ANSWER_BYTES, seconds=STATUS_ANSWER_SECONDS)
    except UsageError as error:
        raise UsageError(
            f"--url {url!r} is not the address of a page; write it as http://127.0.0.1:8323 or https://rpki.example.net."
        ) from error
    except FetchError as error:
        raise FetchError(
            f"{str(error).removesuffix('.')}; does rpkival up run there? --url says where it is."
        ) from error
    try:
        found: list[SessionInfo] = msgspec.json.decode(body, type=answer).routers
    except msgspec.DecodeError as error:
        raise FormatError(f"{address} is not the status of rpkival up: {error}.") from error
    found.sort(key=lambda router: router.lag or 0, reverse=True)
    typer.echo(msgspec.json.encode(found).decode() if listing is ReportFormat.JSON else _text(found))
    if any(router.lag for router in found):
        raise typer.Exit(1)


def _text(routers: list[SessionInfo]) -> str:
    from datetime import UTC, datetime

    if not routers:
        return "No router is connected."
    rows: list[tuple[str, ...]] = [
        ("router", "transport", "version", "serial", "behind", "state", "since", "sent", "received", "last fault")
    ]
    for router in routers:
        since = datetime.fromtimestamp(router.connected_since, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        known = ("-" if each is None else str(each) for each in (router.version, router.serial, router.lag))
        octets = (str(router.bytes_sent), str(router.bytes_received))
        rows.append((router.peer, router.transport, *known, router.state, since, *octets, router.last_error or "none"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
