"""`rpkival tal refresh`: a trust anchor's next locator in place of the present one, when its time has come."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rpkival.cli.options import (
    AtOption,
    ConstraintsOption,
    DataDirOption,
    KeptRepositoryOption,
    TalOption,
    parse_time,
    state_directory,
)

if TYPE_CHECKING:
    from rpkival.objects.trust_anchor_key import AnchorKey
    from rpkival.validation.anchors import Anchor
    from rpkival.validation.source import Source
    from rpkival.validation.succession import AcceptanceTimer

__all__ = ["refresh"]


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What is to be done about one trust anchor: a sentence, how that ends, and the key if it is to be followed."""

    sentence: str
    code: int = 0
    key: AnchorKey | None = None


def refresh(
    tal: TalOption = None,
    constraints: ConstraintsOption = None,
    repository_dir: KeptRepositoryOption = None,
    output_dir: Annotated[
        Path | None,
        typer.Option(
            "--output-dir",
            metavar="DIR",
            help="Write next locators here, as NAME.tal. (default: over the files of --tal)",
        ),
    ] = None,
    at: AtOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Write the locators of trust anchors whose next key was announced, and found good, for 30 days (RFC 9691).

    Each `rpkival validate`, and each validation of `rpkival up`, looks whether the two keys name each other; a run that
    finds that they do not starts the 30 days anew. Before their end it is told how long is left, and nothing is
    written. A locator that is replaced is kept as NAME.tal.before. Nothing is fetched here.

    Exit code 1 says that a next key is not good or has no place to be written to, 3 that a trust anchor's certificate
    is not there.

    Example: rpkival tal refresh --tal /etc/rpki/tals/apnic.tal

    Example: rpkival tal refresh --output-dir /etc/rpki/tals
    """
    from rpkival.daemon.locators import read_locators
    from rpkival.daemon.succession import read_timers, write_timers
    from rpkival.errors import UsageError
    from rpkival.repository.opening import Fetching, open_source
    from rpkival.validation.anchors import look_at_anchor
    from rpkival.validation.succession import fingerprint

    if output_dir is not None and not output_dir.is_dir():
        raise UsageError(f"The directory {output_dir} does not exist; make it first or choose another --output-dir.")
    moment = int(time.time()) if at is None else parse_time(at)
    locators = read_locators(tal or (), constraints or ())
    directory = repository_dir or state_directory(data_dir) / "repository"
    if not directory.exists():
        raise UsageError(f"Nothing was fetched to {directory} yet; run rpkival validate first.")
    timers = dict(read_timers(directory))
    files = {path.stem: path for path in tal or ()}
    code = 0
    with open_source(directory, Fetching(offline=True)) as source:
        for locator in locators:
            key = fingerprint(locator.key_info)
            anchor = look_at_anchor(locator, source, moment)
            verdict = _judge(anchor, timers.get(key), source, moment)
            if verdict.key is not None:
                target = output_dir / f"{locator.name}.tal" if output_dir else files.get(locator.name)
                verdict = _written(verdict.key, target)
                if verdict.code == 0:
                    del timers[key]
                    write_timers(directory, timers)
            typer.echo(f"{locator.name}: {verdict.sentence}")
            code = max(code, verdict.code)
    if code:
        raise typer.Exit(code)


def _judge(anchor: Anchor, timer: AcceptanceTimer | None, source: Source, now: int) -> _Verdict:
    from rpkival.objects.times import format_time
    from rpkival.validation.succession import fingerprint, objection_to_successor

    if not anchor.uri:
        return _Verdict("No good certificate is here; rpkival validate fetches it.", 3)
    if anchor.successor is None:
        return _Verdict("No other key is announced.")
    objection = objection_to_successor(anchor, source, now)
    if objection is not None:
        return _Verdict(f"Another key is announced, but not to be followed: {objection}", 1)
    if timer is None or timer.successor != fingerprint(anchor.successor.key_info):
        return _Verdict("Another key is announced; its 30 days begin with the next run of rpkival validate.")
    if now < timer.ends:
        days = -(-(timer.ends - now) // 86_400)
        return _Verdict(
            f"Another key was announced and good since {format_time(timer.since)}; it may be followed from "
            f"{format_time(timer.ends)}, in {days} {'day' if days == 1 else 'days'}."
        )
    return _Verdict("", key=anchor.successor)


def _written(key: AnchorKey, target: Path | None) -> _Verdict:
    from rpkival.cli.output import open_output
    from rpkival.objects.tal import format_tal

    # RFC 9691 section 7: the comments of the key go with it.
    text = format_tal(key.uris, key.key_info, key.comments).encode()
    if target is None:
        return _Verdict("The next key is to be followed; say with --output-dir where its locator is to be written.", 1)
    if target.exists():
        before = target.with_name(f"{target.name}.before")
        with open_output(before) as stream:
            stream.write(target.read_bytes())
    with open_output(target) as stream:
        stream.write(text)
    return _Verdict(f"{target} is now the locator of the next key; give it to rpkival with --tal.")
