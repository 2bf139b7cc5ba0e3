"""`rpkival inspect`: signed objects, decoded and judged one by one."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Final

import typer

from rpkival.cli.options import AtOption, NestedFormat, OutputOption, parse_time
from rpkival.errors import FormatError, InputError, UsageError
from rpkival.limits import MAX_CCR_BYTES

if TYPE_CHECKING:
    from rpkival.objects.inspection import Inspection

__all__ = ["register"]

_AT_ONCE = 1 << 20
_STDIN: Final = Path("-")


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command(name="inspect")
    def inspect_files(
        files: Annotated[
            list[Path], typer.Argument(metavar="FILE...", help="Any object of the RPKI, whole or broken; - reads.")
        ],
        listing: Annotated[NestedFormat, typer.Option("--format", help="How to print.")] = NestedFormat.TEXT,
        strict: Annotated[
            bool, typer.Option("--strict", help="Call a signed object bad that is BER and not DER.")
        ] = False,
        at: AtOption = None,
        output: OutputOption = None,
    ) -> None:
        """Decode signed objects and say what is wrong with each by itself, part by part, by RFC section.

        Knows certificates, CRLs, manifests, ROAs, ASPAs, Ghostbusters records, trust anchor keys, signed checklists and
        prefix lists, canonical cache representations and trust anchor locators. Of what is broken or cut off it tells
        where, and shows what can still be read. A file in gzip, NAME.gz, is taken as what is in it. One that cannot be
        read costs the others nothing.

        Whether an issuer really signed it, and whether it holds now, is for `rpkival validate`; --at only tells how the
        dates of the object lie. Exit code 1 says that an object is bad.

        Example: rpkival inspect ta.cer 07B2LXVi_LgyFGlzVgVntHlIZDw.roa
        """
        import msgspec

        from rpkival.cli.output import check_writable, open_output
        from rpkival.cli.terminal import note
        from rpkival.objects.inspection import inspect_object

        check_writable(output)
        moment = None if at is None else parse_time(at)
        records, unread = [], list[InputError | UsageError]()
        for path in files:
            try:
                content = _content(path)
            except (InputError, UsageError) as error:
                unread.append(error)
                continue
            records.append(_record(path, inspect_object(content, path.name.removesuffix(".gz"), strict=strict), moment))
        with open_output(output) as stream:
            if listing is NestedFormat.JSON:
                stream.write(msgspec.json.format(msgspec.json.encode(records), indent=2) + b"\n")
            else:
                for record in records:
                    if listing is NestedFormat.NDJSON:
                        stream.write(msgspec.json.encode(record) + b"\n")
                    else:
                        stream.write("".join(f"{_harmless(line)}\n" for line in _lines(record)).encode())
        if unread:
            for each in unread[1:]:
                note(f"rpkival: {each}")
            raise unread[0]
        if any(record["problems"] for record in records):
            raise typer.Exit(1)


def _content(path: Path) -> bytes:
    # One octet more than is allowed is enough for the parsers to say so.
    most = MAX_CCR_BYTES + 1
    try:
        if path == _STDIN:
            return sys.stdin.buffer.read(most)
        with path.open("rb") as stream:
            return _gunzipped(stream, path, most) if path.suffix == ".gz" else stream.read(most)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error


def _gunzipped(stream: BinaryIO, path: Path, most: int) -> bytes:
    from rpkival.compression.damage import DamagedError
    from rpkival.compression.gzip import gunzip

    content = bytearray()
    try:
        for part in gunzip(iter(lambda: stream.read(_AT_ONCE), b""), _AT_ONCE):
            content += part[: most - len(content)]
            if len(content) == most:
                break
    except DamagedError as error:
        raise FormatError(f"{path} is damaged: {error}; fetch it again.") from error
    return bytes(content)


def _record(path: Path, found: Inspection, moment: int | None) -> dict[str, Any]:
    record: dict[str, Any] = {
        "file": str(path),
        "type": found.kind,
        "verdict": "bad" if found.problems else "good",
        "sha256": found.sha256,
        **found.fields,
        "problems": [
            {"part": problem.part, "section": problem.section, "sentence": problem.sentence}
            for problem in found.problems
        ],
    }
    if moment is not None and found.valid_from is not None and found.valid_until is not None:
        record["time"] = _time(moment, found.valid_from, found.valid_until)
    return record


def _time(moment: int, start: int, end: int) -> str:
    from rpkival.objects.times import format_time

    if moment < start:
        return f"not valid before {format_time(start)}"
    if moment > end:
        return f"over since {format_time(end)}"
    return f"current at {format_time(moment)}, until {format_time(end)}"


def _lines(record: dict[str, Any]) -> Iterable[str]:
    """A record for people: one line a value, nested by indentation, faults last."""
    shown = dict(record)
    problems = shown.pop("problems")
    yield f"{shown.pop('file')}: {shown.pop('type')}, {shown.pop('verdict')}"
    for name, value in shown.items():
        yield from _value_lines(name, value, "  ")
    for problem in problems:
        yield f"  ! {problem['part']}: {problem['sentence']} ({problem['section']})"


def _harmless(line: str) -> str:
    """The line without anything that a terminal would obey: an object's names can hold any character."""
    return line if line.isprintable() else "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in line)


def _value_lines(name: str, value: Any, indent: str) -> Iterable[str]:
    if isinstance(value, dict):
        if set(value) == {"prefix", "max_length"}:
            yield f"{indent}{value['prefix']} max_length {value['max_length']}"
            return
        yield f"{indent}{name}:" if name else f"{indent}-"
        for inner, each in value.items():
            yield from _value_lines(inner, each, indent + "  ")
    elif isinstance(value, list):
        yield f"{indent}{name}:{'' if value else ' none'}"
        for each in value:
            if isinstance(each, dict):
                yield from _value_lines("", each, indent + "  ")
            else:
                yield f"{indent}  {each}"
    elif value is not None:
        yield f"{indent}{name}: {value}"
