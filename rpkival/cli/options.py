"""Options with one meaning everywhere."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import platformdirs
import typer

from rpkival.errors import UsageError
from rpkival.listening import ListenAddress, parse_listen

__all__ = [
    "AtOption",
    "ConstraintsOption",
    "DataDirOption",
    "ExceptionsOption",
    "KeptRepositoryOption",
    "ListenAddress",
    "NestedFormat",
    "OutputOption",
    "QuietOption",
    "ReportFormat",
    "RtrOption",
    "TalOption",
    "TextFormat",
    "UrlOption",
    "VerboseOption",
    "VrpsOption",
    "is_missing",
    "parse_listen",
    "parse_peer",
    "parse_time",
    "state_directory",
]

VrpsOption = Annotated[
    Path | None,
    typer.Option(
        "--vrps", metavar="FILE", help="VRPs from a file: rpki-client or Routinator JSON, or CSV; gz, bz2 too."
    ),
]
RtrOption = Annotated[
    str | None,
    typer.Option(
        "--rtr", metavar="CACHE", help="VRPs from an RTR cache: HOST:PORT, tls://HOST:PORT or ssh://USER@HOST:PORT."
    ),
]
UrlOption = Annotated[str | None, typer.Option("--url", metavar="URL", help="VRPs from a URL that serves such a file.")]
DataDirOption = Annotated[
    Path | None,
    typer.Option(
        "--data-dir", metavar="DIR", envvar="RPKIVAL_DATA_DIR", help="Where state is kept. (default: the platform's)"
    ),
]
OutputOption = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write here, whole or not at all; - is standard output."),
]
ExceptionsOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--exceptions",
        "--slurm",
        metavar="FILE",
        help="Local exceptions: a SLURM file (RFC 8416, or version 2 with ASPAs); repeatable.",
    ),
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes.")]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Say more on standard error.")]
TalOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--tal", metavar="FILE", help="A trust anchor locator; repeatable. (default: those of the five registries)"
    ),
]
ConstraintsOption = Annotated[
    list[Path] | None,
    typer.Option("--constraints", metavar="FILE", help="NAME.constraints for NAME.tal; repeatable."),
]
KeptRepositoryOption = Annotated[
    Path | None,
    typer.Option(
        "--repository-dir",
        metavar="DIR",
        help="A store or tree of signed objects, as for rpkival validate --offline. "
        "(default: repository in the data directory)",
    ),
]
AtOption = Annotated[
    str | None,
    typer.Option(
        "--at", metavar="TIME", help="Judge as of this moment (RFC 3339, as 2026-03-16T08:00:00Z). (default: now)"
    ),
]


class NestedFormat(StrEnum):
    """`--format` of verbs that print what nests, for which there is no CSV."""

    TEXT = "text"
    JSON = "json"
    NDJSON = "ndjson"


class ReportFormat(StrEnum):
    """`--format` of verbs that print one report."""

    TEXT = "text"
    JSON = "json"


class TextFormat(StrEnum):
    """`--format` of verbs that print records."""

    TEXT = "text"
    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"


def state_directory(data_dir: Path | None) -> Path:
    """`--data-dir`, or where the platform keeps state of programs."""
    return data_dir or platformdirs.user_state_path("rpkival")


def is_missing(path: Path) -> bool:
    """Whether nothing is there. What may not be looked at is there: the reason is told when it is opened."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def parse_time(text: str) -> int:
    """RFC 3339 to unix seconds. Raises `UsageError`."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a time; write it as 2026-03-16T08:00:00Z.") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp())


def parse_peer(text: str) -> tuple[str, int]:
    """Host and port of an RTR cache, `cache.example.net:3323` or `[2001:db8::1]:3323`. Raises `UsageError`."""
    match = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([^:\[\]/\s]+)):([0-9]{1,5})", text)
    if match is None or not 0 < int(match[3]) <= 65535:
        raise UsageError(f"{text!r} is not an RTR cache; write it as cache.example.net:3323 or [2001:db8::1]:3323.")
    return match[1] or match[2], int(match[3])
