"""`rpkival tal`: the trust anchors, what binds them, and the keys that they say will follow."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rpkival.cli.options import (
    AtOption,
    ConstraintsOption,
    DataDirOption,
    KeptRepositoryOption,
    OutputOption,
    ReportFormat,
    TalOption,
    parse_time,
    state_directory,
)
from rpkival.cli.tal_refresh import refresh

if TYPE_CHECKING:
    from rpkival.objects.trust_anchor_key import AnchorKey
    from rpkival.validation.anchors import Anchor
    from rpkival.validation.succession import AcceptanceTimer

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    tal = typer.Typer(
        help="Trust anchors and their locators.", epilog="Example: rpkival tal list", no_args_is_help=True
    )
    tal.command(name="list")(list_anchors)
    tal.command(name="refresh")(refresh)
    app.add_typer(tal, name="tal")


def list_anchors(
    tal: TalOption = None,
    constraints: ConstraintsOption = None,
    repository_dir: KeptRepositoryOption = None,
    at: AtOption = None,
    listing: Annotated[ReportFormat, typer.Option("--format", help="How to print.")] = ReportFormat.TEXT,
    output: OutputOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """List the trust anchors: addresses, keys, constraints, and the keys that are announced to follow (RFC 9691).

    Certificates and announcements are looked up in what `rpkival validate` has fetched; nothing is fetched here. Exit
    code 3 says that a trust anchor's certificate is not there, or not good.

    Example: rpkival tal list

    Example: rpkival tal list --tal ta.tal --repository-dir rsync --format json
    """
    import msgspec

    from rpkival.cli.output import check_writable, open_output
    from rpkival.daemon.locators import read_locators
    from rpkival.daemon.succession import read_timers
    from rpkival.repository.opening import Fetching, open_source
    from rpkival.validation.anchors import Anchor, look_at_anchor
    from rpkival.validation.succession import fingerprint

    check_writable(output)
    moment = int(time.time()) if at is None else parse_time(at)
    locators = read_locators(tal or (), constraints or ())
    directory = repository_dir or state_directory(data_dir) / "repository"
    if repository_dir is None and not directory.exists():
        anchors = [Anchor(locator) for locator in locators]
    else:
        with open_source(directory, Fetching(offline=True)) as source:
            anchors = [look_at_anchor(locator, source, moment) for locator in locators]
    timers = read_timers(directory)
    records = [_record(anchor, timers.get(fingerprint(anchor.tal.key_info))) for anchor in anchors]
    with open_output(output) as stream:
        if listing is ReportFormat.JSON:
            stream.write(msgspec.json.format(msgspec.json.encode(records), indent=2) + b"\n")
        else:
            stream.write("".join(f"{line}\n" for record in records for line in _lines(record)).encode())
    if not all(anchor.uri for anchor in anchors):
        raise typer.Exit(3)


def _record(anchor: Anchor, timer: AcceptanceTimer | None) -> dict[str, Any]:
    from rpkival.objects.times import format_time
    from rpkival.validation.succession import fingerprint

    successor = _key(anchor.successor)
    if successor is not None:
        is_timed = timer is not None and timer.successor == successor["key_sha256"]
        successor["follow_from"] = format_time(timer.ends) if timer and is_timed else None
    return {
        "name": anchor.tal.name,
        "uris": list(anchor.tal.uris),
        "key_sha256": fingerprint(anchor.tal.key_info),
        "constrained": anchor.tal.terms.constraints is not None,
        "certificate": anchor.uri or None,
        "certificate_until": format_time(anchor.expires) if anchor.uri else None,
        "predecessor": _key(anchor.predecessor),
        "successor": successor,
        "problems": [f"{each.sentence} ({each.section})" for each in anchor.rejections],
    }


def _key(key: AnchorKey | None) -> dict[str, Any] | None:
    from rpkival.objects.tal import format_tal
    from rpkival.validation.succession import fingerprint

    if key is None:
        return None
    return {
        "uris": list(key.uris),
        "key_sha256": fingerprint(key.key_info),
        "locator": format_tal(key.uris, key.key_info, key.comments),
    }


def _lines(record: dict[str, Any]) -> list[str]:
    lines = [record["name"], *(f"  {uri}" for uri in record["uris"]), f"  key SHA-256 {record['key_sha256']}"]
    if record["certificate"]:
        lines.append(f"  certificate from {record['certificate']}, good until {record['certificate_until']}")
    else:
        lines.append("  no good certificate is here; rpkival validate fetches it")
    if record["constrained"]:
        lines.append("  bound by constraints")
    if record["successor"]:
        since = record["successor"]["follow_from"]
        when = f"rpkival tal refresh follows it from {since}" if since else "not seen to be good by any validation yet"
        lines.append(f"  SUCCESSOR announced, {when}; its locator:")
        lines += [f"    {line}" for line in record["successor"]["locator"].splitlines()]
    if record["predecessor"]:
        lines.append(f"  took over from key SHA-256 {record['predecessor']['key_sha256']}")
    return lines + [f"  ! {problem}" for problem in record["problems"]]
