"""`rpkival rsc verify`: files held against a signed checklist, and the checklist against the RPKI."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rpkival.cli.options import (
    AtOption,
    DataDirOption,
    OutputOption,
    QuietOption,
    ReportFormat,
    parse_time,
    state_directory,
)
from rpkival.errors import LimitError, ObjectError, UsageError
from rpkival.limits import MAX_CHECKLIST_BYTES

if TYPE_CHECKING:
    from rpkival.objects.checklist import Checklist

__all__ = ["register"]


class Chain(StrEnum):
    """What became of the question who has issued the checklist's certificate."""

    VERIFIED = "verified"
    BAD = "bad"
    UNKNOWN = "not verified"


def register(app: typer.Typer) -> None:
    """Add the verb."""
    rsc = typer.Typer(
        help="Signed checklists (RFC 9323): files vouched for by holders of resources.",
        epilog="Example: rpkival rsc verify offer.sig offer.pdf",
    )
    rsc.command()(verify)
    # A command alone would take the place of its group.
    rsc.callback(no_args_is_help=True)(lambda: None)
    app.add_typer(rsc, name="rsc")


def verify(
    checklist: Annotated[Path, typer.Argument(metavar="SIGFILE", help="The signed checklist.")],
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files to hold against it.")],
    tal: Annotated[
        list[Path] | None,
        typer.Option(
            "--tal", metavar="FILE", help="A trust anchor locator; repeatable. (default: those of the five registries)"
        ),
    ] = None,
    repository_dir: Annotated[
        Path | None,
        typer.Option(
            "--repository-dir",
            metavar="DIR",
            help="A store or tree of signed objects, as for rpkival validate --offline. "
            "(default: repository in the data directory)",
        ),
    ] = None,
    no_chain: Annotated[
        bool, typer.Option("--no-chain", help="Do not ask who has issued the checklist's certificate.")
    ] = False,
    at: AtOption = None,
    listing: Annotated[ReportFormat, typer.Option("--format", help="How to print.")] = ReportFormat.TEXT,
    output: OutputOption = None,
    data_dir: DataDirOption = None,
    quiet: QuietOption = False,
) -> None:
    """Verify files by a signed checklist: names, hashes, its signature, and its chain to a trust anchor.

    The chain is looked up in what `rpkival validate` has fetched; nothing is fetched here. Exit code 1 says that a file
    or the checklist is bad, 3 that nothing bad was found, but the chain could not be looked up.

    Example: rpkival rsc verify offer.sig offer.pdf

    Example: rpkival rsc verify offer.sig offer.pdf --tal ta.tal --repository-dir rsync --at 2026-03-16T08:00:00Z
    """
    import msgspec

    from rpkival.cli.output import check_writable, open_output

    check_writable(output)
    moment = int(time.time()) if at is None else parse_time(at)
    data = _read(checklist)
    digests = [(path.name, _sha256(path)) for path in files]
    directory = repository_dir or state_directory(data_dir) / "repository"

    def chain(parsed: Checklist) -> tuple[Chain, str]:
        if no_chain:
            return Chain.UNKNOWN, "It was not asked for."
        return _chain(parsed, tal or (), directory, moment, quiet=quiet)

    record = {"checklist": str(checklist), **_judged(data, files, digests, chain)}
    with open_output(output) as stream:
        if listing is ReportFormat.JSON:
            stream.write(msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n")
        else:
            stream.write("".join(f"{line}\n" for line in _lines(record)).encode())
    if record["verdict"] == "bad":
        raise typer.Exit(1)
    if record["chain"] == Chain.UNKNOWN and not no_chain:
        raise typer.Exit(3)


def _judged(
    data: bytes,
    files: Sequence[Path],
    digests: Sequence[tuple[str, bytes]],
    chain: Callable[[Checklist], tuple[Chain, str]],
) -> dict[str, Any]:
    from rpkival.objects.checklist import parse_checklist
    from rpkival.objects.checklist_files import Verdict, match_files, unused_entries

    try:
        parsed = parse_checklist(data)
    except (ObjectError, LimitError) as error:
        return {"verdict": "bad", "problem": str(error)}
    matches = match_files(parsed.content, digests)
    state, note = chain(parsed)
    is_bad = state is Chain.BAD or any(match.verdict is not Verdict.LISTED for match in matches)
    return {
        "verdict": "bad" if is_bad else "good",
        "signature": "good",
        "resources": _resources(parsed),
        "chain": state.value,
        "chain_note": note,
        "files": [
            {"file": str(path), "verdict": match.verdict.value, "sha256": match.sha256.hex()}
            for path, match in zip(files, matches, strict=True)
        ],
        "not_given": [
            {"name": name, "sha256": digest.hex()} for name, digest in unused_entries(parsed.content, matches)
        ],
    }


def _chain(
    checklist: Checklist, tals: Sequence[Path], directory: Path, moment: int, *, quiet: bool
) -> tuple[Chain, str]:
    from rpkival.cli.terminal import progress
    from rpkival.daemon.locators import read_locators
    from rpkival.objects.times import format_time
    from rpkival.repository.opening import Fetching, open_source
    from rpkival.repository.stored_source import StoredSource
    from rpkival.validation.detached import issuer_of

    locators = read_locators(tals)
    if not directory.is_dir():
        return Chain.UNKNOWN, f"There is no {directory}; run rpkival validate first, or name one by --repository-dir."
    with open_source(directory, Fetching(offline=True)) as source, progress(quiet=quiet) as bars:
        shown = {locator.name: bars.add_task(f"{locator.name}, publication points", total=None) for locator in locators}
        try:
            issuer = issuer_of(
                checklist,
                locators,
                source,
                clock=lambda: moment,
                workers=None,
                memo=source if isinstance(source, StoredSource) else None,
                on_progress=lambda anchor, done, known: bars.update(shown[anchor], completed=done, total=known),
            )
        except (ObjectError, LimitError) as error:
            return Chain.BAD, str(error)
    if issuer is None:
        key = checklist.certificate.authority_key_id.hex()
        return Chain.UNKNOWN, f"No CA that is valid at {format_time(moment)} in {directory} has the issuer's key {key}."
    until = format_time(checklist.certificate.not_after)
    return Chain.VERIFIED, f"Issued by {issuer.uri} under {issuer.trust_anchor}; not revoked; valid until {until}."


def _resources(checklist: Checklist) -> list[str]:
    from rpkival.objects.resources import format_ranges

    resources = checklist.content.resources
    return [*format_ranges(resources.ipv4, 4), *format_ranges(resources.ipv6, 6), *format_ranges(resources.asn, 0)]


_SENTENCES = {
    "listed": "good: the checklist has it",
    "differs": "BAD: the checklist has another content under this name",
    "renamed": "BAD: the checklist has this content under another name",
    "unlisted": "BAD: the checklist does not have it",
}


def _lines(record: dict[str, Any]) -> list[str]:
    if "problem" in record:
        return [f"{record['checklist']}: BAD, so nothing was verified: {record['problem']}"]
    chain = "BAD" if record["chain"] == Chain.BAD else record["chain"]
    return [
        f"{record['checklist']}: signed for {', '.join(record['resources'])}; its signature is good",
        f"  chain {chain}: {record['chain_note']}",
        *(f"  {entry['file']!r}: {_SENTENCES[entry['verdict']]}" for entry in record["files"]),
        *(f"  {entry['name'] or entry['sha256']}: on the checklist, not given" for entry in record["not_given"]),
    ]


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            # One octet more than is allowed is enough for the parser to say so.
            return stream.read(MAX_CHECKLIST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error


def _sha256(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").digest()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
